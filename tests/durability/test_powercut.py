"""What a power cut may leave, of what was done."""

from __future__ import annotations

import pytest

from tests.durability.events import Cut, Dropped, Named, Synced, Written, read_tree
from tests.durability.powercut import Disk
from tests.durability.recording import Recorder

NEW = 100


@pytest.fixture
def recorder(tmp_path):
    """Record what is done to a folder with a file, old, and a folder, sub."""
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "sub").mkdir()
    return Recorder(tmp_path)


@pytest.fixture
def left(recorder):
    """Return a function that tells what could be left of the folder."""

    def after(*events):
        disk = Disk(recorder)
        for event in events:
            disk.feed(event)
        return [
            {name: data for name, data in tree.items() if data is not None}
            for tree in disk.states()
        ]

    return after


def node(recorder, name):
    return recorder.folders[recorder.top][name]


def test_a_folder_is_read_as_it_is(recorder, tmp_path):
    assert recorder.tree() == read_tree(tmp_path) == {"old": b"old", "sub": None}


def test_unsynced_writes_are_kept_lost_torn_or_zeros(recorder, left):
    states = left(Written(node=node(recorder, "old"), offset=3, data=b"++"))

    contents = {state["old"] for state in states}
    assert contents == {b"old", b"old++", b"old+", b"old\0\0"}


def test_a_later_write_may_be_kept_without_an_earlier_one(recorder, left):
    old = node(recorder, "old")
    states = left(
        Written(node=old, offset=3, data=b"a"), Written(node=old, offset=4, data=b"b")
    )

    assert {"old": b"old\0b"} in states


def test_synced_content_is_kept(recorder, left):
    old = node(recorder, "old")

    states = left(Written(node=old, offset=0, data=b"NEW"), Synced(node=old))

    assert states == [{"old": b"NEW"}]


def test_a_cut_may_be_lost(recorder, left):
    assert left(Cut(node=node(recorder, "old"), size=1)) == [
        {"old": b"old"},
        {"old": b"o"},
    ]


def test_a_synced_file_has_no_name_before_its_folder_is_synced(recorder, left):
    named = Named(folder=recorder.top, name="new", node=NEW, is_new=True)
    written = Written(node=NEW, offset=0, data=b"new")

    unsynced = left(named, written, Synced(node=NEW))
    synced = left(named, written, Synced(node=NEW), Synced(node=recorder.top))

    assert unsynced == [{"old": b"old"}, {"old": b"old", "new": b"new"}]
    assert synced == [{"old": b"old", "new": b"new"}]


def test_a_removal_may_be_undone_until_the_folder_is_synced(recorder, left):
    dropped = Dropped(folder=recorder.top, name="old", node=node(recorder, "old"))

    assert left(dropped) == [{"old": b"old"}, {}]
    assert left(dropped, Synced(node=recorder.top)) == [{}]


def test_a_renamed_file_has_the_old_name_or_the_new_or_both_but_never_none(
    recorder, left
):
    sub = node(recorder, "sub")
    moved = {"node": node(recorder, "old"), "moved": True}
    renamed = (
        Named(folder=sub, name="new", **moved),
        Dropped(folder=recorder.top, name="old", **moved),
    )

    assert left(*renamed) == [
        {"old": b"old"},
        {"old": b"old", "sub/new": b"old"},
        {"sub/new": b"old"},
    ]
    assert left(*renamed, Synced(node=recorder.top)) == [{"sub/new": b"old"}]


def test_too_many_states_are_sampled_the_same_way_every_time(recorder):
    def states():
        disk = Disk(recorder, limit=16)
        for offset in range(8):
            disk.feed(
                Written(node=node(recorder, "old"), offset=offset, data=bytes([65]))
            )
        return list(disk.states()), disk.sampled

    found, sampled = states()
    assert (found, sampled) == states()
    assert sampled == 1
    assert {"old": b"AAAAAAAA", "sub": None} in found
    assert {"old": b"old", "sub": None} in found
