"""The list of deliveries in the admin."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deliverystore.admin.changelist import MAX_LISTED, PER_PAGE
from deliverystore.models import Delivery
from tests.admin.conftest import LIST
from tests.factories import (
    CourseFactory,
    DepartmentFactory,
    UserFactory,
    finished_delivery,
    open_delivery,
)

pytestmark = pytest.mark.django_db


def handed_in_at(moment, **kwargs):
    delivery = finished_delivery(**kwargs)
    Delivery.objects.filter(pk=delivery.pk).update(time_of_delivery=moment)
    return delivery


def rows(text):
    """Return the links of the first column, from top to bottom."""
    return re.findall(r'field-number_or_open"><a href="[^"]*/(\d+)/change/', text)


def ids(*deliveries):
    return [str(delivery.pk) for delivery in deliveries]


def test_it_shows_what_was_handed_in_by_whom_to_whom(show):
    finished_delivery(
        files=[("a", b"x" * 1024), ("b", b"x" * 1024)],
        recipient=DepartmentFactory(name="Physics"),
        user=UserFactory(username="ada"),
    )
    text = show()

    for value in ("Physics", "ada", "finished", "2.0\xa0KB"):
        assert value in text
    assert "1 delivery" in text


def test_the_newest_come_first(show):
    old, new = finished_delivery(), open_delivery()

    assert rows(show()) == ids(new, old)


def test_the_state_is_a_word_and_not_a_colour_alone(show):
    open_delivery()

    badge = '<span class="deliverystore-badge deliverystore-open">open</span>'
    assert badge in show()


def test_an_empty_list_says_what_to_do_first(show):
    text = show()

    assert "Nothing has been handed in yet." in text
    assert "Delivery.begin()" in text


def test_a_search_without_result_does_not_say_that_there_is_nothing(show):
    finished_delivery()

    text = show(q="nowhere")

    assert "No delivery matches." in text
    assert "Nothing has been handed in yet." not in text


def test_a_recipient_that_was_deleted_is_still_named(show):
    course = CourseFactory()
    finished_delivery(recipient=course)
    pk = course.pk
    course.delete()

    assert f"course {pk} (deleted)" in show()


# -- Finding -----------------------------------------------------------------------


def test_it_is_filtered_by_state(show):
    finished, unfinished = finished_delivery(), open_delivery()

    assert rows(show(state="open")) == ids(unfinished)
    assert rows(show(state="finished")) == ids(finished)
    assert rows(show(state="nonsense")) == ids(unfinished, finished)


def test_it_is_filtered_by_kind_of_recipient(show):
    to_department = finished_delivery(recipient=DepartmentFactory())
    to_course = finished_delivery(recipient=CourseFactory())
    to_none = finished_delivery()
    kind = ContentType.objects.get_for_model(to_course.recipient).pk

    assert rows(show(kind=kind)) == ids(to_course)
    assert rows(show(kind="none")) == ids(to_none)
    assert to_department.recipient_type.name == "department"


def test_only_kinds_that_have_deliveries_are_offered(show):
    finished_delivery(recipient=DepartmentFactory())

    offered = re.findall(r'<a href="\?kind=\w+">\s*(\w+)', show())

    assert offered == ["department", "none"]


@pytest.mark.parametrize("kind", ["x", "-1", "9" * 30])
def test_a_kind_that_does_not_exist_is_no_fault(client, boss, kind):
    assert client.get(LIST, {"kind": kind}, follow=True).status_code == 200


@pytest.mark.parametrize("text", ["ada", "essay", "ESSAY.txt"])
def test_it_is_searched(show, text):
    found = finished_delivery(
        files=[("Essay.txt", b"1")], user=UserFactory(username="ada")
    )
    finished_delivery()

    assert rows(show(q=text)) == ids(found)


@pytest.mark.parametrize("text", ["\x00", "'", "%", "_", "🎉", "9" * 40, "\\", "² "])
def test_no_search_is_a_fault(client, boss, text):
    finished_delivery()

    assert client.get(LIST, {"q": text}).status_code == 200


# -- Dates -------------------------------------------------------------------------


@pytest.fixture
def over_years():
    moments = [
        datetime(2024, 2, 29, 12, tzinfo=UTC),
        datetime(2025, 7, 1, 0, tzinfo=UTC),
        datetime(2026, 1, 31, 23, 59, tzinfo=UTC),
    ]
    return [handed_in_at(moment) for moment in moments]


def links(text):
    nav = re.search(r'<nav class="toplinks"[^>]*>(.*?)</nav>', text, re.DOTALL)
    return re.findall(r">(?:&lsaquo; )?([^<>]+)</a>", nav[1]) if nav else None


def test_no_dates_are_offered_before_anything_is_handed_in(show):
    open_delivery()

    assert links(show()) is None


def test_it_offers_the_years_from_the_first_to_the_last(show, over_years):
    assert links(show()) == ["2024", "2025", "2026"]


def test_a_year_offers_its_months_that_can_have_deliveries(show, over_years):
    text = show(time_of_delivery__year=2024)

    assert rows(text) == ids(over_years[0])
    assert links(text)[:2] == ["All dates", "February 2024"]
    assert len(links(text)) == 1 + 11


def test_a_month_offers_its_days(show, over_years):
    text = show(time_of_delivery__year=2024, time_of_delivery__month=2)

    assert links(text) == ["2024", "February 29"]


def test_a_day_leads_back_to_its_month(show, over_years):
    text = show(
        time_of_delivery__year=2026,
        time_of_delivery__month=1,
        time_of_delivery__day=31,
    )

    assert rows(text) == ids(over_years[2])
    assert links(text) == ["January 2026"]


def test_it_begins_where_there_is_a_choice(show):
    for day in (3, 5):
        handed_in_at(datetime(2026, 5, day, 12, tzinfo=UTC))

    assert links(show()) == ["2026", "May 3", "May 4", "May 5"]


def test_a_choice_of_dates_keeps_the_other_filters(show, over_years):
    assert "?state=finished&amp;time_of_delivery__year=2024" in show(state="finished")


def test_days_are_those_of_the_time_zone(show, settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    moment = datetime(2025, 12, 31, 23, tzinfo=UTC)
    with timezone.override("Pacific/Auckland"):
        handed_in_at(moment)
        handed_in_at(moment + timedelta(days=1))

        assert links(show()) == ["2026", "January 1", "January 2"]


@pytest.mark.parametrize(
    "params",
    [
        {"time_of_delivery__year": "x"},
        {"time_of_delivery__month": "x"},
        {"time_of_delivery__month": "5"},
        {"time_of_delivery__day": "5"},
        {"time_of_delivery__year": "2026", "time_of_delivery__month": "13"},
        {"time_of_delivery__year": "2026", "time_of_delivery__day": "31"},
        {"time_of_delivery__year": "0"},
        {"time_of_delivery__year": "99999"},
    ],
)
def test_a_date_that_makes_no_sense_is_no_fault(client, boss, over_years, params):
    assert client.get(LIST, params, follow=True).status_code == 200


@pytest.mark.parametrize("order", ["7", "-7"])
def test_it_is_sorted_by_time(show, over_years, order):
    shown = rows(show(o=order))

    assert shown == ids(*(over_years if order == "7" else reversed(over_years)))


# -- However many ------------------------------------------------------------------


def queries(client, **params):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(LIST, params).status_code == 200
    return [query["sql"] for query in captured]


def hand_in_many(count):
    for number in range(count):
        kind = DepartmentFactory if number % 2 else CourseFactory
        finished_delivery(recipient=kind(), user=UserFactory())


def test_the_number_of_queries_does_not_grow(client, boss):
    hand_in_many(5)
    client.get(LIST)
    few = queries(client)

    hand_in_many(55)
    many = queries(client)

    assert len(many) == len(few)


def test_no_query_reads_all_rows(client, more_than_listed):
    hand_in_many(3)

    for sql in queries(client):
        if "deliverystore_delivery" in sql:
            assert re.search(r"LIMIT \d+|MIN\(|MAX\(|EXISTS", sql), sql
            assert "DISTINCT" not in sql


@pytest.fixture
def more_than_listed(boss):
    Delivery.objects.bulk_create(
        Delivery(delivered_by=boss) for _ in range(MAX_LISTED + 7)
    )


def test_it_says_that_there_are_more_than_it_counts(show, more_than_listed):
    text = show()

    assert f"There are more than {MAX_LISTED}" in text
    assert len(rows(text)) == PER_PAGE
    assert f"{MAX_LISTED} results" not in text


def test_it_says_nothing_of_the_sort_when_it_counted_all(show):
    open_delivery()

    assert "There are more than" not in show()


def test_the_last_page_ends_with_the_last_that_is_counted(show, more_than_listed):
    newest = list(Delivery.objects.order_by("-pk")[:MAX_LISTED])

    assert rows(show(p=MAX_LISTED // PER_PAGE)) == ids(*newest[-PER_PAGE:])


def test_a_page_behind_the_last_leads_back(client, boss, more_than_listed):
    response = client.get(LIST, {"p": MAX_LISTED // PER_PAGE + 1}, follow=True)

    assert response.status_code == 200


def test_all_means_all_that_are_counted(client, boss, more_than_listed):
    data = {"action": "delete_selected", "select_across": "1", "_selected_action": "1"}
    confirmed = client.post(LIST, data)
    selected = re.findall(r'name="_selected_action" value="(\d+)"', confirmed.text)

    assert len(selected) == MAX_LISTED
    again = {"action": "delete_selected", "post": "yes", "_selected_action": selected}
    assert client.post(LIST, again).status_code == 302
    assert Delivery.objects.count() == 7


# -- Who ---------------------------------------------------------------------------


def test_staff_without_permission_do_not_see_it(client, staff):
    client.force_login(staff())

    assert client.get(LIST).status_code == 403


def test_who_may_view_sees_it_without_actions(client, staff):
    delivery = finished_delivery()
    client.force_login(staff("view"))

    response = client.get(LIST)

    assert rows(response.text) == ids(delivery)
    assert "Download as ZIP" not in response.text
    assert "_selected_action" not in response.text


@pytest.mark.parametrize(
    ("action", "label"),
    [
        ("verify", "Verify the files"),
        ("download", "Download as ZIP"),
        ("abandon", "Abandon open deliveries"),
        ("delete", "Delete selected deliveries"),
    ],
)
def test_an_action_is_offered_to_who_may(client, staff, action, label):
    finished_delivery()
    client.force_login(staff("view", action))

    labels = re.findall(r'<option value="[a-z_]+">([\w ]+)', client.get(LIST).text)

    assert labels == [label]


def test_nobody_adds_or_changes_deliveries(client, boss, detail_url):
    delivery = finished_delivery()

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(detail_url(delivery), {"state": "open"}).status_code == 403


def test_a_number_that_no_column_can_hold_is_no_fault(boss, client):
    for field in ("recipient_type", "recipient_id"):
        response = client.get(LIST, {field: "9" * 20})

        assert response.status_code in {200, 302}, field


@pytest.mark.parametrize(
    "model", ["check", "delivery", "importrun", "publication", "storedvalue"]
)
def test_a_list_is_called_by_what_is_in_it(client, boss, model):
    page = client.get(reverse(f"admin:deliverystore_{model}_changelist"))

    assert str(page.context["title"]) in page.text
    assert not page.context["title"].startswith("Select")
