"""A store under a prefix of another one."""

from __future__ import annotations

import pytest
from django.test import SimpleTestCase

from deliverystore.exceptions import StoreReadOnly
from deliverystore.kvstore import DictMemoryStore, MountedStore
from deliverystore.testing import KeyValueStoreTestMixin
from tests.kvstore.test_joined import ReadOnly


class TestMountedStore(KeyValueStoreTestMixin, SimpleTestCase):
    prefix = "mnt/"

    def get_store(self):
        return MountedStore("mnt/", DictMemoryStore(), DictMemoryStore())


@pytest.fixture
def backing():
    store = DictMemoryStore()
    store.set("mnt/both", (b"backing", {"from": "backing"}))
    store.set("mnt/below", (b"backing", {"from": "backing"}))
    store.set("other", (b"backing", {"from": "backing"}))
    return store


@pytest.fixture
def mount():
    store = DictMemoryStore()
    store.set("both", (b"mount", {"from": "mount"}))
    return store


@pytest.fixture
def mounted(mount, backing):
    return MountedStore("mnt/", mount, backing)


def test_the_mounted_store_is_in_front_of_the_other(mounted):
    assert mounted.to_bytes("mnt/both") == b"mount"
    assert mounted.to_bytes("mnt/below") == b"backing"
    assert mounted.to_bytes("other") == b"backing"
    assert not mounted.exists("both")
    keys = ["mnt/below", "mnt/both", "other"]
    assert sorted(mounted.query_keys()) == keys
    assert sorted(key for key, _ in mounted.query()) == keys
    assert sorted(mounted.query_keys(**{"from": "backing"})) == ["mnt/below", "other"]


def test_changes_go_to_the_mounted_store(mounted, mount, backing):
    mounted.update_metadata("mnt/below", {"a": 1})
    mounted.set_data("mnt/new", b"new")

    assert mount.to_bytes("below") == b"backing"
    assert mount.get_metadata("below") == {"from": "backing", "a": 1}
    assert mount.to_bytes("new") == b"new"
    assert backing.get_metadata("mnt/below") == {"from": "backing"}


def test_other_keys_cannot_be_changed(mounted, backing):
    for change in (
        lambda: mounted.set("other", (b"", {})),
        lambda: mounted.update_metadata("other", {}),
        lambda: mounted.delete("other"),
        lambda: mounted.delete("mnt/below"),
        lambda: mounted.set_data("new", b""),
    ):
        with pytest.raises(StoreReadOnly):
            change()

    assert sorted(backing.query_keys()) == ["mnt/below", "mnt/both", "other"]


def test_a_deleted_key_shows_that_of_the_backing_store(mounted):
    mounted.delete("mnt/both")

    assert mounted.to_bytes("mnt/both") == b"backing"


def test_a_value_can_be_pushed_to_the_backing_store(mounted, mount, backing):
    mounted.push("mnt/both")

    assert backing.to_bytes("mnt/both") == b"mount"
    assert not mount.exists("both")
    for key in ("mnt/both", "mnt/missing", "other"):
        with pytest.raises(KeyError):
            mounted.push(key)


def test_nothing_is_pushed_to_a_store_that_is_only_read(mount, backing):
    with pytest.raises(StoreReadOnly):
        MountedStore("mnt/", mount, ReadOnly(backing)).push("mnt/both")

    assert mount.exists("both")


def test_both_stores_are_connected(mounted, mount, backing):
    mounted.connect()

    assert mount.is_connected()
    assert backing.is_connected()


def test_what_is_no_store_is_refused(backing):
    with pytest.raises(TypeError, match=r"mount_store .* not None"):
        MountedStore("m/", None, backing)
    with pytest.raises(TypeError, match=r"mount_store .* not <"):
        MountedStore("m/", ReadOnly(backing), backing)
    with pytest.raises(TypeError, match="made of stores, not of None"):
        MountedStore("m/", backing, None)
