"""What is read instead of wrong values: said, shown, and forgotten again."""

from __future__ import annotations

import logging

import pytest

from deliverystore.datacenter import runs
from deliverystore.datacenter.runs.texts import dumped
from deliverystore.exceptions import NotPermitted, RunRefused
from deliverystore.models import FailureGroup, ValueCorrection
from tests.admin.datacenter.helpers import (
    imported,
    queries_of,
    run_url,
    some_failed,
    who_may,
    words,
)
from tests.school.models import Faculty

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def logged_in(boss):
    """Every test of this module has a superuser who looks."""


def listed(client, **params):
    return client.get(run_url("corrections"), {"processor": "faculty", **params})


def post(client, run, **data):
    """Send the form with the groups; PK stands for the id of the only one."""
    pk = FailureGroup.objects.get(run=run).pk
    named = {name.replace("PK", str(pk)): text for name, text in data.items()}
    return client.post(run_url("correct", run.pk), named, follow=True)


def forget(client, **data):
    pk = ValueCorrection.objects.get().pk
    data = {"processor": "faculty", "correction": pk, **data}
    return client.post(run_url("forget"), data, follow=True)


def test_a_number_that_no_group_can_have_is_no_fault(center, client):
    run = some_failed(center)
    for number in ("9" * 19, "9" * 400, "-1", "²", ""):
        for prefix in ("right-", "empty-"):
            data = {f"{prefix}{number}": "a"}
            response = client.post(run_url("correct", run.pk), data, follow=True)
            assert response.status_code == 200
    assert not ValueCorrection.objects.exists()


def test_a_name_that_is_only_a_number_says_nothing(center, client):
    run = some_failed(center)
    post(client, run, PK="OK")

    assert not ValueCorrection.objects.exists()


@pytest.mark.parametrize("right", ["x" * 201, "x" * 1_000_000, "a\tb", "a\x00b", " a "])
def test_what_a_browser_would_change_is_shown_and_stays(center, client, right):
    run = some_failed(center)
    runs.correct_values(run, "code", {"far-too-long": right})
    page = client.get(run_url("change", run.pk)).text
    pk = FailureGroup.objects.get(run=run).pk

    assert f'name="right-{pk}" value=""' in page
    assert "Read now as:" in page
    assert len(page) < 100_000
    assert "Nothing new" in words(post(client, run, **{"right-PK": ""}))
    assert runs.corrections_of("faculty").get().right_json == dumped(right)


def test_what_can_be_sent_back_is_offered(center, client):
    run = some_failed(center)
    runs.correct_values(run, "code", {"far-too-long": "é" * 200})
    page = client.get(run_url("change", run.pk)).text

    assert f'value="{"é" * 200}"' in page
    assert "Nothing new" in words(post(client, run, **{"right-PK": "é" * 200}))


def test_nothing_can_be_meant(center, client):
    run = imported(center, ("A", "x" * 300), mode="create")
    response = post(client, run, **{"right-PK": "", "empty-PK": "1"})

    assert "→ “(empty)” from now on, in 1 row here." in words(response)
    assert "Read now as: (empty)" in words(response)
    assert "Nothing new" in words(post(client, run, **{"empty-PK": "1"}))
    again = runs.work(runs.retry(run, enqueue=False))
    assert again.state == "finished"
    assert Faculty.objects.get().name == ""


def test_the_tick_counts_more_than_what_stood_beside_it(center, client):
    run = imported(center, ("A", "x" * 300), mode="create")
    post(client, run, **{"right-PK": "OK"})
    post(client, run, **{"right-PK": "OK", "empty-PK": "1"})

    assert ValueCorrection.objects.get().right_json == '""'


def test_a_text_and_the_tick_that_nothing_is_meant_are_refused(center, client):
    run = imported(center, ("A", "x" * 300), mode="create")

    page = words(post(client, run, **{"right-PK": "Arts", "empty-PK": "1"}))

    assert "both “Arts” and an empty cell are said" in page
    assert not ValueCorrection.objects.exists()


def test_nothing_is_not_offered_for_a_field_that_needs_a_value(center, client):
    run = some_failed(center)
    page = client.get(run_url("change", run.pk)).text

    assert 'name="right-' in page
    assert 'name="empty-' not in page
    assert "Nothing new" in words(post(client, run, **{"empty-PK": "1"}))
    assert not ValueCorrection.objects.exists()


