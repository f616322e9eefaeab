"""A spool in a folder of its own, and files in it."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import timedelta

import pytest

from deliverystore.spool import FileStore

HOUR = timedelta(hours=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def store(path):
    store = FileStore(path)
    store.prepare()
    return store


@pytest.fixture
def put(path):
    """Put a file into a section, as if it had been changed so many seconds ago."""

    def put(name, section="new", *, content=b"content", age=10.0):
        file = path / section / name
        file.write_bytes(content)
        now = time.time()
        # Whoever watches may have taken it already.
        with contextlib.suppress(FileNotFoundError):
            os.utime(file, (now - age, now - age))
        return file

    return put


@pytest.fixture
def names(path):
    """Tell the names of the files in a section."""

    def names(section):
        return sorted(file.name for file in (path / section).iterdir())

    return names
