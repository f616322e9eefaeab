"""The page of one delivery in the admin, and what its buttons do."""

from __future__ import annotations

import io
import json
import sys
import zipfile

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deliverystore.admin.delivery import FILES_PER_PAGE
from deliverystore.models import Delivery, FileMeta, Removal
from tests.admin.conftest import LIST
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
        files=[("a<b>.txt", b"1"), ("Отчёт.txt", b"22" * 1024)],
        recipient=DepartmentFactory(name="Physics"),
        user=UserFactory(username="ada"),
    )


def damage(file):
    with FileMeta.deliverystore.write_open(file) as stored:
        stored.write(b"x")


def messages(response):
    return [str(message) for message in response.context["messages"]]


# -- What it shows -----------------------------------------------------------------


def test_it_says_in_words_what_has_become_of_it(show, delivery, detail_url):
    text = show(detail_url(delivery))

    assert "by ada for Physics." in text
    assert "It is number 1 there, and cannot be changed any more." in text


def test_it_says_what_may_become_of_an_open_one(show, detail_url):
    text = show(detail_url(open_delivery()))

    assert "by somebody without an account, for nobody in particular." in text
    assert "Not handed in yet" in text
    assert "the next sweep abandons it" in text


def test_it_shows_every_file_with_its_whole_digest(show, delivery, detail_url):
    text = show(detail_url(delivery))

    assert "a&lt;b&gt;.txt" in text
    assert "Отчёт.txt" in text
    assert "2.0\xa0KB" in text
    for file in delivery.files.all():
        assert text.count(file.digest) == 2
    assert delivery.manifest_digest in text


def test_a_copy_leads_to_its_original(show, delivery, detail_url):
    copy = delivery.copy(DepartmentFactory(name="Chemistry"))

    link = f'<a href="{detail_url(delivery)}">delivery 1 to Physics</a>'
    assert link in show(detail_url(copy))


def test_the_user_is_a_link_only_for_who_may_see_users(
    client, staff, delivery, detail_url
):
    client.force_login(staff("view"))

    text = client.get(detail_url(delivery)).text

    assert "ada" in text
    assert "/auth/user/" not in text


def test_a_file_that_is_being_received_is_said_to_be(show, detail_url):
    delivery = open_delivery()
    FileMeta.objects.create(delivery=delivery, filename="later.txt")

    assert "being received since" in show(detail_url(delivery))


def test_hundreds_of_files_are_paged(client, boss, show, detail_url):
    files = [(f"{n}.txt", b"x") for n in range(FILES_PER_PAGE + 20)]
    many = finished_delivery(files=files)
    few = finished_delivery(files=files[:2])

    def shown(number):
        return show(detail_url(many), page=number).count('<tr id="file-')

    def queries(delivery):
        with CaptureQueriesContext(connection) as captured:
            client.get(detail_url(delivery))
        return len(captured)

    assert [shown(1), shown(2), shown(99), shown("x")] == [100, 20, 20, 100]
    assert queries(many) == queries(few)


@pytest.mark.parametrize(
    ("actions", "labels"),
    [
        ((), ["Download the receipt"]),
        (("download",), ["Download as ZIP", "Download the receipt", ">Download<"]),
        (("verify",), ["Download the receipt", "Verify all files", ">Verify<"]),
    ],
)
def test_only_what_one_may_is_offered(
    client, staff, delivery, detail_url, actions, labels
):
    client.force_login(staff("view", *actions))
    text = client.get(detail_url(delivery)).text
    every = [
        "Download as ZIP",
        "Download the receipt",
        "Verify all files",
        ">Download<",
        ">Verify<",
        "Abandon…",
    ]

    assert [label for label in every if label in text] == labels


def test_only_an_open_delivery_can_be_abandoned(show, delivery, detail_url):
    assert "Abandon…" in show(detail_url(open_delivery()))
    assert "Abandon…" not in show(detail_url(delivery))


# -- Downloads ---------------------------------------------------------------------


def test_a_file_is_downloaded(client, boss, delivery, detail_url):
    file = delivery.files.first()

    response = client.get(detail_url(file, "download"))

    assert response.getvalue() == b"1"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"].startswith("sandbox")


def test_the_receipt_is_downloaded(client, boss, delivery, detail_url):
    response = client.get(detail_url(delivery, "receipt"))

    assert json.loads(response.content) == delivery.receipt()


def test_all_files_are_downloaded_as_zip(client, boss, delivery, detail_url):
    response = client.get(detail_url(delivery, "archive"))

    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as file:
        assert len(file.namelist()) == 1 + 2


def test_without_the_package_for_zip_it_says_what_to_install(
    client, boss, delivery, detail_url, monkeypatch
):
    monkeypatch.setitem(sys.modules, "zipstream", None)

    response = client.get(detail_url(delivery, "archive"), follow=True)

    assert "deliverystore[zip]" in messages(response)[0]


