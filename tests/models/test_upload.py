"""The row of an upload."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from deliverystore.exceptions import SettingInvalid, UploadNotFound, WrongOffset
from deliverystore.models import Delivery, Upload

pytestmark = pytest.mark.django_db


def an_upload(**fields):
    delivery = fields.pop("delivery", None) or Delivery.begin()
    fields = {"filename": "a.txt", "length": 10, **fields}
    return Upload.objects.create(delivery=delivery, **fields)


@pytest.mark.parametrize("offset", [-1, 11])
def test_the_database_refuses_an_offset_outside_of_the_file(offset):
    with pytest.raises(IntegrityError):
        an_upload(offset=offset)


def test_a_length_may_have_64_bits():
    upload = an_upload(length=2**63 - 1, offset=2**63 - 2)

    upload.refresh_from_db()
    assert (upload.length, upload.offset) == (2**63 - 1, 2**63 - 2)


def test_uploads_run_until_their_file_is_in_the_delivery():
    delivery = Delivery.begin()
    running = an_upload(delivery=delivery, length=30)
    an_upload(delivery=delivery, filemeta_id=1)

    assert list(Upload.objects.running()) == [running]
    assert delivery.uploads.running().bytes_announced() == 30
    assert Upload.objects.none().bytes_announced() == 0


def test_uploads_without_news_become_stale(settings):
    settings.DELIVERY_STORE_ABANDON_AFTER = timedelta(days=2)
    an_upload(updated=timezone.now() - timedelta(days=1))
    old = an_upload(updated=timezone.now() - timedelta(days=3))

    assert list(Upload.objects.stale()) == [old]


def test_an_upload_expires_with_its_delivery(settings):
    settings.DELIVERY_STORE_ABANDON_AFTER = timedelta(days=2)
    upload = an_upload()

    assert upload.expires == upload.delivery.created + timedelta(days=2)


def test_an_upload_goes_with_its_delivery():
    upload = an_upload()
    upload.delivery.abandon()

    assert not Upload.objects.exists()


def test_news_are_kept_with_their_time():
    upload = an_upload(updated=timezone.now() - timedelta(days=1))
    upload.record(offset=10)

    upload.refresh_from_db()
    assert upload.is_received
    assert timezone.now() - upload.updated < timedelta(minutes=1)


def test_news_of_an_upload_that_is_gone_are_refused():
    upload = an_upload()
    Upload.objects.all().delete()

    with pytest.raises(UploadNotFound, match=r"'a\.txt' was given up"):
        upload.record(offset=1)


def test_an_upload_goes_on_where_it_stopped_and_nowhere_else():
    upload = an_upload(offset=5)

    upload.check_offset(5)
    with pytest.raises(WrongOffset, match=r"5 bytes of 'a\.txt' are kept: .* not at 4"):
        upload.check_offset(4)


def test_the_file_is_the_one_in_the_delivery():
    delivery = Delivery.begin()
    row = delivery.add_file("a.txt", b"0123456789")
    upload = an_upload(delivery=delivery, offset=10, filemeta_id=row.pk)

    assert upload.file() == row
    row.delete()
    assert upload.file() is None
    assert an_upload().file() is None


def test_a_partial_file_needs_its_folder(settings, tmp_path):
    settings.DELIVERY_STORE_UPLOAD_ROOT = str(tmp_path)
    upload = an_upload()

    assert upload.path == tmp_path / upload.pk.hex
    settings.DELIVERY_STORE_UPLOAD_ROOT = None
    with pytest.raises(SettingInvalid, match="DELIVERY_STORE_UPLOAD_ROOT"):
        _ = upload.path


def test_an_upload_is_shown_by_its_filename():
    assert str(an_upload()) == "a.txt"
