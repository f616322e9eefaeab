"""The download of a delivery as a ZIP."""

from __future__ import annotations

import io
import sys
import zipfile

import pytest
from django.urls import reverse

from tests.factories import UserFactory, finished_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return UserFactory(username="ada")


def url_of(delivery):
    return reverse("deliverystore:archive", args=[delivery.pk])


def test_who_handed_a_delivery_in_gets_it_as_zip(client, user):
    delivery = finished_delivery(user=user)
    client.force_login(user)

    response = client.get(url_of(delivery))

    assert response.streaming
    assert response.headers["Content-Type"] == "application/zip"
    disposition = 'attachment; filename="delivery 1, ada.zip"'
    assert response.headers["Content-Disposition"] == disposition
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as file:
        assert file.read("delivery 1, ada/hello.txt") == b"hello"


def test_without_the_package_for_zip_it_says_what_to_install(client, user, monkeypatch):
    monkeypatch.setitem(sys.modules, "zipstream", None)
    client.force_login(user)

    response = client.get(url_of(finished_delivery(user=user)))

    assert response.status_code == 501
    assert "deliverystore[zip]" in response.text


def test_strangers_and_others_do_not_get_it(client, user):
    delivery = finished_delivery(user=user)

    assert client.get(url_of(delivery)).status_code == 302
    client.force_login(UserFactory())
    assert client.get(url_of(delivery)).status_code == 403
    assert client.get(reverse("deliverystore:archive", args=[999])).status_code == 403


def test_head_makes_no_archive(client, user):
    client.force_login(user)

    response = client.head(url_of(finished_delivery(user=user)))

    assert (response.status_code, response.getvalue()) == (200, b"")
