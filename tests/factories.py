"""Things that tests need many of."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from factory.declarations import Sequence
from factory.django import DjangoModelFactory

from deliverystore.models import Delivery
from tests.recipients.models import Course, Department


class UserFactory(DjangoModelFactory):
    class Meta:
        model = get_user_model()

    username = Sequence(lambda number: f"user{number}")


class DepartmentFactory(DjangoModelFactory):
    class Meta:
        model = Department

    name = Sequence(lambda number: f"Department {number}")


class CourseFactory(DjangoModelFactory):
    class Meta:
        model = Course

    title = Sequence(lambda number: f"Course {number}")


def open_delivery(*, files=(("hello.txt", b"hello"),), recipient=None, user=None):
    """Begin a delivery and add files to it."""
    delivery = Delivery.begin(recipient, user)
    if files:
        delivery.add_files(files)
    return delivery


def finished_delivery(**kwargs):
    """Hand in a delivery."""
    delivery = open_delivery(**kwargs)
    delivery.finish()
    return delivery
