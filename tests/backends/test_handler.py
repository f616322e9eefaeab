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
from deliverystore.backends.fallback import without_fallback
from deliverystore.backends.handler import load_store, store_for
from deliverystore.backends.probing import are_the_same
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


FS = "deliverystore.backends.FsDeliveryStore"


@pytest.fixture
def aliases(settings, tmp_path):
    """Have some more storages in the settings."""
    folder = {"location": str(tmp_path / "plain")}
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = {
        **settings.STORAGES,
        "ours": {"BACKEND": FS, "OPTIONS": {"root": tmp_path / "ours"}},
        "plain": {**plain, "OPTIONS": folder},
        "twin": {**plain, "OPTIONS": folder},
        "in use": {"BACKEND": "deliverystore.backends.FsHierDeliveryStore"},
        "lost": {"BACKEND": "nowhere.Store"},
        "odd": {"BACKEND": FS, "OPTIONS": {"colour": "red"}},
    }
    return settings


def test_an_alias_of_a_delivery_store_is_that_store(aliases, tmp_path):
    store = store_for("ours")

    assert type(store) is FsDeliveryStore
    assert store.location == str(tmp_path / "ours")


def test_an_alias_of_another_storage_is_wrapped_without_the_prefix_in_use(aliases):
    aliases.DELIVERY_STORE_ROOT = "prefix"
    store = store_for("plain")

    store.save("essay.txt", ContentFile(b"content"))

    assert type(store) is DjangoStorageDeliveryStore
    assert store.storage.exists("essay.txt")


@pytest.mark.parametrize(
    ("alias", "message"),
    [
        (
            "nothing",
            "STORAGES has no 'nothing'; it has: default, .*, ours",
        ),
        (["ours"], "STORAGES has no"),
        ("lost", "STORAGES.'lost'.: .*nowhere"),
        ("odd", "STORAGES.'odd'.: .*colour"),
    ],
)
def test_an_alias_that_leads_nowhere_is_named_by_the_error(aliases, alias, message):
    with pytest.raises(SettingInvalid, match=message):
        store_for(alias)


def test_the_fallback_is_asked_for_what_the_store_in_use_does_not_have(aliases):
    store_for("plain").save("essay.txt", ContentFile(b"content"))
    assert not default_store.exists("essay.txt")

    aliases.DELIVERY_STORE_FALLBACK = "plain"

    assert default_store.open("essay.txt").read() == b"content"
    assert isinstance(without_fallback(default_store), FsHierDeliveryStore)
    aliases.DELIVERY_STORE_FALLBACK = None
    assert not default_store.exists("essay.txt")


def test_a_wrong_fallback_is_named_by_the_error(aliases):
    aliases.DELIVERY_STORE_FALLBACK = "nothing"

    with pytest.raises(SettingInvalid, match="DELIVERY_STORE_FALLBACK: STORAGES has"):
        default_store.exists("essay.txt")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ours", "ours", True),
        ("plain", "twin", True),
        ("ours", "plain", False),
        ("default", "default", True),
        ("default", "plain", False),
    ],
)
def test_stores_in_one_place_are_the_same(aliases, one, other, same):
    assert are_the_same(store_for(one), store_for(other)) is same


def test_an_alias_that_takes_its_folder_from_the_settings_is_the_store_in_use(aliases):
    assert are_the_same(store_for("in use"), default_store)
    aliases.DELIVERY_STORE_FALLBACK = "ours"
    assert are_the_same(store_for("in use"), without_fallback(default_store))
    assert not are_the_same(MemoryDeliveryStore(), MemoryDeliveryStore())
