"""Delivery stores as the storage of FileFields, in migrations and in STORAGES."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage, storages
from django.db.migrations.writer import MigrationWriter

from deliverystore.backends import (
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
    FsHierDeliveryStore,
    MemoryDeliveryStore,
)
from tests.recipients.models import Attachment, store_of_the_settings


@pytest.fixture
def attachment(db):
    return Attachment()


def test_a_field_saves_opens_and_deletes(attachment, delivery_store_root):
    attachment.plain.save("essay.txt", ContentFile(b"content"))
    attachment = Attachment.objects.get()

    assert attachment.plain.name == "plain/essay.txt"
    assert attachment.plain.path == str(delivery_store_root / "plain" / "essay.txt")
    assert attachment.plain.size == 7
    assert attachment.plain.read() == b"content"
    attachment.plain.close()

    attachment.plain.delete()
    assert not Attachment.objects.get().plain
    assert not (delivery_store_root / "plain" / "essay.txt").exists()


def test_two_files_of_one_name_are_both_kept(attachment):
    other = Attachment()
    attachment.plain.save("essay.txt", ContentFile(b"first"))
    other.plain.save("essay.txt", ContentFile(b"second"))

    assert attachment.plain.name != other.plain.name
    with attachment.plain.open() as first, other.plain.open() as second:
        assert (first.read(), second.read()) == (b"first", b"second")


def test_a_name_is_cut_to_what_the_field_takes(attachment):
    other = Attachment()
    for one in (attachment, other):
        one.short.save("a" * 50 + ".txt", ContentFile(b""))

    assert len(attachment.short.name) == len(other.short.name) == 30
    assert attachment.short.url == f"/files/{attachment.short.name}"


def test_a_field_opened_for_writing_is_published_at_its_close(attachment):
    attachment.plain.save("essay.txt", ContentFile(b"old"))

    with attachment.plain.open("wb") as file:
        file.write(b"new")
        assert Path(attachment.plain.path).read_bytes() == b"old"

    assert Path(attachment.plain.path).read_bytes() == b"new"


def test_the_storage_can_be_a_callable(attachment, delivery_store_root):
    attachment.chosen.save("essay.txt", ContentFile(b"content"))

    assert (delivery_store_root / "essay.txt").read_bytes() == b"content"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("plain", "deliverystore.backends.FsDeliveryStore()"),
        ("hierarchic", "deliverystore.backends.FsHierDeliveryStore(interval=10)"),
        ("short", "deliverystore.backends.FsDeliveryStore(base_url='/files/')"),
        ("chosen", "tests.recipients.models.store_of_the_settings"),
    ],
)
def test_a_migration_names_the_store_as_it_was_made(field, expected):
    written, imports = MigrationWriter.serialize(Attachment._meta.get_field(field))

    assert f"storage={expected}" in written
    assert f"import {expected.partition('(')[0].rpartition('.')[0]}" in imports


@pytest.mark.parametrize(
    "store",
    [
        FsDeliveryStore("/srv/files", durability="none", allow_overwrite=True),
        FsHierDeliveryStore(Path("/srv/files"), 10, file_permissions_mode=0o600),
        MemoryDeliveryStore(),
        DjangoStorageDeliveryStore("prefix", "default"),
    ],
    ids=lambda store: type(store).__name__,
)
def test_a_store_is_remade_from_what_deconstruct_says(store):
    path, args, kwargs = store.deconstruct()

    assert path == f"deliverystore.backends.{type(store).__name__}"
    assert type(store)(*args, **kwargs).deconstruct() == (path, args, kwargs)


def test_each_callable_is_asked_for_a_store():
    assert store_of_the_settings().deconstruct()[1:] == ((), {})


@pytest.fixture
def alias(settings):
    def configure(backend, **options):
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {
                "BACKEND": f"deliverystore.backends.{backend}",
                "OPTIONS": options,
            },
        }
        return storages["default"]

    return configure


def test_fs_is_a_backend_of_storages(alias, tmp_path):
    alias("FsDeliveryStore", root=tmp_path, base_url="/media/", durability="none")
    name = default_storage.save("essay.txt", ContentFile(b"content"))

    assert (tmp_path / "essay.txt").read_bytes() == b"content"
    assert default_storage.url(name) == "/media/essay.txt"
    assert isinstance(default_storage, FileSystemStorage)


def test_fshier_is_a_backend_of_storages(alias, tmp_path):
    store = alias("FsHierDeliveryStore", root=tmp_path, interval=10)

    assert store.get_path_from_deliveryid(105) == "1/0"
    assert store.path("a") == str(tmp_path / "a")


def test_memory_is_a_backend_of_storages(alias):
    alias("MemoryDeliveryStore")
    name = default_storage.save("essay.txt", ContentFile(b"content"))

    assert default_storage.open(name).read() == b"content"


def test_a_wrapper_is_a_backend_of_storages(alias, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "disk": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }
    alias("DjangoStorageDeliveryStore", root="prefix", storage="disk")
    default_storage.save("essay.txt", ContentFile(b"content"))

    assert (tmp_path / "prefix" / "essay.txt").read_bytes() == b"content"
