"""Finding deliveries: the same ones, whether few or many match."""

from __future__ import annotations

import pytest

from deliverystore.models import Delivery
from tests.factories import UserFactory, finished_delivery, open_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, params=[10_000, 0], ids=["few hits", "many hits"])
def few(request, monkeypatch):
    """Let the same hits once count as few, once as many."""
    monkeypatch.setattr("deliverystore.models.search._FEW", request.param)


@pytest.fixture
def essay():
    user = UserFactory(username="ada@example.org")
    return finished_delivery(files=[("Essay 100%.txt", b"1"), ("b", b"2")], user=user)


def found(text):
    return list(Delivery.objects.search(text).order_by("pk"))


@pytest.mark.parametrize(
    "text", ["Essay 100%.txt", "essay", "ESSAY 100%", "b", "ada@", " ada@example.org "]
)
def test_it_is_found_by_how_a_filename_or_the_user_begins(essay, text):
    finished_delivery(files=[("other", b"3")], user=UserFactory(username="bob"))

    assert essay in found(text)
    assert len(found(text)) == (2 if text == "b" else 1)


@pytest.mark.parametrize("text", ["ssay", "E%", "Essay_100", "%", "\\", "ada@%", "c"])
def test_nothing_else_is_found(essay, text):
    assert found(text) == []


def test_the_digest_of_a_content_finds_all_that_have_it(essay):
    same = finished_delivery(files=[("copy", b"1")])
    finished_delivery(files=[("other", b"3")])

    assert found(essay.files.first().digest) == [essay, same]


def test_an_id_finds_the_delivery(essay):
    open_delivery(files=())

    assert found(str(essay.pk)) == [essay]
    assert found("9" * 18) == found("9" * 19) == found("9" * 400) == []


def test_a_delivery_with_many_hits_does_not_hide_the_others(monkeypatch):
    monkeypatch.setattr("deliverystore.models.search._FEW", 3)
    files = [(f"page {number}", b"x") for number in range(5)]
    first, second = finished_delivery(files=files), finished_delivery(files=files)

    assert found("page") == [first, second]


def test_only_deliveries_in_the_queryset_are_searched(essay):
    assert not Delivery.objects.open().search("essay").exists()
    assert Delivery.objects.finished().search("essay").get() == essay
