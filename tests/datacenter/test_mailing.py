"""E-mail that a file has come."""

from __future__ import annotations

import pytest
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import translation
from django.utils.module_loading import import_string

from deliverystore.datacenter import DataCenter, mailing
from deliverystore.datacenter.runs.tasks import run_import
from tests.datacenter.places import names_in
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


class WithoutUsers(BaseBackend):
    """A backend that cannot say who has a permission."""


class Everybody(BaseBackend):
    """A backend of which a user has every permission."""

    def with_perm(self, perm):
        return [UserFactory.build(email="guest@example.org")]


@pytest.fixture
def center(tmp_path):
    return DataCenter(tmp_path / "center")


@pytest.fixture
def importer():
    permission = Permission.objects.get(codename="run_import")
    user = UserFactory.create(email="grace@example.org")
    user.user_permissions.add(permission)
    return user


def test_who_may_import_is_told_that_a_file_waits_without_what_is_in_it(
    center, importer
):
    chief = UserFactory.create(username="ada", is_superuser=True, email="a@example.org")

    center.upload("N.csv", "id,secret\n1,cell\n2\n", user=chief)

    [message] = mail.outbox
    assert message.subject == "N.csv waits to be imported"
    assert message.body == (
        "ada has uploaded N.csv to the data center.\n"
        "19 bytes, 2 rows. 1 problem was found.\n"
    )
    assert sorted(message.bcc) == ["a@example.org", "grace@example.org"]
    assert (message.to, message.cc) == ([], [])
    assert "cell" not in str(message.message())


def test_who_may_not_import_or_is_gone_or_has_no_address_is_not_told(center, importer):
    permission = Permission.objects.get(codename="run_import")
    group = Group.objects.create(name="importers")
    group.permissions.add(permission)
    member = UserFactory.create(email="member@example.org")
    member.groups.add(group)
    UserFactory.create(email="other@example.org")
    for attributes in ({"email": "gone@example.org", "is_active": False}, {}):
        UserFactory.create(**attributes).user_permissions.add(permission)

    center.upload("N.csv", "a\n1\n")

    assert mail.outbox[0].bcc == ["grace@example.org", "member@example.org"]
    assert mail.outbox[0].body.startswith("N.csv has come to the data center.")


def test_without_anybody_to_tell_there_is_no_mail(center):
    center.upload("N.csv", "a\n1\n")

    assert mail.outbox == []


@pytest.mark.parametrize("by", ["task", "itself"])
def test_an_upload_does_not_fail_because_of_mail(
    center, importer, monkeypatch, caplog, by
):
    def refuse(backend, messages):
        raise ConnectionRefusedError("no server here")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    if by == "itself":
        monkeypatch.setattr(mailing, "send_mail", None)

    file = center.upload("N.csv", "a\n1\n")

    assert names_in(center) == [file.name] == ["N.csv"]
    assert "no server here" in caplog.text


def test_nobody_is_told_if_the_caller_says_so(center, importer):
    center.upload("N.csv", "a\n1\n", notify=False)

    assert mail.outbox == []


def test_without_a_framework_for_tasks_the_mail_is_sent_at_once(
    center, importer, monkeypatch
):
    monkeypatch.setattr(mailing, "send_mail", None)

    center.upload("N.csv", "a\n1\n")

    assert len(mail.outbox) == 1


def test_every_backend_that_knows_who_may_import_is_asked(center, importer, settings):
    settings.AUTHENTICATION_BACKENDS = [
        *("django.contrib.auth.backends.ModelBackend", f"{__name__}.WithoutUsers"),
        *("django.contrib.auth.backends.ModelBackend", f"{__name__}.Everybody"),
    ]

    center.upload("N.csv", "a\n1\n")

    assert mail.outbox[0].bcc == ["grace@example.org", "guest@example.org"]


def test_the_mail_is_in_the_language_of_the_site(center, importer, settings):
    settings.LANGUAGE_CODE = "de"

    with translation.override("fr"):
        center.upload("N.csv", "a\n" * 1024)

    assert "2,00 KB" in mail.outbox[0].body


@pytest.mark.parametrize("task", [mailing.send_mail, run_import])
def test_a_worker_finds_a_task_under_its_name(task):
    assert import_string(task.module_path) is task
