"""Imports and people for the tests of the pages about imports and exports."""

from __future__ import annotations

import re

from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deliverystore.datacenter import runs
from tests.datacenter.imports import start
from tests.factories import UserFactory

MEMBERS = ("number", "email", "faculty")


def run_url(name, *args):
    return reverse(f"admin:deliverystore_importrun_{name}", args=args)


def export_url(name, *args):
    return reverse(f"admin:deliverystore_export_{name}", args=args)


def words(response):
    """Return the text of a page as it is read."""
    text = response if isinstance(response, str) else response.text
    text = text.replace("<wbr>", "")
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def who_may(*codenames):
    """Make a member of staff with permissions: "run_import", "add_faculty" …."""
    user = UserFactory(is_staff=True)
    mine = Permission.objects.filter(
        content_type__app_label__in=["deliverystore", "school"], codename__in=codenames
    )
    user.user_permissions.set(mine)
    return user


def imported(center, *rows, **options):
    """Import faculties, as far as they go in."""
    return runs.work(start(center, *rows, **options))


def some_failed(center, bad=3, good=2, **options):
    """Import faculties of which some have a code that is too long."""
    wrong = [("far-too-long", f"Bad {n}") for n in range(bad)]
    right = [(f"F{n}", f"Good {n}") for n in range(good)]
    return imported(center, *wrong, *right, **options)


def queries_of(client, url):
    """Return how many queries a page takes."""
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)
