"""System checks, each by its id."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks

from deliverystore.backends import MemoryDeliveryStore
from deliverystore.publishing import registry as media_registry

# Django's own checks ask the database what it can do.
pytestmark = pytest.mark.django_db


class NeedsAnArgument(MemoryDeliveryStore):
    def __init__(self, argument):
        super().__init__()


@pytest.fixture(autouse=True)
def nothing_is_published(monkeypatch):
    """What is public is looked at if there is a media processor only."""
    monkeypatch.setattr(media_registry, "_registered", [])


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
        ("BACKEND", b"bytes", "E001"),
        ("BACKEND", "tests.test_checks.NeedsAnArgument", "E001"),
        ("BACKEND", "deliverystore.backends.MemoryDeliveryStore", "W001"),
        ("ROOT", None, "E002"),
        ("ROOT", "", "E002"),
        ("ROOT", "not/absolute", "E002"),
        ("ROOT", 5, "E002"),
        ("ROOT", __file__, "E002"),
        ("ROOT", f"{__file__}/below", "E002"),
        ("ROOT", "/nu\x00l", "E002"),
        ("INTERVAL", 0, "E003"),
        ("INTERVAL", 10.5, "E003"),
        ("INTERVAL", "1000", "E003"),
        ("DIGEST", "md5", "E005"),
        ("DIGEST", ["sha256"], "E005"),
        ("DURABILITY", "some", "E006"),
        ("MAX_FILE_BYTES", -1, "E007"),
        ("MAX_DELIVERY_BYTES", "10 MB", "E007"),
        ("MAX_FILES", True, "E007"),
        ("USER_QUOTA_BYTES", 1.5, "E007"),
        ("ALLOWED_EXTENSIONS", ".pdf", "E008"),
        ("ALLOWED_EXTENSIONS", ["pdf"], "E008"),
        ("ALLOWED_EXTENSIONS", [".PDF"], "E008"),
        ("ALLOWED_EXTENSIONS", [".tar.gz"], "E008"),
        ("ALLOWED_EXTENSIONS", [".*"], "E008"),
        ("ALLOWED_EXTENSIONS", ["."], "E008"),
        ("ALLOWED_TYPES", "image/png", "E009"),
        ("ALLOWED_TYPES", ["png"], "E009"),
        ("ALLOWED_TYPES", [5], "E009"),
        ("ALLOWED_TYPES", ["Image/PNG"], "E009"),
        ("ABANDON_AFTER", 7, "E011"),
        ("GRACE", "1 day", "E011"),
        ("KEEP_EXPORTS", 7, "E011"),
        ("UPLOAD_ROOT", "", "E012"),
        ("UPLOAD_ROOT", "not/absolute", "E012"),
        ("UPLOAD_ROOT", 5, "E012"),
        ("UPLOAD_ROOT", __file__, "E012"),
        ("DATACENTER_ROOT", "", "E014"),
        ("DATACENTER_ROOT", "not/absolute", "E014"),
        ("DATACENTER_ROOT", __file__, "E014"),
        ("DATACENTER_STORAGE", "nowhere", "E015"),
        ("DATACENTER_MAX_FILE_BYTES", "1 MB", "E007"),
        ("DATACENTER_MAX_WAITING", -1, "E007"),
        ("DATACENTER_MAX_NAME_BYTES", 0, "E016"),
        ("DATACENTER_MAX_NAME_BYTES", 201, "E016"),
        ("DATACENTER_MAX_NAME_BYTES", None, "E016"),
        ("SPOOLS", ["/srv/spool"], "E018"),
        ("SPOOLS", {"scans": "not/absolute"}, "E018"),
        ("SPOOLS", {"scans": __file__}, "E018"),
        ("SPOOLS", {"scans": None}, "E018"),
        ("SPOOLS", {"": "/srv/spool"}, "E018"),
        ("SPOOLS", {"a/b": "/srv/spool"}, "E018"),
        ("SPOOLS", {5: "/srv/spool"}, "E018"),
        ("SPOOLS", {"a": "/srv/spool", "b": "/srv/spool/b"}, "E017"),
        ("KVSTORES", ["/srv/kvstore"], "E019"),
        ("KVSTORES", {"artefacts": "not/absolute"}, "E019"),
        ("KVSTORES", {"a/b": "/srv/kvstore"}, "E019"),
        ("KVSTORES", {"a": "/srv/kvstore", "b": "/srv/kvstore/b"}, "E017"),
        ("FALLBACK", "nowhere", "E013"),
        ("FALLBACK", "", "E013"),
        ("FALLBACK", ["default"], "E013"),
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
        ("STORAGE", 5, "E004"),
        ("STORAGE", "misspelled", "E004"),
        ("ROOT", "/absolute", "E002"),
        ("ROOT", "../outside", "E002"),
        ("ROOT", 5, "E002"),
        ("ROOT", b"bytes", "E002"),
    ],
)
def test_a_wrong_setting_of_a_wrapped_storage_is_found(settings, name, value, expected):
    wrapper = "deliverystore.backends.DjangoStorageDeliveryStore"
    settings.DELIVERY_STORE_BACKEND = wrapper
    settings.DELIVERY_STORE_ROOT = None
    folder = "django.core.files.storage.FileSystemStorage"
    settings.STORAGES = {
        **settings.STORAGES,
        "wrapped": {"BACKEND": wrapper},
        "misspelled": {"BACKEND": folder, "OPTIONS": {"no_such_option": 1}},
    }
    assert found() == []

    setattr(settings, f"DELIVERY_STORE_{name}", value)

    assert found() == [f"deliverystore.{expected}"]


def test_a_fallback_to_the_store_in_use_is_found(settings, tmp_path):
    backend = {"BACKEND": "deliverystore.backends.FsHierDeliveryStore"}
    other = {**backend, "OPTIONS": {"root": tmp_path / "other"}}
    settings.STORAGES = {**settings.STORAGES, "same": backend, "other": other}

    settings.DELIVERY_STORE_FALLBACK = "other"
    assert found() == []

    settings.DELIVERY_STORE_FALLBACK = "same"
    assert found() == ["deliverystore.E013"]


@pytest.mark.parametrize("name", ["UPLOAD_ROOT", "DATACENTER_ROOT"])
@pytest.mark.parametrize("where", [".", "below", "..", "link"])
def test_a_folder_in_another_is_found(settings, delivery_store_root, name, where):
    delivery_store_root.mkdir()
    (delivery_store_root.parent / "link").symlink_to(delivery_store_root)
    settings.DELIVERY_STORE_ROOT = delivery_store_root.parent / "link"
    setattr(settings, f"DELIVERY_STORE_{name}", f"{delivery_store_root}-2")
    assert found() == []

    folder = delivery_store_root.parent / "link" if where == "link" else where
    setattr(settings, f"DELIVERY_STORE_{name}", delivery_store_root / folder)
    assert found() == ["deliverystore.E017"]


def test_a_fallback_in_the_folder_of_the_store_is_found(settings, delivery_store_root):
    folder = "django.core.files.storage.FileSystemStorage"
    below = {"BACKEND": folder, "OPTIONS": {"location": delivery_store_root / "old"}}
    settings.STORAGES = {**settings.STORAGES, "old": below}
    settings.DELIVERY_STORE_FALLBACK = "old"

    assert found() == ["deliverystore.E017"]


FILES = "django.core.files.storage.FileSystemStorage"


def folder(location):
    return {"BACKEND": FILES, "OPTIONS": {"location": location}}


@pytest.mark.parametrize("name", ["WORKBENCH_ROOT", "UPLOAD_ROOT", "values"])
def test_what_is_private_must_not_be_below_media_root(settings, tmp_path, name):
    settings.MEDIA_ROOT = tmp_path / "media"
    for place, expected in {"private": [], "media/x": ["deliverystore.E031"]}.items():
        if name == "values":
            settings.STORAGES = {**settings.STORAGES, name: folder(tmp_path / place)}
        else:
            setattr(settings, f"DELIVERY_STORE_{name}", tmp_path / place)

        assert found() == expected


@pytest.mark.parametrize("place", ["deliveries/values", ".", "deliveries"])
def test_values_in_the_folder_of_something_else_are_found(settings, tmp_path, place):
    settings.STORAGES = {**settings.STORAGES, "values": folder(tmp_path / place)}

    assert found() == ["deliverystore.E017"]


@pytest.mark.parametrize(
    "values",
    [
        {"BACKEND": "nowhere.Storage"},
        {"BACKEND": FILES, "OPTIONS": {"no_such_option": 1}},
        {"BACKEND": FILES},
    ],
)
def test_a_storage_for_values_that_cannot_be_used_is_found(settings, values):
    settings.STORAGES = {**settings.STORAGES, "values": values}

    assert found() == ["deliverystore.E040"]


def test_a_public_storage_for_values_is_found(settings):
    settings.DELIVERY_STORE_PUBLIC_STORAGE = "values"

    assert found() == ["deliverystore.E040"]


def test_who_keeps_no_values_needs_no_storage_for_them(settings):
    settings.STORAGES = {"default": settings.STORAGES["default"]}

    assert found() == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SPOOL", "Write DELIVERY_STORE_SPOOLS, or remove it."),
        ("DATACENTRE_ROOT", "Write DELIVERY_STORE_DATACENTER_ROOT, or remove it."),
        ("MEDIA_ROOT", "Write MEDIA_ROOT, which is Django's, or remove it."),
        ("X", "Remove it: no setting has a name like this."),
    ],
)
def test_a_name_that_is_no_setting_is_found(settings, name, hint):
    setattr(settings, f"DELIVERY_STORE_{name}", "/srv/spools")

    [message] = [m for m in run_checks() if m.id == "deliverystore.W002"]
    assert message.msg == f"DELIVERY_STORE_{name} is no setting."
    assert message.hint == hint
    assert not message.is_serious()


def test_a_data_center_in_a_storage_is_in_no_folder(settings):
    settings.DELIVERY_STORE_DATACENTER_STORAGE = "default"
    settings.DELIVERY_STORE_DATACENTER_ROOT = "tables"
    settings.DELIVERY_STORE_UPLOAD_ROOT = "/tables"

    assert found() == []


def test_a_fault_of_the_store_is_not_said_once_more_of_the_fallback(settings):
    backend = {"BACKEND": "deliverystore.backends.FsHierDeliveryStore"}
    settings.STORAGES = {**settings.STORAGES, "same": backend}
    settings.DELIVERY_STORE_FALLBACK = "same"
    settings.DELIVERY_STORE_ROOT = None

    assert found() == ["deliverystore.E002"]


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


def test_the_prefix_of_a_data_center_in_a_storage_cannot_begin_with_a_slash(settings):
    settings.DELIVERY_STORE_DATACENTER_STORAGE = "default"
    settings.DELIVERY_STORE_DATACENTER_ROOT = "tables"
    assert found() == []

    settings.DELIVERY_STORE_DATACENTER_ROOT = "/tables"

    assert found() == ["deliverystore.E014"]


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
