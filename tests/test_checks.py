"""System checks, each by its id."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks

from deliverystore.backends import MemoryDeliveryStore


class NeedsAnArgument(MemoryDeliveryStore):
    def __init__(self, argument):
        super().__init__()


def found():
    """Return the ids of what the checks find, after looking at the hints."""
    messages = [m for m in run_checks() if (m.id or "").startswith("deliverystore.")]
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_the_defaults_with_a_folder_are_right():
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BACKEND", "nowhere.Store", "E001"),
        ("BACKEND", "deliverystore.backends.NoStore", "E001"),
        ("BACKEND", "nodots", "E001"),
        ("BACKEND", "", "E001"),
        ("BACKEND", "pathlib.Path", "E001"),
        ("BACKEND", "tests.test_checks.NeedsAnArgument", "E001"),
        ("BACKEND", "deliverystore.backends.MemoryDeliveryStore", "W001"),
        ("ROOT", None, "E002"),
        ("ROOT", "", "E002"),
        ("ROOT", "not/absolute", "E002"),
        ("ROOT", 5, "E002"),
        ("ROOT", __file__, "E002"),
        ("INTERVAL", 0, "E003"),
        ("INTERVAL", 10.5, "E003"),
        ("INTERVAL", "1000", "E003"),
        ("DIGEST", "md5", "E005"),
        ("DURABILITY", "some", "E006"),
        ("MAX_FILE_BYTES", -1, "E007"),
        ("MAX_DELIVERY_BYTES", "10 MB", "E007"),
        ("MAX_FILES", True, "E007"),
        ("USER_QUOTA_BYTES", 1.5, "E007"),
        ("ALLOWED_EXTENSIONS", ".pdf", "E008"),
        ("ALLOWED_EXTENSIONS", ["pdf"], "E008"),
        ("ALLOWED_EXTENSIONS", [".PDF"], "E008"),
        ("ALLOWED_TYPES", "image/png", "E009"),
        ("ALLOWED_TYPES", ["png"], "E009"),
        ("ALLOWED_TYPES", [5], "E009"),
        ("ABANDON_AFTER", 7, "E011"),
        ("GRACE", "1 day", "E011"),
        ("UPLOAD_ROOT", "", "E012"),
        ("UPLOAD_ROOT", "not/absolute", "E012"),
        ("UPLOAD_ROOT", 5, "E012"),
        ("UPLOAD_ROOT", __file__, "E012"),
    ],
)
def test_a_wrong_setting_is_found(settings, name, value, expected):
    setattr(settings, f"DELIVERY_STORE_{name}", value)

    assert found() == [f"deliverystore.{expected}"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("STORAGE", "nowhere", "E004"),
        ("STORAGE", "wrapped", "E004"),
        ("ROOT", "/absolute", "E002"),
    ],
)
def test_a_wrong_setting_of_a_wrapped_storage_is_found(settings, name, value, expected):
    wrapper = "deliverystore.backends.DjangoStorageDeliveryStore"
    settings.DELIVERY_STORE_BACKEND = wrapper
    settings.DELIVERY_STORE_ROOT = None
    settings.STORAGES = {**settings.STORAGES, "wrapped": {"BACKEND": wrapper}}
    assert found() == []

    setattr(settings, f"DELIVERY_STORE_{name}", value)

    assert found() == [f"deliverystore.{expected}"]


@pytest.mark.parametrize(
    ("module", "name", "value", "expected"),
    [
        ("puremagic", "ALLOWED_TYPES", ["image/*"], "E010"),
        ("blake3", "DIGEST", "blake3", "E005"),
    ],
)
def test_a_missing_extra_is_found(settings, monkeypatch, module, name, value, expected):
    setattr(settings, f"DELIVERY_STORE_{name}", value)
    assert found() == []

    monkeypatch.setitem(sys.modules, module, None)

    assert found() == [f"deliverystore.{expected}"]


def test_right_settings_are_right(settings):
    settings.DELIVERY_STORE_MAX_FILE_BYTES = 0
    settings.DELIVERY_STORE_ALLOWED_EXTENSIONS = (".pdf", ".tar")
    settings.DELIVERY_STORE_ALLOWED_TYPES = {"image/*"}
    settings.DELIVERY_STORE_UPLOAD_ROOT = Path(__file__).parent

    assert found() == []


def test_a_missing_extra_of_a_wrapped_storage_is_named(settings, monkeypatch):
    settings.DELIVERY_STORE_BACKEND = (
        "deliverystore.backends.DjangoStorageDeliveryStore"
    )
    settings.DELIVERY_STORE_ROOT = None
    settings.STORAGES = {"default": {"BACKEND": "storages.backends.s3.S3Storage"}}
    for module in [name for name in sys.modules if name.startswith("storages")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "storages", None)

    [message] = [m for m in run_checks() if m.id == "deliverystore.E004"]

    assert "deliverystore[s3]" in message.msg
