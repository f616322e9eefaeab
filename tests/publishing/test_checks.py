"""What the system checks say of publishing."""

from __future__ import annotations

import sys

import pytest
from django.core.checks import run_checks

from deliverystore.publishing import MediaProcessor, PictureProcessor

FILES = "django.core.files.storage.FileSystemStorage"


def found():
    return [m.id for m in run_checks() if m.id.startswith("deliverystore.")]


def test_what_is_right_is_right(media, processor):
    assert found() == []


def test_a_public_storage_must_be_in_storages(settings):
    settings.DELIVERY_STORE_PUBLIC_STORAGE = "gone"

    assert found() == ["deliverystore.E030"]


@pytest.mark.parametrize(
    ("storage", "told"),
    [
        ({"BACKEND": "nowhere.Storage"}, "No module named 'nowhere'"),
        ({"BACKEND": "storages.backends.gone.Storage"}, "deliverystore[s3]"),
        ({"BACKEND": FILES, "OPTIONS": {"folder": "media"}}, "argument 'folder'"),
    ],
)
@pytest.mark.parametrize("name", ["PUBLIC", "DATACENTER"])
def test_a_storage_that_cannot_be_made_is_named_with_the_reason(
    settings, processor, name, storage, told
):
    settings.STORAGES = {**settings.STORAGES, "broken": storage}
    setattr(settings, f"DELIVERY_STORE_{name}_STORAGE", "broken")
    if name == "DATACENTER":
        settings.DELIVERY_STORE_DATACENTER_ROOT = ""

    [message] = [m for m in run_checks() if m.id.startswith("deliverystore.E")]

    assert message.id == f"deliverystore.E0{30 if name == 'PUBLIC' else 15}"
    assert message.msg.startswith(f"DELIVERY_STORE_{name}_STORAGE: STORAGES['broken']")
    assert told in message.msg


def test_who_publishes_nothing_needs_no_public_storage(settings, processor):
    from deliverystore.publishing import registry

    registry._registered.clear()
    broken = {"BACKEND": "nowhere.Storage"}
    settings.STORAGES = {**settings.STORAGES, "broken": broken}
    settings.DELIVERY_STORE_PUBLIC_STORAGE = "broken"

    assert found() == []


@pytest.mark.parametrize("root", ["benches", 7, ""])
def test_a_workbench_must_have_an_absolute_folder(settings, root):
    settings.DELIVERY_STORE_WORKBENCH_ROOT = root

    assert found() == ["deliverystore.E032"]


@pytest.mark.parametrize("public", ["deliveries/public", "deliveries", "."])
def test_what_is_public_must_not_be_where_the_private_files_are(
    settings, media, tmp_path, processor, public
):
    settings.STORAGES["media"]["OPTIONS"] = {"location": tmp_path / public}
    settings.STORAGES = {**settings.STORAGES}
    settings.DELIVERY_STORE_WORKBENCH_ROOT = None

    assert found() == ["deliverystore.E031"]


@pytest.mark.parametrize("folder", ["media", "media/work", "deliveries", "."])
def test_a_workbench_is_in_no_other_folder(settings, media, processor, folder):
    settings.DELIVERY_STORE_WORKBENCH_ROOT = media.parent / folder

    assert set(found()) <= {"deliverystore.E017", "deliverystore.E031"}
    assert found()


@pytest.mark.parametrize("store", ["deliveries", "tables", "both"])
def test_a_bucket_for_what_is_private_and_what_is_public_is_told(
    settings, processor, store
):
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "bucket": memory}
    settings.DELIVERY_STORE_PUBLIC_STORAGE = "bucket"
    if store != "tables":
        backend = "deliverystore.backends.DjangoStorageDeliveryStore"
        settings.DELIVERY_STORE_BACKEND = backend
        settings.DELIVERY_STORE_STORAGE = "bucket"
        settings.DELIVERY_STORE_ROOT = "deliveries"
    if store != "deliveries":
        settings.DELIVERY_STORE_DATACENTER_STORAGE = "bucket"
        settings.DELIVERY_STORE_DATACENTER_ROOT = "tables"

    told = [one for one in found() if one == "deliverystore.W030"]
    assert len(told) == (2 if store == "both" else 1)


def test_who_publishes_nothing_may_keep_private_files_below_others(
    settings, media, tmp_path, processor
):
    from deliverystore.publishing import registry

    registry._registered.clear()
    settings.STORAGES["media"]["OPTIONS"] = {"location": tmp_path}
    settings.STORAGES = {**settings.STORAGES}

    assert found() == []


def test_a_public_store_needs_a_folder(settings, processor):
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": FILES}}
    settings.MEDIA_ROOT = ""

    assert found() == ["deliverystore.E031"]


@pytest.mark.parametrize("given", [True, False])
def test_a_working_folder_that_is_public_overlaps_only_if_it_was_named(
    settings, processor, monkeypatch, tmp_path, given
):
    """As with MEDIA_ROOT = BASE_DIR."""
    monkeypatch.chdir(tmp_path)
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": FILES}}
    settings.MEDIA_ROOT = tmp_path if given else ""

    [message] = [m for m in run_checks() if m.id == "deliverystore.E031"]

    if given:
        deliveries = tmp_path / "deliveries"
        place = f"DELIVERY_STORE_ROOT ({deliveries}) and the public store ({tmp_path})"
        assert message.msg == f"{place} overlap."
    else:
        assert "has no folder" in message.msg


def test_a_public_bucket_does_not_keep_media_root_from_being_looked_at(
    settings, processor, tmp_path
):
    settings.MEDIA_ROOT = tmp_path

    [message] = [m for m in run_checks() if m.id == "deliverystore.E031"]

    assert f"and MEDIA_ROOT ({tmp_path}) overlap." in message.msg


def test_two_processors_of_one_name_are_found(media, processor):
    class Upper(MediaProcessor):
        name = "upper"

    processor(Upper)

    assert found() == ["deliverystore.E033"]


def test_processors_of_pictures_need_pillow(media, processor, monkeypatch):
    class Photos(PictureProcessor):
        name = "photos"

    processor(Photos)
    assert found() == []
    monkeypatch.setitem(sys.modules, "PIL", None)

    [message] = [m for m in run_checks() if m.id == "deliverystore.W031"]

    assert message.msg.endswith("which these media processors need: photos.")
    assert "deliverystore[images]" in message.hint
