"""One look at the folder serves many claims."""

from __future__ import annotations

import os

import pytest

from deliverystore.spool import FileStore, lookahead


@pytest.fixture
def looks(monkeypatch):
    """Count how often a folder is read."""
    seen, scandir = [], os.scandir

    def counted(folder):
        seen.append(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", counted)
    return seen


def test_a_thousand_claims_read_the_folder_a_few_times(store, put, looks):
    for number in range(1000):
        put(f"{number}")

    while store.claim() is not None:
        pass

    assert len(looks) <= 4


def test_two_who_take_turns_get_every_file_once_with_few_looks(store, put, looks):
    other = FileStore(store.path)
    for number in range(500):
        put(f"{number}", age=1000 - number)

    found, idle = [], 0
    while idle < 2:
        idle = 0
        for one in (store, other):
            claim = one.claim()
            idle += claim is None
            found += [claim.filename] if claim else []

    assert sorted(found) == sorted(map(str, range(500)))
    assert len(looks) < 60


def test_more_files_than_are_remembered_are_claimed_in_their_order(
    store, put, monkeypatch
):
    monkeypatch.setattr(lookahead, "LIMIT", 7)
    for number in range(50):
        put(f"{number}", age=1000 - number)

    found = [int(claim.filename) for claim in store.claims()]

    assert found == list(range(50))


def test_an_older_file_that_comes_later_gets_its_turn_soon(store, put, monkeypatch):
    monkeypatch.setattr(lookahead, "_SHORTEST", 0)
    monkeypatch.setattr(lookahead, "_TIMES", 0)
    put("a", age=10)
    put("b", age=5)
    put("c", age=1)

    assert store.claim().filename == "a"
    put("older", age=100)

    assert [claim.filename for claim in store.claims()] == ["older", "b", "c"]


def test_files_that_come_one_by_one_are_found(store, put):
    for number in range(5):
        put(f"{number}")
        assert store.claim().filename == f"{number}"
        assert store.claim() is None
