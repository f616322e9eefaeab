"""A store that looks into another one for what it does not have."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import SimpleTestCase
from django.utils import timezone

from deliverystore.backends import (
    FsDeliveryStore,
    FsHierDeliveryStore,
    MemoryDeliveryStore,
)
from deliverystore.backends.fallback import FallbackDeliveryStore, without_fallback
from deliverystore.exceptions import FileExists, FileNotFound
from deliverystore.models import Delivery, FileMeta
from deliverystore.testing import DeliveryStoreTestMixin, override_delivery_store
from tests.testing.test_mixin import FolderTestCase as InAFolder


class TestFallback(DeliveryStoreTestMixin, InAFolder):
    def get_storageobj(self):
        return FallbackDeliveryStore(
            FsHierDeliveryStore(self.folder / "new"),
            FsDeliveryStore(self.folder / "old"),
        )


class TestFallbackWithTheSameNames(DeliveryStoreTestMixin, SimpleTestCase):
    def get_storageobj(self):
        return FallbackDeliveryStore(MemoryDeliveryStore(), MemoryDeliveryStore())


@pytest.fixture
def old(tmp_path):
    return FsDeliveryStore(tmp_path / "old")


@pytest.fixture
def new(tmp_path):
    return FsHierDeliveryStore(tmp_path / "new")


@pytest.fixture
def both(new, old):
    store = FallbackDeliveryStore(new, old)
    with override_delivery_store(store):
        yield store


@pytest.fixture
def file(db, old, both):
    """Hand in a file that only the old store has."""
    with override_delivery_store(old):
        return Delivery.begin().add_file("essay.txt", "old content")


def content_in(store, file):
    with store.read_open(file) as opened:
        return opened.read()


def test_what_only_the_old_store_has_is_read_from_there(both, new, file):
    assert both.exists(file)
    assert not new.exists(file)
    assert file.get_all_data_as_string() == b"old content"
    with both.read_range(file, 4, 3) as part:
        assert part.read() == b"con"


def test_the_name_of_a_file_leads_to_it_wherever_it_is(both, new, old, file):
    assert both.name_of(file) == old.name_of(file) != new.name_of(file)
    assert both.size(both.name_of(file)) == 11
    assert both.path(both.name_of(file)) == old.path(old.name_of(file))
    assert both.get_modified_time(both.name_of(file))

    file.restore_from(old)

    assert both.name_of(file) == new.name_of(file)
    assert both.path(both.name_of(file)) == new.path(new.name_of(file))


def test_what_both_have_is_read_from_the_new_store(both, new, file):
    with new.write_open(file) as opened:
        opened.write("new content")

    assert content_in(both, file) == b"new content"


def test_what_is_written_goes_to_the_new_store_only(both, new, old, file):
    added = file.delivery.add_file("other.txt", "more")

    assert new.exists(added)
    assert not old.exists(added)


@pytest.mark.parametrize("holders", [["old"], ["new"], ["old", "new"]])
def test_what_is_removed_is_removed_from_both(both, new, old, db, holders):
    file = FileMeta(pk=7, delivery_id=5)
    for name in holders:
        with {"old": old, "new": new}[name].write_open(file) as opened:
            opened.write("content")

    both.remove(file)

    assert not new.exists(file)
    assert not old.exists(file)
    with pytest.raises(FileNotFound, match="FsHierDeliveryStore"):
        both.remove(file)


def test_a_copy_is_made_in_the_new_store(both, new, file):
    copy = file.copy(Delivery.begin())

    assert content_in(new, copy) == b"old content"


def test_bytes_of_a_lost_row_in_the_old_store_are_not_hidden(both, old, new, file):
    taken = FileMeta(pk=file.pk + 1, delivery_id=file.delivery_id)
    with old.write_open(taken) as opened:
        opened.write("of a lost row")

    added = file.delivery.add_file("other.txt", "content")

    assert added.stored_as
    assert added.get_all_data_as_string() == b"content"
    assert content_in(old, taken) == b"of a lost row"


def test_a_name_that_the_old_store_has_is_not_given_again(both, old):
    old.save("essay.txt", ContentFile(b"old"))

    name = both.save("essay.txt", ContentFile(b"new"))

    assert name != "essay.txt"
    with pytest.raises(FileExists):
        both.open("essay.txt", "xb")


def test_appending_begins_with_what_the_old_store_has(both, old, new):
    old.save("log.txt", ContentFile(b"one "))

    with both.open("log.txt", "ab") as opened:
        opened.write(b"two")

    assert content_in(new, "log.txt") == b"one two"


def test_a_list_shows_what_is_in_either(both, old, new):
    old.save("one/a.txt", ContentFile(b""))
    new.save("one/b.txt", ContentFile(b""))
    new.save("two/c.txt", ContentFile(b""))

    assert both.listdir("one") == ([], ["a.txt", "b.txt"])
    assert both.listdir("two") == ([], ["c.txt"])


def test_a_walk_and_leftovers_are_those_of_the_new_store(both, old, new):
    old.save("a.txt", ContentFile(b""))
    new.save("b.txt", ContentFile(b""))

    assert [entry.name for entry in both.walk()] == ["b.txt"]


def test_broken_writes_are_those_of_the_new_store(both, new, old):
    for store in (old, new):
        path = Path(store.location) / ".deliverystore-1"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    tomorrow = timezone.now() + timedelta(days=1)

    found = list(both.leftovers(tomorrow))
    for name in found:
        both.remove_leftover(name)

    assert found == [".deliverystore-1"]
    assert list(new.leftovers(tomorrow)) == []
    assert list(old.leftovers(tomorrow)) == [".deliverystore-1"]


def test_a_file_is_named_as_in_the_new_store(both, new, old):
    file = FileMeta(pk=7, delivery_id=5)

    assert both.get_name(file) == new.get_name(file) != old.get_name(file)
    assert both.get_valid_name("a b?.txt") == new.get_valid_name("a b?.txt")


def test_url_and_times_are_those_of_the_store_that_has_the_file(tmp_path):
    first, second = (
        FsDeliveryStore(tmp_path / name, base_url=f"/{name}/")
        for name in ("new", "old")
    )
    both = FallbackDeliveryStore(first, second)
    second.save("a.txt", ContentFile(b""))
    first.save("b.txt", ContentFile(b""))
    os.utime(second.path("a.txt"), (1_000_000, 2_000_000))

    assert both.url("a.txt") == "/old/a.txt"
    assert both.url("b.txt") == "/new/b.txt"
    assert both.get_accessed_time("a.txt").timestamp() == 1_000_000
    assert both.get_modified_time("a.txt").timestamp() == 2_000_000
    assert both.get_created_time("a.txt") == second.get_created_time("a.txt")
    assert both.get_created_time("b.txt") == first.get_created_time("b.txt")
    with pytest.raises(FileNotFoundError, match=r"new/c\.txt"):
        both.get_created_time("c.txt")


def test_an_error_that_is_not_a_missing_file_is_not_hidden(both, new, file):
    class Broken(FsHierDeliveryStore):
        def _open(self, name, mode="rb"):
            raise PermissionError(name)

    with pytest.raises(PermissionError):
        FallbackDeliveryStore(Broken(new.location), both.second).read_open(file)


def test_a_file_that_neither_has_is_missing_in_the_words_of_the_new(both):
    with pytest.raises(FileNotFound, match="FsHierDeliveryStore has no '0/0/5/7'"):
        both.read_open(FileMeta(pk=7, delivery_id=5))


def test_the_store_without_the_fallback_is_the_new_one(both, new, old):
    assert without_fallback(both) is new
    assert without_fallback(old) is old
