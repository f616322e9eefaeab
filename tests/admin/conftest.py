"""Staff who look at deliveries in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from tests.browser import browser, page, screen  # noqa: F401 - fixtures
from tests.factories import UserFactory

LIST = "/admin/deliverystore/delivery/"


@pytest.fixture
def staff(db):
    """Make a member of staff who may do some of the actions."""

    def staff(*actions):
        user = UserFactory(is_staff=True)
        codenames = [f"{action}_delivery" for action in actions]
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return user

    return staff


@pytest.fixture
def boss(client):
    """Log a superuser in."""
    user = UserFactory(username="boss", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


@pytest.fixture
def show(boss, client):
    """Return the text of a page of the admin, as the superuser sees it."""

    def show(url=LIST, **params):
        response = client.get(url, params)
        assert response.status_code == 200, response
        return response.text

    return show


@pytest.fixture
def detail_url():
    def detail_url(delivery, name="change"):
        return reverse(f"admin:deliverystore_delivery_{name}", args=[delivery.pk])

    return detail_url
