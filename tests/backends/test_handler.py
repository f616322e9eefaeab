"""Which store the settings choose, and when they are read."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.test import override_settings

from deliverystore.backends import (
    DeliveryStoreInterface,
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
    FsHierDeliveryStore,
    MemoryDeliveryStore,
    default_store,
)
from deliverystore.backends.handler import load_store
from deliverystore.exceptions import SettingInvalid


def backend(name):
    return override_settings(DELIVERY_STORE_BACKEND=f"deliverystore.backends.{name}")


@pytest.mark.parametrize(
    "cls",
    [
        FsDeliveryStore,
        FsHierDeliveryStore,
        MemoryDeliveryStore,
        DjangoStorageDeliveryStore,
    ],
)
def test_the_setting_names_the_class(cls):
    with backend(cls.__name__):
        assert type(load_store()) is cls
        assert isinstance(default_store, cls)


def test_the_default_is_fshier(settings):
    assert isinstance(default_store, FsHierDeliveryStore)
    assert isinstance(default_store, DeliveryStoreInterface)


def test_the_default_store_is_made_once_and_again_after_a_change():
    with backend("MemoryDeliveryStore"):
        default_store.save("essay.txt", ContentFile(b"content"))
        assert default_store.exists("essay.txt")
        with override_settings(DELIVERY_STORE_ROOT="elsewhere"):
            assert not default_store.exists("essay.txt")
    with backend("FsDeliveryStore"):
        assert isinstance(default_store, FsDeliveryStore)


def test_the_default_store_keeps_what_it_has_when_other_settings_change():
    with backend("MemoryDeliveryStore"):
        default_store.save("essay.txt", ContentFile(b"content"))
        with override_settings(DEBUG=True):
            assert default_store.exists("essay.txt")


def test_the_root_is_that_of_the_moment(tmp_path):
    for folder in (tmp_path / "one", tmp_path / "two"):
        with override_settings(DELIVERY_STORE_ROOT=folder):
            default_store.save("essay.txt", ContentFile(b"content"))

        assert (folder / "essay.txt").exists()


def test_another_alias_is_used_when_storages_change(settings):
    with backend("DjangoStorageDeliveryStore"):
        settings.DELIVERY_STORE_ROOT = "prefix"
        settings.DELIVERY_STORE_STORAGE = "files"
        settings.STORAGES = {
            **settings.STORAGES,
            "files": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        }

        assert isinstance(default_store.storage, InMemoryStorage)
        assert default_store.root == "prefix"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.Store", "DELIVERY_STORE_BACKEND: No module named 'nowhere'"),
        ("deliverystore.backends.Nothing", 'does not define a "Nothing"'),
        ("Store", "DELIVERY_STORE_BACKEND: Store doesn't look like a module path"),
        ("", "DELIVERY_STORE_BACKEND"),
        (None, "DELIVERY_STORE_BACKEND"),
        ("django.core.files.storage.FileSystemStorage", "is no subclass of Delivery"),
        ("deliverystore.backends.default_store", "is no subclass of DeliveryStore"),
        ("os.getcwd", "is no subclass of DeliveryStoreInterface"),
    ],
)
def test_a_wrong_setting_is_named_by_the_error(settings, path, message):
    settings.DELIVERY_STORE_BACKEND = path

    with pytest.raises(SettingInvalid, match=message):
        default_store.exists("essay.txt")


class NeedsArguments(MemoryDeliveryStore):
    def __init__(self, place):
        super().__init__()


def test_a_class_that_needs_arguments_is_named_by_the_error(settings):
    settings.DELIVERY_STORE_BACKEND = f"{__name__}.NeedsArguments"

    with pytest.raises(SettingInvalid, match="cannot be made without arguments"):
        load_store()
