"""Several stores as one."""

from __future__ import annotations

import pytest
from django.test import SimpleTestCase

from deliverystore.exceptions import StoreReadOnly
from deliverystore.kvstore import (
    AbstractReadOnlyStore,
    DictMemoryStore,
    FileSystemStore,
    JoinedStore,
    init_shared_store,
)
from deliverystore.testing import KeyValueStoreTestMixin


class TestJoinedStore(KeyValueStoreTestMixin, SimpleTestCase):
    def get_store(self):
        return JoinedStore([DictMemoryStore(), DictMemoryStore()])


class ReadOnly(AbstractReadOnlyStore):
    """Another store, of which only the methods that read are left."""

    def __init__(self, store):
        self._store = store

    def _get(self, key):
        return self._store.get(key)

    def _query(self, matcher):
        return self._store.query(None, **matcher.wanted)


@pytest.fixture
def one():
    return DictMemoryStore()


@pytest.fixture
def two():
    store = DictMemoryStore()
    store.set("both", (b"two", {"from": "two"}))
    store.set("second", (b"two", {"from": "two"}))
    return store


@pytest.fixture
def joined(one, two):
    one.set("both", (b"one", {"from": "one"}))
    return JoinedStore([one, ReadOnly(two)])


def test_the_first_store_that_has_a_key_wins(joined):
    assert joined.to_bytes("both") == b"one"
    assert joined.to_bytes("second") == b"two"
    assert sorted(joined.query(**{"from": "two"})) == [("second", {"from": "two"})]
    assert sorted(joined.query_keys()) == ["both", "second"]


def test_changes_go_to_the_first_store(joined, one, two):
    joined.update_metadata("second", {"a": 1})
    joined.set("new", (b"new", {}))

    assert one.to_bytes("second") == b"two"
    assert one.get_metadata("second") == {"from": "two", "a": 1}
    assert one.exists("new")
    assert two.get_metadata("second") == {"from": "two"}
    assert not two.exists("new")
    joined.set_data("second", b"changed")
    joined.set_metadata("both", {"b": 2})
    assert joined.get_metadata("second") == {"from": "two", "a": 1}
    assert (one.to_bytes("both"), one.get_metadata("both")) == (b"one", {"b": 2})


def test_a_deleted_key_shows_that_of_the_next_store(joined):
    joined.delete("both")

    assert joined.to_bytes("both") == b"two"
    with pytest.raises(StoreReadOnly, match="'both'"):
        joined.delete("both")


def test_a_key_of_a_later_store_is_deleted_there(one, two):
    JoinedStore([one, two]).delete("second")

    assert not two.exists("second")


def test_a_transaction_is_undone_in_all_stores(one, two):
    joined = JoinedStore([one, two])

    def change_all():
        with joined.transaction("all or nothing"):
            joined.delete("second")
            joined.set("new", (b"new", {}))
            joined.delete("missing")

    with pytest.raises(KeyError):
        change_all()

    assert two.exists("second")
    assert not one.exists("new")


def test_the_first_store_must_take_changes(two):
    for stores in ([], [ReadOnly(two)]):
        with pytest.raises(ValueError, match="first store"):
            JoinedStore(stores)


def test_what_is_no_store_is_refused(one):
    with pytest.raises(TypeError, match="takes a list of stores, not <"):
        JoinedStore(one)
    with pytest.raises(TypeError, match="made of stores, not of None"):
        JoinedStore([one, None])


def test_stores_of_several_kinds_are_joined(tmp_path, two):
    init_shared_store(tmp_path)
    joined = JoinedStore([FileSystemStore(tmp_path), two])
    joined.connect()
    joined.set_metadata("both", {"from": "folder"})

    assert two.is_connected()
    assert (tmp_path / "both.data").read_bytes() == b"two"
    assert joined.get_metadata("both") == {"from": "folder"}


def test_names_of_arguments_can_be_asked_for_too(one, two):
    one.set_metadata("key", {"select": 1, "self": 2})
    joined = JoinedStore([one, two])

    for store in (one, joined):
        assert list(store.query_keys(select=1, self=2)) == ["key"]
        assert dict(store.query(self=2)) == {"key": {"select": 1, "self": 2}}
