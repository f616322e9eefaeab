"""Receipts, and what they say of the store later."""

from __future__ import annotations

import copy
import io
import json

import pytest

from deliverystore.exceptions import (
    DeliveryChanged,
    DeliveryNotFinished,
    ReceiptInvalid,
)
from deliverystore.models import Condition, Delivery, FileMeta
from deliverystore.models.receipt import check_signature
from deliverystore.verification import read_receipt, verify_receipt
from tests.factories import (
    DepartmentFactory,
    UserFactory,
    finished_delivery,
    open_delivery,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery():
    return finished_delivery(
        files=[("a.txt", b"1"), ("Отчёт.txt", b"22")],
        recipient=DepartmentFactory(name="Physics"),
        user=UserFactory(username="ada"),
    )


def test_it_says_who_handed_in_what_to_whom_and_when(delivery):
    receipt = json.loads(json.dumps(delivery.receipt()))

    assert receipt["delivery"] == delivery.pk
    assert (receipt["number"], receipt["recipient"], receipt["user"]) == (
        1,
        "Physics",
        "ada",
    )
    assert receipt["time_of_delivery"] == delivery.time_of_delivery.isoformat()
    assert receipt["first_byte"] <= receipt["last_byte"] <= receipt["time_of_delivery"]
    assert receipt["files"] == [
        {"name": file.filename, "size": file.size, "digest": file.digest}
        for file in delivery.files.all()
    ]
    assert receipt["manifest"] == delivery.manifest_digest


def test_rows_that_were_changed_past_the_app_are_not_signed(delivery):
    honest = delivery.receipt()
    FileMeta.objects.filter(delivery=delivery, size=1).update(filename="b.txt")

    with pytest.raises(DeliveryChanged, match=f"delivery {delivery.pk}"):
        delivery.receipt()

    assert verify_receipt(honest).changed == ["files"]


def test_recipient_and_user_may_be_none():
    receipt = finished_delivery().receipt()

    assert (receipt["recipient"], receipt["user"]) == (None, None)


def test_it_stays_the_same_when_recipient_and_user_are_called_otherwise(delivery):
    before = delivery.receipt()
    type(delivery.recipient).objects.update(name="Chemistry")
    type(delivery.delivered_by).objects.update(username="lovelace")

    delivery = Delivery.objects.get(pk=delivery.pk)
    assert delivery.receipt() == before
    delivery.recipient.delete()
    assert Delivery.objects.get(pk=delivery.pk).receipt() == before


def test_there_is_none_for_an_open_delivery():
    with pytest.raises(DeliveryNotFinished):
        open_delivery().receipt()


def test_the_same_files_have_the_same_manifest():
    files = [("a", b"1"), ("b", b"2")]
    one, same = finished_delivery(files=files), finished_delivery(files=files)
    others = [
        finished_delivery(files=[("a", b"1"), ("b", b"3")]),
        finished_delivery(files=[("a", b"1"), ("c", b"2")]),
        finished_delivery(files=[("a", b"1")]),
    ]

    assert one.manifest_digest == same.manifest_digest
    assert one.manifest_digest not in {other.manifest_digest for other in others}


def test_a_receipt_agrees_with_what_is_stored(delivery):
    receipt = json.loads(json.dumps(delivery.receipt()))

    report = verify_receipt(read_receipt(io.StringIO(json.dumps(receipt))))

    assert report.agrees
    assert report.delivery == delivery
    assert [line.filename for line in report.lines] == ["a.txt", "Отчёт.txt"]


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("number", 7, "number"),
        ("recipient_name", "Chemistry", "recipient"),
        ("user_name", "eve", "user"),
        ("manifest_digest", "sha256:0", "manifest"),
    ],
)
def test_a_delivery_whose_row_was_changed_does_not_agree(delivery, field, value, key):
    receipt = delivery.receipt()
    Delivery.objects.filter(pk=delivery.pk).update(**{field: value})

    report = verify_receipt(receipt)

    assert not report.agrees
    assert report.changed == [key]
    assert report.as_json()["changed"] == [key]


def test_a_file_that_was_slipped_in_does_not_agree(delivery):
    receipt = delivery.receipt()
    file = delivery.files.first()
    file.pk, file.filename, file.name_key, file.stored_as = None, "c", "c", "x"
    FileMeta.objects.bulk_create([file])

    assert verify_receipt(receipt).changed == ["files"]


@pytest.mark.parametrize(
    "change",
    [
        lambda receipt: receipt.update(user="eve"),
        lambda receipt: receipt.update(number=2),
        lambda receipt: receipt["files"][0].update(size=2),
        lambda receipt: receipt["files"].pop(),
        lambda receipt: receipt.update(extra=True),
        lambda receipt: receipt.update(signature="x" * 43),
        lambda receipt: receipt.update(signature=None),
        lambda receipt: receipt.update(signature="\ud800"),
        lambda receipt: receipt.pop("signature"),
    ],
    ids=range(9),
)
def test_a_receipt_that_was_changed_is_refused(delivery, change):
    receipt = copy.deepcopy(delivery.receipt())
    change(receipt)

    with pytest.raises(ReceiptInvalid):
        check_signature(receipt)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '"a"', "{}", "[" * 100_000, b"\xff\xfe{"],
    ids=range(9),
)
def test_what_is_no_receipt_is_refused(text):
    file = io.BytesIO(text) if isinstance(text, bytes) else io.StringIO(text)

    with pytest.raises(ReceiptInvalid):
        read_receipt(file)


def test_a_huge_file_is_not_read():
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            assert size > 0
            return b" " * size

    with pytest.raises(ReceiptInvalid, match="too large"):
        read_receipt(Endless())


def test_a_receipt_outlives_a_change_of_the_secret_key(delivery, settings):
    receipt = delivery.receipt()

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    check_signature(receipt)

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(ReceiptInvalid):
        check_signature(receipt)


def test_every_disagreement_is_named(delivery):
    receipt = delivery.receipt()
    first, second = delivery.files.all()
    FileMeta.deliverystore.remove(first)
    with FileMeta.deliverystore.write_open(second) as file:
        file.write(b"33")

    report = verify_receipt(receipt)

    assert not report.agrees
    assert [line.condition for line in report.lines] == [
        Condition.MISSING,
        Condition.DAMAGED,
    ]


def test_a_row_that_was_changed_is_found(delivery):
    receipt = delivery.receipt()
    delivery.files.filter(filename="a.txt").update(digest="sha256:0")

    assert verify_receipt(receipt).lines[0].condition == Condition.DAMAGED


def test_a_delivery_that_is_gone_is_said(delivery):
    receipt = delivery.receipt()
    delivery.delete()

    report = verify_receipt(receipt)

    assert report.delivery is None
    assert not report.agrees
    assert {line.condition for line in report.lines} == {Condition.MISSING}
