"""A check goes on only where what it has looked at is still what there is."""

from __future__ import annotations

import pytest
from django.core.files.storage import Storage

from deliverystore.backends import (
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
    FsHierDeliveryStore,
    MemoryDeliveryStore,
)
from deliverystore.backends.fallback import FallbackDeliveryStore
from deliverystore.backends.probing import place_of
from deliverystore.checking import begin, give_up_elsewhere
from deliverystore.models import FileMeta
from deliverystore.testing import override_delivery_store
from tests.checking.conftest import check, hand_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_check_does_not_go_on_in_another_store(tmp_path):
    """What was looked at in one proves nothing of the other."""
    hand_in(2)
    begun = check(max_bytes=1)
    with override_delivery_store(FsHierDeliveryStore(tmp_path / "new")):
        [given_up] = give_up_elsewhere()
        checked = check()

    assert given_up == begun
    assert given_up.ending == "given up"
    assert checked.pk != begun.pk
    assert set(checked.findings.values_list("kind", flat=True)) == {"missing"}
    assert checked.found == 2


def test_a_check_does_not_go_on_when_the_fallback_is_taken_away(tmp_path):
    new, old = FsHierDeliveryStore(tmp_path / "new"), FileMeta.deliverystore
    hand_in(2)
    with override_delivery_store(FallbackDeliveryStore(new, old)):
        begun = check(max_bytes=1)
    with override_delivery_store(new):
        checked = check()

    assert checked.pk != begun.pk
    assert checked.found == 2


def test_a_check_of_the_same_store_goes_on():
    hand_in(2)
    begun = check(max_bytes=1)

    assert give_up_elsewhere() == []
    assert begin().pk == begun.pk


def test_a_place_is_told_by_folder_layout_class_and_service(tmp_path):
    class Bucket(Storage):
        bucket_name = "handed-in"

    class Elsewhere(Bucket):
        bucket_name = "elsewhere"

    places = [
        place_of(store)
        for store in (
            FsDeliveryStore(tmp_path / "a"),
            FsDeliveryStore(tmp_path / "b"),
            FsHierDeliveryStore(tmp_path / "a"),
            FsHierDeliveryStore(tmp_path / "a", interval=7),
            MemoryDeliveryStore(),
            DjangoStorageDeliveryStore("", Bucket()),
            DjangoStorageDeliveryStore("x", Bucket()),
            DjangoStorageDeliveryStore("x", Elsewhere()),
        )
    ]
    assert len(set(places)) == len(places)
    assert place_of(FsDeliveryStore(tmp_path / "a")) == places[0]
