"""Receipts: who gets them, and what the site says of one that comes back."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from deliverystore.models import FileMeta
from deliverystore.models.receipt import check_signature
from tests.factories import (
    DepartmentFactory,
    UserFactory,
    finished_delivery,
    open_delivery,
)

pytestmark = pytest.mark.django_db

VERIFY = "/deliveries/verify-receipt/"


@pytest.fixture
def user():
    return UserFactory(username="ada")


@pytest.fixture
def delivery(user):
    return finished_delivery(
        files=[("a.txt", b"1"), ("<b>.txt", b"22")],
        recipient=DepartmentFactory(name="Physics"),
        user=user,
    )


@pytest.fixture
def ada(client, user):
    client.force_login(user)
    return client


def upload(client, document, **headers):
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    file = SimpleUploadedFile("receipt.json", text)
    return client.post(VERIFY, {"receipt": file}, headers=headers)


def receipt_url(delivery):
    return reverse("deliverystore:receipt", args=[delivery.pk])


# -- The download ------------------------------------------------------------------


def test_there_is_none_of_rows_that_were_changed(ada, delivery):
    delivery.files.update(size=3)

    response = ada.get(receipt_url(delivery))

    assert response.status_code == 500
    assert f"delivery {delivery.pk} were changed" in response.text


def test_the_receipt_is_sent_as_a_file(ada, delivery):
    response = ada.get(receipt_url(delivery))

    assert check_signature(response.json()) == delivery.receipt()
    assert response.headers["Content-Type"] == "application/json"
    assert (
        response.headers["Content-Disposition"]
        == f'attachment; filename="receipt {delivery.pk}.json"'
    )
    assert response.headers["Cache-Control"].startswith("private")


def test_who_may_view_deliveries_gets_it(client, delivery):
    teacher = UserFactory()
    teacher.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client.force_login(teacher)

    assert client.get(receipt_url(delivery)).status_code == 200


def test_strangers_and_others_do_not_get_it(client, delivery):
    assert client.get(receipt_url(delivery)).status_code == 302

    client.force_login(UserFactory())
    assert client.get(receipt_url(delivery)).status_code == 403


def test_an_open_delivery_has_none(ada, user):
    assert ada.get(receipt_url(open_delivery(user=user))).status_code == 404


# -- The comparison ----------------------------------------------------------------


def test_the_page_asks_for_a_receipt(ada):
    response = ada.get(VERIFY)

    assert response.status_code == 200
    assert 'type="file"' in response.text


def test_strangers_are_sent_to_the_login(client, delivery):
    assert client.get(VERIFY).status_code == 302
    assert upload(client, delivery.receipt()).status_code == 302


def test_it_says_that_everything_is_as_it_was(ada, delivery):
    page = upload(ada, delivery.receipt()).text

    assert "Everything is stored as the receipt says." in page
    assert "Physics" in page
    assert "&lt;b&gt;.txt" in page
    assert "<b>.txt" not in page


def test_it_names_what_is_lost_and_damaged(ada, delivery):
    receipt = delivery.receipt()
    first, second = delivery.files.all()
    FileMeta.deliverystore.remove(first)
    with FileMeta.deliverystore.write_open(second) as file:
        file.write(b"33")

    page = upload(ada, receipt).text

    assert "What is stored is not what the receipt says." in page
    assert "deliverystore-missing" in page
    assert "deliverystore-damaged" in page


def test_it_says_that_the_delivery_is_gone(ada, delivery):
    receipt = delivery.receipt()
    delivery.delete()

    assert "not stored here any more" in upload(ada, receipt).text


def test_the_receipt_of_a_delivery_that_lost_all_its_rows_can_be_compared(
    ada, delivery
):
    receipt = delivery.receipt()
    delivery.files.all().delete_with_removals()

    page = upload(ada, receipt).text

    assert page.count("deliverystore-missing") == 2
    assert "The delivery was changed: first_byte, last_byte, files." in page


def test_why_a_file_cannot_be_read_is_for_the_log_alone(
    ada, delivery, monkeypatch, caplog
):
    def fail(self, file):
        raise PermissionError(13, "Permission denied", "/srv/deliveries/0/0/1/1")

    monkeypatch.setattr("deliverystore.backends.FsHierDeliveryStore.read_open", fail)
    text = upload(ada, delivery.receipt(), accept="application/json").text

    assert text.count("unreadable") == 2
    assert "/srv" not in text
    assert caplog.text.count("/srv/deliveries") == 2


def test_a_program_gets_json(ada, delivery):
    response = upload(ada, delivery.receipt(), accept="application/json")

    document = response.json()
    assert document["agrees"] is True
    assert document["delivery"] == delivery.pk
    assert [file["condition"] for file in document["files"]] == ["intact", "intact"]


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("document", [b"{", b"[]", {"signature": "x"}, b""])
def test_what_is_no_receipt_is_refused_with_a_reason(ada, document, accept):
    response = upload(ada, document, accept=accept)

    assert response.status_code == 400
    if accept == "application/json":
        assert response.json()["errors"]
    else:
        assert "errorlist" in response.text


def test_a_form_without_a_file_is_refused(ada):
    assert ada.post(VERIFY).status_code == 400


def test_a_receipt_that_was_changed_is_refused(ada, delivery):
    response = upload(ada, delivery.receipt() | {"user": "eve"})

    assert response.status_code == 400
    assert "was changed" in response.text


def test_nothing_is_read_for_who_may_not_view_the_delivery(client, delivery):
    client.force_login(UserFactory())
    receipt = delivery.receipt()
    FileMeta.deliverystore.remove(delivery.files.first())

    response = upload(client, receipt, accept="application/json")

    assert response.status_code == 403
    assert b"missing" not in response.content


def test_it_is_protected_against_forged_requests(delivery, user):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    assert upload(strict, delivery.receipt()).status_code == 403
