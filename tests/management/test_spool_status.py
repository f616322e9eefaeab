"""What a spool holds, for people and for programs."""

from __future__ import annotations

import json
import os
import re
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deliverystore.spool import FileStore


@pytest.fixture
def store(tmp_path):
    store = FileStore(tmp_path / "spool", max_attempts=1)
    store.prepare()
    for number in range(3):
        path = store.path / "new" / f"{number}"
        path.touch()
        then = time.time() - 7200 + number
        os.utime(path, (then, then))
    return store


def status(store, *arguments):
    """Return what the command printed, and its exit code."""
    out = StringIO()
    try:
        call_command("spool_status", str(store.path), *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


def test_it_says_what_waits_and_for_how_long(store):
    store.claim()

    said, code = status(store)

    assert code == 0
    lines = [" ".join(line.replace("\xa0", " ").split()) for line in said.splitlines()]
    hours = "(the oldest: 1 hour, 59 minutes old)"
    assert lines == [f"2 waiting {hours}", "1 claimed", "0 failed"]


def test_no_file_is_0_minutes_old(tmp_path):
    store = FileStore(tmp_path)
    store.prepare()
    (tmp_path / "new" / "a").touch()

    said, _ = status(store)

    assert "1  waiting  (the oldest: less than a minute old)\n" in said


def test_failed_files_are_something_found(store):
    store.claim().fail()

    said, code = status(store)

    assert code == 1
    assert "1  failed" in said


def test_what_is_never_claimed_is_told(store):
    (store.path / "new" / "folder").mkdir()
    (store.path / "new" / "link").symlink_to("/etc/passwd")

    said, code = status(store)

    assert code == 0
    assert "3  waiting" in said
    assert "2  ignored: folders, links or pipes" in said


def test_programs_get_json(store):
    store.claim()

    said, code = status(store, "--json")

    document = json.loads(said)
    assert code == 0
    assert 7100 < document.pop("oldest_seconds") < 7300
    assert document.pop("oldest").endswith("+00:00")
    assert document == {
        "waiting": 2,
        "claimed": 1,
        "overdue": 0,
        "failed": 0,
        "ignored": 0,
    }


@pytest.mark.parametrize(("seconds", "code"), [("7000", 1), ("7300", 0)])
def test_a_monitor_sees_that_nobody_takes_files(store, seconds, code):
    assert status(store, "--max-age", seconds)[1] == code


def test_a_folder_that_is_no_spool_is_an_error(tmp_path):
    said, code = status(FileStore(tmp_path))

    assert (said, code) == ("", 2)
    text = f"{tmp_path} is no spool: there is no folder {tmp_path}/new."
    with pytest.raises(CommandError, match=re.escape(text)):
        call_command("spool_status", str(tmp_path))


def test_a_spool_is_called_by_its_name(store, settings):
    settings.DELIVERY_STORE_SPOOLS = {"scans": str(store.path)}
    out = StringIO()

    call_command("spool_status", "scans", stdout=out)

    assert "3  waiting" in out.getvalue()


def test_a_mistyped_name_is_told_with_those_that_there_are(store, settings):
    settings.DELIVERY_STORE_SPOOLS = {"scans": store.path, "mail": "/srv/mail"}

    with pytest.raises(CommandError, match=r"spool 'scan'; .* has: scans, mail\.$"):
        call_command("spool_status", "scan")
