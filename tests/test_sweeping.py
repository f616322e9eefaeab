"""The sweep, and its command."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import call_command

from deliverystore.models import Delivery, FileMeta, Removal
from deliverystore.sweeping import Sweep, preview, sweep
from tests.factories import finished_delivery, open_delivery

pytestmark = pytest.mark.django_db(transaction=True)


def let_time_pass(**length):
    """Make all that there is so much older."""
    length = timedelta(**length)
    for delivery in Delivery.objects.all():
        created = delivery.created - length
        Delivery.objects.filter(pk=delivery.pk).update(created=created)
    for removal in Removal.objects.all():
        removed_at = removal.removed_at - length
        Removal.objects.filter(pk=removal.pk).update(removed_at=removed_at)


def test_open_deliveries_that_are_too_old_go_with_their_bytes(delivery_store_root):
    open_delivery()
    finished = finished_delivery()
    let_time_pass(days=8)
    young = open_delivery()

    swept = sweep()

    assert (swept.deliveries, swept.files) == (1, 0)
    assert set(Delivery.objects.all()) == {finished, young}
    assert len([p for p in delivery_store_root.rglob("*") if p.is_file()]) == 2


def test_bytes_of_deleted_rows_go_after_the_grace_period():
    delivery = finished_delivery()
    row = delivery.files.get()
    delivery.delete()

    assert sweep().files == 0
    assert FileMeta.deliverystore.exists(row)
    let_time_pass(days=2)
    assert preview().files == 1
    assert sweep().files == 1
    assert not FileMeta.deliverystore.exists(row)
    assert sweep().files == 0


def test_the_times_are_settings(settings):
    settings.DELIVERY_STORE_ABANDON_AFTER = timedelta(0)
    settings.DELIVERY_STORE_GRACE = timedelta(0)
    open_delivery()
    finished_delivery().delete()

    assert preview() == Sweep(deliveries=1, uploads=0, files=1)
    assert sweep() == Sweep(deliveries=1, uploads=0, files=1)


def test_a_delivery_that_is_finished_meanwhile_stays(monkeypatch):
    open_delivery()
    let_time_pass(days=8)
    stale = list(Delivery.objects.stale())
    Delivery.objects.get().finish()
    monkeypatch.setattr(type(Delivery.objects.all()), "stale", lambda self: stale)

    assert sweep().deliveries == 0
    assert Delivery.objects.get().verify()[0][1] == "intact"


def test_the_command_says_what_it_did():
    open_delivery()
    finished_delivery().delete()
    let_time_pass(days=8)

    def said(*arguments):
        output = io.StringIO()
        call_command("sweep_deliveries", *arguments, stdout=output)
        return output.getvalue()

    assert said("--dry-run") == (
        "1 open deliveries would be abandoned, 0 expired uploads and the bytes of "
        "1 files would be removed.\n"
    )
    assert said() == (
        "1 open deliveries abandoned, 0 expired uploads and the bytes of 1 files "
        "removed.\n"
    )
    assert said().startswith("0 open deliveries")
