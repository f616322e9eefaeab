"""What can be done with several deliveries at once."""

from __future__ import annotations

import io
import sys
import zipfile

import pytest
from django.contrib.admin.models import LogEntry

from deliverystore.models import Delivery, FileMeta
from deliverystore.verification import verify_deliveries
from tests.admin.conftest import LIST
from tests.factories import UserFactory, finished_delivery, open_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(client, boss):
    """Run an action on deliveries, as the superuser does."""

    def run(action, *deliveries, **data):
        selected = [delivery.pk for delivery in deliveries]
        data = {"action": action, "_selected_action": selected, **data}
        return client.post(LIST, data, follow=True)

    return run


def messages(response):
    return [str(message) for message in response.context["messages"]]


def test_intact_files_are_counted(run):
    response = run("verify", finished_delivery(), finished_delivery())

    assert messages(response) == ["2 files were read and are intact."]


def test_what_is_not_intact_is_named_with_a_link(run, detail_url):
    good, bad = finished_delivery(), finished_delivery()
    FileMeta.deliverystore.remove(bad.files.get())

    problems, intact = messages(run("verify", good, bad))

    assert problems.startswith("1 file is missing or damaged:")
    assert (
        f'hello.txt: missing (<a href="{detail_url(bad)}">delivery 2</a>)' in problems
    )
    assert intact == "1 file was read and is intact."


def test_not_more_are_named_than_a_person_reads(run):
    files = [(f"{number}.txt", b"x") for number in range(25)]
    delivery = finished_delivery(files=files)
    for file in delivery.files.all():
        FileMeta.deliverystore.remove(file)

    (message,) = messages(run("verify", delivery))

    assert message.count(": missing") == 20
    assert "… and 5 more." in message


def test_no_file_is_begun_when_the_time_is_over(boss):
    delivery = finished_delivery(files=[("a", b"1"), ("b", b"2")])

    found = verify_deliveries([delivery], boss, seconds=-1)

    assert (found.intact, found.unread) == (0, 2)


def test_what_there_was_no_time_for_is_said(run, monkeypatch):
    monkeypatch.setattr("deliverystore.admin.actions.MAX_SECONDS", -1)

    assert messages(run("verify", finished_delivery())) == [
        "1 file was not read: it takes too long. Verify fewer at once."
    ]


def test_the_zip_has_a_folder_for_each_delivery(run):
    ada = UserFactory(username="ada")
    response = run("download_zip", *(finished_delivery(user=ada) for _ in range(2)))

    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="deliveries 2')
    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as file:
        assert {name.partition("/")[0] for name in file.namelist()} == {
            "delivery 1, ada",
            "delivery 2, ada",
        }


def test_without_the_package_for_zip_it_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "zipstream", None)

    assert "deliverystore[zip]" in messages(run("download_zip", finished_delivery()))[0]


def test_only_open_deliveries_are_abandoned_and_only_after_a_question(run):
    finished, unfinished = finished_delivery(), open_delivery()

    asked = run("abandon", finished, unfinished)
    assert f"Open delivery {unfinished.pk}" in asked.text
    assert Delivery.objects.count() == 2

    response = run("abandon", finished, unfinished, post="yes")
    assert messages(response) == ["1 open delivery was abandoned."]
    assert Delivery.objects.get() == finished
    assert LogEntry.objects.count() == 1


def test_abandoning_none_that_is_open_says_so(run):
    response = run("abandon", finished_delivery())

    assert messages(response) == [
        "None of these deliveries is open: what was handed in stays."
    ]


@pytest.mark.parametrize("action", ["verify", "download_zip", "abandon"])
def test_an_action_cannot_be_run_by_who_may_not(client, staff, action):
    delivery = open_delivery()
    client.force_login(staff("view"))

    data = {"action": action, "_selected_action": [delivery.pk], "post": "yes"}
    client.post(LIST, data)

    assert Delivery.objects.get() == delivery
    assert "Content-Disposition" not in client.post(LIST, data).headers


def test_selected_deliveries_are_deleted_and_the_page_says_when_the_bytes_go(run):
    deliveries = [finished_delivery(), finished_delivery()]

    assert "wait for the next sweep" in run("delete_selected", *deliveries).text
    run("delete_selected", *deliveries, post="yes")

    assert not Delivery.objects.exists()
