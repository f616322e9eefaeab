"""Stored bytes that are replaced by those of another store."""

from __future__ import annotations

import pytest

from deliverystore.backends import MemoryDeliveryStore, default_store
from deliverystore.exceptions import FileDamaged
from deliverystore.models import Condition, Delivery, FileMeta

pytestmark = pytest.mark.django_db

BACKENDS = ["FsDeliveryStore", "FsHierDeliveryStore", "DjangoStorageDeliveryStore"]


@pytest.fixture
def file():
    delivery = Delivery.begin()
    return delivery.add_file("essay.txt", "content")


@pytest.fixture
def copy(file):
    copy = MemoryDeliveryStore()
    with file.open() as source, copy.write_open(file) as target:
        target.write(source.read())
    return copy


@pytest.fixture(autouse=True, params=BACKENDS)
def store(request, settings, tmp_path):
    """A store that replaces, or one whose storage chooses another name instead."""
    settings.DELIVERY_STORE_BACKEND = f"deliverystore.backends.{request.param}"
    if request.param == "DjangoStorageDeliveryStore":
        settings.DELIVERY_STORE_ROOT = "deliveries"
    return default_store


def test_a_lost_file_is_restored_for_everybody(file, copy, store):
    store.remove(file)

    file.restore_from(copy)

    assert FileMeta.objects.get(pk=file.pk).verify() is Condition.INTACT


def test_a_damaged_file_is_restored_for_everybody(file, copy, store):
    store.delete(store.name_of(file))
    with store.open(store.name_of(file), "wb") as stored:
        stored.write(b"damaged")

    file.restore_from(copy)

    assert FileMeta.objects.get(pk=file.pk).verify() is Condition.INTACT


def test_bytes_that_were_never_handed_in_are_not_taken(file, copy, store):
    with copy.write_open(file) as target:
        target.write(b"other")

    with pytest.raises(FileDamaged):
        file.restore_from(copy)

    assert FileMeta.objects.get(pk=file.pk).verify() is Condition.INTACT