@pytest.mark.parametrize("name", ["receipt", "archive", "verify", "abandon"])
@pytest.mark.parametrize("who", ["nobody", "student", "staff"])
def test_no_page_is_open_to_who_may_not(client, staff, delivery, detail_url, name, who):
    if who == "student":
        client.force_login(UserFactory())
    elif who == "staff":
        client.force_login(staff())

    response = client.post if name == "verify" else client.get
    status = response(detail_url(delivery, name)).status_code

    assert status == (403 if who == "staff" else 302)


@pytest.mark.parametrize("name", ["download", "verify_file"])
def test_no_file_is_open_to_who_may_not(client, staff, delivery, detail_url, name):
    client.force_login(staff("view"))
    get = client.get if name == "download" else client.post

    assert get(detail_url(delivery.files.first(), name)).status_code == 403


# -- Verifying ---------------------------------------------------------------------


def test_all_files_are_verified(client, boss, delivery, detail_url):
    response = client.post(detail_url(delivery, "verify"), follow=True)

    assert messages(response) == ["2 files were read and are intact."]


def test_what_is_lost_or_damaged_is_named(client, boss, delivery, detail_url):
    lost, damaged = delivery.files.all()
    FileMeta.deliverystore.remove(lost)
    damage(damaged)

    response = client.post(detail_url(delivery, "verify"), follow=True)

    (message,) = messages(response)
    assert message.startswith("2 files are missing or damaged:")
    assert "a&lt;b&gt;.txt: missing" in message
    assert "Отчёт.txt: damaged" in message


def test_one_file_is_verified(client, boss, delivery, detail_url):
    good, damaged = delivery.files.all()
    damage(damaged)

    def result(file):
        return messages(client.post(detail_url(file, "verify_file"), follow=True))[0]

    assert result(good) == "1 file was read and is intact."
    assert result(damaged).startswith("1 file is missing or damaged:")


def test_who_had_to_log_in_meanwhile_comes_back_to_the_delivery(
    client, boss, delivery, detail_url
):
    for url in (
        detail_url(delivery, "verify"),
        detail_url(delivery.files.first(), "verify_file"),
    ):
        response = client.get(url, follow=True)

        assert response.redirect_chain == [(detail_url(delivery), 302)]
        assert "intact" not in response.text


@pytest.mark.parametrize("name", ["verify", "abandon"])
def test_buttons_are_protected_against_forged_requests(boss, detail_url, name):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(boss)

    assert strict.post(detail_url(open_delivery(), name)).status_code == 403


# -- Abandoning and deleting -------------------------------------------------------


def test_abandoning_asks_first(client, boss, detail_url):
    delivery = open_delivery(user=UserFactory(username="ada"))
    url = detail_url(delivery, "abandon")

    assert (
        f"Open delivery {delivery.pk}, ada: 1 file, 5\xa0bytes" in client.get(url).text
    )
    assert Delivery.objects.exists()

    response = client.post(url, {"post": "yes"}, follow=True)
    assert messages(response) == ["1 open delivery was abandoned."]
    assert not Delivery.objects.exists()
    assert LogEntry.objects.get().object_repr == f"open delivery {delivery.pk}"


def test_what_was_handed_in_cannot_be_abandoned(client, boss, delivery, detail_url):
    response = client.post(
        detail_url(delivery, "abandon"), {"post": "yes"}, follow=True
    )

    assert messages(response) == ["What was handed in cannot be abandoned."]
    assert Delivery.objects.get() == delivery


def test_deleting_says_that_the_bytes_wait_and_lets_them_wait(
    client, boss, delivery, detail_url
):
    url = detail_url(delivery, "delete")
    file = delivery.files.first()

    assert "wait for the next sweep" in client.get(url).text
    response = client.post(url, {"post": "yes"})

    assert response.url == LIST
    assert not Delivery.objects.exists()
    assert Removal.objects.count() == 2
    assert FileMeta.deliverystore.exists(file)


def test_deleting_needs_the_permission(client, staff, delivery, detail_url):
    client.force_login(staff("view"))
    assert client.post(detail_url(delivery, "delete")).status_code == 403

    client.force_login(staff("view", "delete"))
    client.post(detail_url(delivery, "delete"), {"post": "yes"})
    assert not Delivery.objects.exists()


# -- Receipts ----------------------------------------------------------------------


def test_a_receipt_is_verified_within_the_admin(client, boss, delivery):
    file = io.BytesIO(json.dumps(delivery.receipt()).encode())

    text = client.post(f"{LIST}verify-receipt/", {"receipt": file}).text

    assert "Everything is stored as the receipt says." in text
    assert "Django administration" in text
    assert "Verify a receipt" in client.get(LIST).text
