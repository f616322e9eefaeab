"""Settings that are wrong from the start, as in a project that begins with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.processes.conftest import sqlite_database

pytestmark = pytest.mark.processes


@pytest.fixture
def manage(tmp_path):
    """Run a command of Django with some settings; return how it ended."""

    def run(*words, **settings):
        return subprocess.run(
            [sys.executable, "-m", "django", *words],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
                "DELIVERYSTORE_DATABASE": json.dumps(sqlite_database(tmp_path)),
                "DELIVERYSTORE_ROOT": str(tmp_path / "files"),
                "DELIVERYSTORE_SETTINGS": json.dumps(settings),
            },
            check=False,
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("DELIVERY_STORE_BACKEND", "no.such.Store", "E001"),
        ("DELIVERY_STORE_FALLBACK", "nope", "E013"),
        ("DELIVERY_STORE_ROOT", None, "E002"),
    ],
)
def test_a_wrong_setting_is_said_by_a_check_and_not_by_a_traceback(
    manage, name, value, check
):
    done = manage("check", **{name: value})

    assert done.returncode == 1
    assert f"deliverystore.{check}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["check_deliveries"],
        ["copy_deliveries"],
        ["sweep_deliveries"],
        ["verify_receipt", "receipt.json"],
        ["datacenter_reconcile"],
        ["import_csv", "rows.csv"],
        ["export_csv", "students"],
    ],
)
def test_a_wrong_setting_is_nothing_that_a_command_has_found(manage, command):
    done = manage(*command, DELIVERY_STORE_INTERVAL=0)

    assert done.returncode == 2
    assert "deliverystore.E003" in done.stderr
    assert "Traceback" not in done.stderr
