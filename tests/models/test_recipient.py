"""Recipients that are there, were deleted, or whose model was removed."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from deliverystore.models import Delivery
from deliverystore.models.recipient import load_recipients
from deliverystore.verification import verify_receipt
from tests.factories import CourseFactory, DepartmentFactory, finished_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def orphaned():
    """Make deliveries to a model that is no more, and to a key that is none."""
    gone = ContentType.objects.create(app_label="gone", model="assignment")
    course = ContentType.objects.get_for_model(CourseFactory())
    deliveries = [finished_delivery() for _ in range(2)]
    for delivery, kind in zip(deliveries, (gone, course), strict=True):
        Delivery.objects.filter(pk=delivery.pk).update(
            recipient_type=kind, recipient_id="no-uuid"
        )
    return Delivery.objects.order_by("pk")


def test_recipients_are_loaded_with_a_query_for_each_kind(django_assert_num_queries):
    for factory in (DepartmentFactory, CourseFactory, CourseFactory):
        finished_delivery(recipient=factory())
    finished_delivery()
    deliveries = list(Delivery.objects.order_by("pk"))

    with django_assert_num_queries(2):
        load_recipients(deliveries)

    with django_assert_num_queries(0):
        found = [delivery.recipient for delivery in deliveries]
    assert [type(one).__name__ for one in found] == [
        "Department",
        "Course",
        "Course",
        "NoneType",
    ]


def test_one_whose_model_is_gone_is_none(orphaned):
    deliveries = list(orphaned)

    load_recipients(deliveries)

    assert [delivery.recipient for delivery in deliveries] == [None, None]


def test_a_delivery_to_it_can_be_named_receipted_and_verified(orphaned):
    for delivery in orphaned:
        assert str(delivery) == f"delivery {delivery.number}"
        assert verify_receipt(delivery.receipt()).agrees


def test_the_admin_shows_it(orphaned, client):
    client.force_login(get_user_model().objects.create_superuser("root"))

    listed = client.get(reverse("admin:deliverystore_delivery_changelist"))

    assert listed.status_code == 200
    assert b"no-uuid" in listed.content
    for delivery in orphaned:
        url = reverse("admin:deliverystore_delivery_change", args=[delivery.pk])
        assert b"no-uuid (deleted)" in client.get(url).content