def test_what_is_to_be_removed_is_not_corrected_by_value(center, client):
    Faculty.objects.create(code="A")
    run = imported(center, ("B", ""), mode="remove")

    page = client.get(run_url("change", run.pk))
    assert 'name="right-' not in page.text
    assert "edit its rows" in words(page)
    post(client, run, **{"right-PK": "A", "then": "retry"})

    assert not ValueCorrection.objects.exists()


def test_corrections_are_listed_with_who_said_them(center, client, boss):
    run = some_failed(center)
    post(client, run, **{"right-PK": "<b>OK"})
    page = client.get(run_url("change", run.pk)).text
    assert f'href="{run_url("corrections")}?processor=faculty"' in page

    text = listed(client).text
    assert "code far-too-long &lt;b&gt;OK boss" in words(text)
    assert "<b>OK" not in text


def test_what_is_forgotten_is_read_as_it_stands(center, client, caplog):
    run = some_failed(center, bad=1)
    post(client, run, **{"right-PK": "OK"})
    with caplog.at_level(logging.INFO, "deliverystore.datacenter"):
        response = forget(client)

    assert "Forgotten" in words(response)
    assert "Nothing is remembered" in words(response)
    assert "forget 'faculty' user='boss' column='code'" in caplog.text
    assert "far-too-long" not in caplog.text
    again = runs.work(runs.retry(run, enqueue=False))
    assert again.failed == 1


def test_that_it_was_said_is_logged_without_the_values(center, client, caplog):
    run = some_failed(center)
    with caplog.at_level(logging.INFO, "deliverystore.datacenter"):
        post(client, run, **{"right-PK": "OK"})

    assert f"correct 'f.csv' user='boss' run={run.pk}" in caplog.text
    assert "far-too-long" not in caplog.text


def test_what_is_not_there_is_a_message(center, client):
    run = some_failed(center)
    post(client, run, **{"right-PK": "OK"})
    for correction in ("9" * 18, "0"):
        assert "no such correction" in words(forget(client, correction=correction))
    for correction in ("", "x", "-1", "9" * 40):
        assert forget(client, correction=correction).status_code == 200
    assert "no such correction" in words(forget(client, processor="student"))
    assert listed(client, processor="odd").url == run_url("changelist")
    assert client.get(run_url("forget"), follow=True).status_code == 200
    assert ValueCorrection.objects.exists()


def test_only_who_may_import_forgets(center, client):
    run = some_failed(center)
    post(client, run, **{"right-PK": "OK"})
    client.force_login(who_may("view_importrun"))
    assert "far-too-long" in listed(client).text
    assert ">Forget</button>" not in listed(client).text
    assert forget(client).status_code == 403
    for others in (who_may("run_import", "add_student"), who_may()):
        client.force_login(others)
        assert listed(client).status_code == 403
        assert forget(client).status_code == 403
        with pytest.raises(NotPermitted):
            runs.corrections_of("faculty", others)
    client.force_login(who_may("run_import", "add_faculty"))
    assert ">Forget</button>" in listed(client).text
    assert "Forgotten" in words(forget(client))
    with pytest.raises(RunRefused):
        runs.forget_correction("faculty", 7)


def test_pages_lead_on_and_back_at_the_same_cost(center, client):
    run = some_failed(center)
    runs.correct_values(run, "code", {f"w{n}": "x" * 10_000 for n in range(60)})
    few = queries_of(client, run_url("corrections") + "?processor=faculty")
    first = listed(client).text
    assert first.count(">Forget</button>") == 50
    assert len(first) < 100_000
    last = ValueCorrection.objects.order_by("-pk")[49].pk
    assert f"?processor=faculty&amp;after={last}" in first
    second = listed(client, after=last).text
    assert second.count(">Forget</button>") == 10
    assert 'rel="prev"' in second
    runs.correct_values(run, "code", {f"v{n}": "y" for n in range(200)})
    assert queries_of(client, run_url("corrections") + "?processor=faculty") == few


def test_the_page_does_not_count_rows(center, client, monkeypatch):
    run = some_failed(center)
    monkeypatch.setattr("deliverystore.datacenter.runs.corrections._count_having", None)

    assert "in 3 rows here" in words(post(client, run, **{"right-PK": "OK"}))
