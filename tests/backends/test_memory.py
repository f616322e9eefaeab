"""MemoryDeliveryStore as a Django storage."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.utils import timezone

from deliverystore.backends import MemoryDeliveryStore


@pytest.fixture
def store():
    return MemoryDeliveryStore()


def test_two_stores_share_nothing(store):
    store.save("essay.txt", ContentFile(b"content"))

    assert not MemoryDeliveryStore().exists("essay.txt")


def test_str_content_is_saved_as_utf8(store):
    name = store.save("essay.txt", ContentFile("Grüße"))

    assert store.open(name).read() == "Grüße".encode()
    assert store.size(name) == 7


def test_folders_and_files_are_told_apart(store):
    for name in ["b.txt", "a.txt", "folder/c.txt", "folder/deeper/d.txt", "other/e"]:
        store.save(name, ContentFile(b""))

    assert store.listdir("") == (["folder", "other"], ["a.txt", "b.txt"])
    assert store.listdir("folder/") == (["deeper"], ["c.txt"])
    assert store.listdir("missing") == ([], [])


@pytest.mark.parametrize("path", ["..", "../..", "/", "a/../.."])
def test_a_folder_outside_is_refused(store, path):
    with pytest.raises(SuspiciousFileOperation):
        store.listdir(path)


def test_an_open_file_does_not_change_when_its_name_does(store):
    name = store.save("essay.txt", ContentFile(b"old"))
    with store.open(name) as old:
        with store.open(name, "wb") as new:
            new.write(b"new")
        assert old.read() == b"old"


def test_the_times_of_a_file_tell_when_it_came_and_when_it_changed(store):
    start = timezone.now()
    with store.write_open("essay.txt") as file:
        file.write(b"old")
    created = store.get_created_time("essay.txt")
    with store.write_open("essay.txt") as file:
        file.write(b"new")

    assert store.get_created_time("essay.txt") == created
    assert start <= created < store.get_modified_time("essay.txt") <= timezone.now()
    assert store.get_accessed_time("essay.txt") >= created


def test_times_are_naive_local_times_without_time_zones(store, settings):
    settings.USE_TZ = False
    store.save("essay.txt", ContentFile(b""))
    moment = store.get_modified_time("essay.txt")

    assert timezone.is_naive(moment)
    assert abs(moment - datetime.now()) < timedelta(seconds=30)  # noqa: DTZ005


@pytest.mark.parametrize("method", ["size", "get_modified_time", "get_created_time"])
def test_a_missing_file_has_neither_size_nor_times(store, method):
    with pytest.raises(FileNotFoundError):
        getattr(store, method)("missing.txt")


def test_there_is_neither_url_nor_path(store):
    store.save("essay.txt", ContentFile(b""))

    with pytest.raises(ValueError, match="URL"):
        store.url("essay.txt")
    with pytest.raises(NotImplementedError):
        store.path("essay.txt")


def test_an_empty_name_cannot_be_deleted(store):
    with pytest.raises(ValueError, match="name must be given"):
        store.delete("")
