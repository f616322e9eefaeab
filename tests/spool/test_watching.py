"""Files as they arrive."""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import timedelta

import pytest

from deliverystore.spool import FileStore

SHORT = timedelta(milliseconds=20)
LONG = timedelta(seconds=20)


@pytest.fixture(params=["told by the system", "looks now and then"])
def interval(request, monkeypatch):
    """Return how often is looked, with and without the library."""
    if request.param == "told by the system":
        pytest.importorskip("watchfiles")
        return LONG
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    return SHORT


@pytest.fixture
def watched(store, interval):
    """Watch in a thread; return the names that arrive, and what stops it."""
    found, stop = [], threading.Event()

    def work():
        for claim in store.watch(stop, interval=interval):
            found.append(claim.filename)
            claim.done()

    thread = threading.Thread(target=work)
    thread.start()
    yield found
    begun = time.monotonic()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - begun < 5


def wait_for(found, count):
    end = time.monotonic() + 10
    while len(found) < count and time.monotonic() < end:
        time.sleep(0.01)


def test_what_waits_and_what_arrives_is_claimed(store, put, interval, watched):
    put("a")
    time.sleep(0.3)
    for name in ("b", "c"):
        with store.writing(name) as file:
            file.write("content")
        time.sleep(0.1)

    wait_for(watched, 3)

    assert set(watched) == {"a", "b", "c"}


def test_a_name_that_is_no_text_does_not_end_the_watch(store, path, interval, watched):
    for name in (b"bad\xff", b"worse\xfe"):
        (path / "new" / os.fsdecode(name)).write_bytes(b"content")
        time.sleep(0.3)
    with store.writing("good") as file:
        file.write("content")

    wait_for(watched, 3)

    assert {os.fsencode(one) for one in watched} == {b"bad\xff", b"worse\xfe", b"good"}


def test_a_watch_that_was_stopped_before_claims_nothing(store, put):
    put("a")
    stop = threading.Event()
    stop.set()

    assert list(store.watch(stop)) == []
    assert len(store.list("new")) == 1


def test_a_watch_gives_back_what_others_have_left(path, put):
    store = FileStore(path, lease=timedelta(milliseconds=1))
    store.prepare()
    put("a")
    store.claim()
    time.sleep(0.01)

    watch = store.watch(interval=SHORT)

    assert next(watch).attempt == 2
