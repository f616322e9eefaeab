"""Limits on what is handed in, as a delivery asks for them."""

from __future__ import annotations

import pytest

from deliverystore.exceptions import (
    DeliveryTooLarge,
    ExtensionNotAllowed,
    FileTooLarge,
    QuotaExceeded,
    TooManyFiles,
    TypeNotAllowed,
)
from deliverystore.models import Delivery, FileMeta, Removal
from tests.factories import UserFactory, finished_delivery, open_delivery

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def endless():
    while True:
        yield b"x" * 1000


def assert_nothing_left(root):
    assert not FileMeta.objects.exists()
    assert not Removal.objects.exists()
    assert not [path for path in root.rglob("*") if path.is_file()]


def test_a_file_is_refused_while_it_streams(settings, delivery_store_root):
    settings.DELIVERY_STORE_MAX_FILE_BYTES = 2500

    with pytest.raises(FileTooLarge, match=r"'big'.*2,500 bytes"):
        Delivery.begin().add_file("big", endless())

    assert_nothing_left(delivery_store_root)


def test_a_file_of_just_the_limit_is_taken(settings):
    settings.DELIVERY_STORE_MAX_FILE_BYTES = 3

    assert Delivery.begin().add_file("a", b"123").size == 3


def test_all_files_of_a_delivery_count(settings):
    settings.DELIVERY_STORE_MAX_DELIVERY_BYTES = 10
    delivery = open_delivery(files=[("a", b"12345")])

    with pytest.raises(DeliveryTooLarge):
        delivery.add_files([("b", b"123"), ("c", b"456")])

    delivery.add_file("d", b"12345")
    delivery.finish()


def test_a_limit_that_was_lowered_holds_at_the_finish(settings):
    delivery = open_delivery(files=[("a", b"12345"), ("b", b"")])

    settings.DELIVERY_STORE_MAX_DELIVERY_BYTES = 4
    with pytest.raises(DeliveryTooLarge):
        delivery.finish()
    settings.DELIVERY_STORE_MAX_DELIVERY_BYTES = None
    settings.DELIVERY_STORE_MAX_FILES = 1
    with pytest.raises(TooManyFiles):
        delivery.finish()


def test_only_so_many_files(settings, delivery_store_root):
    settings.DELIVERY_STORE_MAX_FILES = 2

    with pytest.raises(TooManyFiles, match="at most 2"):
        Delivery.begin().add_files([("a", b""), ("b", b""), ("c", b"")])

    assert_nothing_left(delivery_store_root)
    delivery = open_delivery(files=[("a", b""), ("b", b"")])
    with pytest.raises(TooManyFiles):
        delivery.add_file("c", b"")


def test_the_quota_counts_all_deliveries_of_a_user(settings):
    settings.DELIVERY_STORE_USER_QUOTA_BYTES = 10
    user = UserFactory()
    finished_delivery(user=user, files=[("a", b"123456")])

    with pytest.raises(QuotaExceeded, match="10 bytes"):
        Delivery.begin(user=user).add_file("b", endless())

    Delivery.begin(user=user).add_file("b", b"1234")
    Delivery.begin(user=UserFactory()).add_file("b", b"0123456789")
    Delivery.begin().add_file("b", b"0123456789x")


def test_two_uploads_at_once_cannot_exceed_the_quota_together(
    settings, delivery_store_root
):
    settings.DELIVERY_STORE_USER_QUOTA_BYTES = 10
    user = UserFactory()

    def overtaken():
        yield b"123456"
        Delivery.begin(user=user).add_file("second", b"123456")

    with pytest.raises(QuotaExceeded):
        Delivery.begin(user=user).add_file("first", overtaken())

    assert FileMeta.objects.get().filename == "second"


def test_what_was_removed_does_not_count(settings):
    settings.DELIVERY_STORE_USER_QUOTA_BYTES = 10
    user = UserFactory()
    delivery = Delivery.begin(user=user)
    delivery.add_file("a", b"0123456789").delete()
    finished_delivery(user=user, files=[("a", b"0123456789")]).delete()

    delivery.add_file("a", b"0123456789")


def test_only_some_extensions(settings, delivery_store_root):
    settings.DELIVERY_STORE_ALLOWED_EXTENSIONS = [".pdf", ".txt"]
    delivery = Delivery.begin()

    delivery.add_file("essay.PDF", b"")
    with pytest.raises(ExtensionNotAllowed, match=r"'virus\.exe'.*\.pdf, \.txt"):
        delivery.add_file("virus.exe", b"")
    with pytest.raises(ExtensionNotAllowed):
        delivery.add_file("txt", b"")


def test_only_some_types_whatever_the_name_says(settings, delivery_store_root):
    settings.DELIVERY_STORE_ALLOWED_TYPES = ["image/*"]

    with pytest.raises(TypeNotAllowed, match=r"'photo\.png'.*text/plain"):
        Delivery.begin().add_file("photo.png", b"I am no photo.")

    assert_nothing_left(delivery_store_root)
    row = Delivery.begin().add_file("photo.png", [PNG[:5], PNG[5:]])
    assert row.get_all_data_as_string() == PNG
