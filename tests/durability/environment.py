"""Django, set up for a process that tries things out on databases of its own."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator

import django
from django.core.management import call_command

# EXTRA: SQLite syncs the folder, too, when it removes its journal, which is its commit.
_SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": "db.sqlite3",
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA synchronous=EXTRA",
    },
}


@contextlib.contextmanager
def scratch() -> Iterator[None]:
    """Give the processes that are set up a folder, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="durability-") as folder:
        os.environ["DELIVERYSTORE_ROOT"] = folder
        yield


def set_up(database: dict[str, object] | None = None) -> None:
    """Set Django up with a database; SQLite if none is given."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.processes.settings"
    os.environ["DELIVERYSTORE_DATABASE"] = json.dumps(database or _SQLITE)
    django.setup()
    if database:
        call_command("migrate", run_syncdb=True, verbosity=0)
