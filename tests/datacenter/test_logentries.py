"""What rows change is in the log of the admin."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import modify_settings
from django.utils import timezone

from deliverystore.datacenter.logentries import log_changes
from deliverystore.datacenter.rows.outcomes import Action, Outcome
from tests.school.models import Student

pytestmark = pytest.mark.django_db


def test_each_change_is_logged_as_the_admin_does_it(django_assert_num_queries):
    user = User.objects.create_user("ada")
    outcomes = [
        Outcome(1, Action.CREATED, 5, "A1"),
        Outcome(2, Action.UPDATED, 6, "A2", fields=("name", "admitted_on")),
        Outcome(3, Action.REMOVED, 7, ""),
        Outcome(4, Action.UNCHANGED, 8, "A4"),
        Outcome(5, Action.FAILED, label="A5"),
    ]
    log_changes([], model=Student, user_id=user.pk, using="default")

    with django_assert_num_queries(1, exact=False):
        count = log_changes(outcomes, model=Student, user_id=user.pk, using="default")

    logged = LogEntry.objects.order_by("object_id")
    assert count == 3
    assert [(one.object_id, str(one)) for one in logged] == [
        ("5", "Added “A1”."),
        ("6", "Changed “A2” — Changed name and admitted on."),
        ("7", "Deleted “7.”"),
    ]
    assert {one.user for one in logged} == {user}
    assert {one.content_type.model_class() for one in logged} == {Student}


def test_however_many_changes_are_logged_by_one_statement(django_assert_num_queries):
    user = User.objects.create_user("ada")
    outcomes = [Outcome(n, Action.CREATED, n, f"A{n} “\t\\N") for n in range(2500)]
    log_changes([], model=Student, user_id=user.pk, using="default")
    earlier = LogEntry.objects.log_actions(user.pk, [user], 2, single_object=True)
    start = timezone.now()

    with django_assert_num_queries(1, exact=False):
        log_changes(outcomes, model=Student, user_id=user.pk, using="default")

    logged = list(LogEntry.objects.exclude(pk=earlier.pk).order_by("pk"))
    assert [one.object_repr for one in logged] == [one.label for one in outcomes]
    assert all(start <= one.action_time <= timezone.now() for one in logged)
    later = LogEntry.objects.log_actions(user.pk, [user], 2, single_object=True)
    assert later.pk > logged[-1].pk


@modify_settings(INSTALLED_APPS={"remove": ["django.contrib.admin"]})
def test_without_the_admin_nothing_is_logged(django_assert_num_queries):
    outcomes = [Outcome(1, Action.CREATED, 5, "A1")]

    with django_assert_num_queries(0):
        assert log_changes(outcomes, model=Student, user_id=1, using="default") == 0
