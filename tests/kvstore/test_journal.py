"""The journal: steps that were left half done by who was killed."""

from __future__ import annotations

import os

import pytest

from deliverystore import fsops
from deliverystore.kvstore import FileSystemStore, init_shared_store
from deliverystore.kvstore.journal import Journal


class Killed(BaseException):
    """Ends a step as a kill does: nothing is put in order."""


class Breaking(Journal):
    """Dies before the names are in the folder, or after so many of them."""

    def __init__(self, root, policy, names):
        super().__init__(root, policy)
        self._left = names

    def _apply(self, names):
        super()._apply(self._some(names))

    def _move_on(self, names):
        super()._move_on(self._some(names))

    def _some(self, names):
        for number, name in enumerate(names):
            if number == self._left:
                raise Killed
            yield name
        raise Killed


@pytest.fixture
def folder(tmp_path):
    init_shared_store(tmp_path)
    store = FileSystemStore(tmp_path)
    store.set("old", (b"old", {"is": "old"}))
    store.set("gone", (b"old", {"is": "old"}))
    return tmp_path


def change(store):
    with store.transaction("killed"):
        store.multiset(["old", "new"], [(b"new", {"is": "new"})] * 2)
        store.delete("gone")


@pytest.fixture(params=["full", "none"])
def killed(request, folder):
    """Return a function that dies in a transaction, after so many names."""

    def killed(names):
        store = FileSystemStore(folder, durability=request.param)
        policy = fsops.Policy(root=folder, durability=fsops.Durability(request.param))
        store._journal = Breaking(folder, policy, names)
        with pytest.raises(Killed):
            change(store)

    return killed


@pytest.mark.parametrize("names", range(7))
@pytest.mark.parametrize("key", ["old", "new", "gone"])
def test_a_decided_step_is_done_by_who_reads_next(folder, killed, names, key):
    killed(names)
    store = FileSystemStore(folder)

    if key == "gone":
        assert not store.exists("gone")
    else:
        assert store.get_metadata(key) == {"is": "new"}
        assert store.to_bytes(key) == b"new"
    assert sorted(store.query_keys(**{"is": "new"})) == ["new", "old"]
    assert sorted(store.query_keys()) == ["new", "old"]
    assert not list((folder / ".deliverystore-journal").iterdir())


def test_a_decided_step_is_done_by_who_writes_next(folder, killed):
    killed(2)
    store = FileSystemStore(folder)
    store.update_metadata("old", {"more": 1})

    assert store.get_metadata("old") == {"is": "new", "more": 1}
    assert not store.exists("gone")


def test_a_step_that_waits_to_be_ended_is_nothing_left_over(folder, killed):
    killed(0)
    for path in (folder / ".deliverystore-journal").iterdir():
        os.utime(path, (0, 0))
    store = FileSystemStore(folder)

    assert store.leftovers() == []
    assert store.sweep() == 0
    assert store.to_bytes("old") == b"new"


@pytest.mark.parametrize("name", ["old.metadata", "old.data", ".decided-"])
@pytest.mark.parametrize("killed", ["full"], indirect=True)
def test_a_step_of_which_a_name_is_lost_was_not_decided(folder, killed, name):
    """So a power cut may leave it."""
    killed(0)
    [lost] = [
        path
        for path in (folder / ".deliverystore-journal").iterdir()
        if path.name.startswith(name) or path.name.endswith(f"-{name}")
    ]
    lost.unlink()
    store = FileSystemStore(folder)

    assert store.to_bytes("old") == b"old"
    assert sorted(store.query_keys()) == ["gone", "old"]
    assert not list((folder / ".deliverystore-journal").iterdir())
