"""Bytes of deleted rows, and when they go."""

from __future__ import annotations

import pytest
from django.utils import timezone

from deliverystore.backends import MemoryDeliveryStore
from deliverystore.models import FileMeta, Removal
from deliverystore.testing import override_delivery_store
from tests.factories import finished_delivery

pytestmark = pytest.mark.django_db


class UnwillingStore(MemoryDeliveryStore):
    """Refuses to remove one file, as a medium may that has a fault."""

    unwilling_name = ""

    def delete(self, name):
        if name == self.unwilling_name:
            raise PermissionError(name)
        super().delete(name)


def test_no_bytes_go_that_a_row_still_names():
    row = finished_delivery().files.get()
    Removal.objects.create(
        filemeta_id=row.pk, delivery_id=row.delivery_id, removed_at=timezone.now()
    )

    assert Removal.objects.carry_out(FileMeta.deliverystore) == 0

    assert row.get_all_data_as_string() == b"hello"


def test_what_a_store_refuses_to_remove_stays_for_the_next_time(caplog):
    with override_delivery_store(UnwillingStore()) as store:
        delivery = finished_delivery(files=[("a", b"1"), ("b", b"2"), ("c", b"3")])
        names = [store.name_of(row) for row in delivery.files.all()]
        delivery.delete()

        store.unwilling_name = names[1]
        assert Removal.objects.carry_out(store) == 2
        assert [store.exists(name) for name in names] == [False, True, False]
        assert "stay for now" in caplog.text

        store.unwilling_name = ""
        assert Removal.objects.carry_out(store) == 1
        assert not store.exists(names[1])


def test_a_name_that_the_store_chose_is_remembered():
    with override_delivery_store(MemoryDeliveryStore()) as store:
        delivery = finished_delivery()
        store.save("elsewhere", store.read_open(delivery.files.get()))
        delivery.files.update(stored_as="elsewhere")

        delivery.delete()
        Removal.objects.carry_out(store)

        assert not store.exists("elsewhere")
