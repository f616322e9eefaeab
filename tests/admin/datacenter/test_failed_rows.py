"""The rows that failed: listed by pages that seek, and edited one by one."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from deliverystore.datacenter import registry, runs
from deliverystore.models import FailedRow
from tests.admin.datacenter.helpers import (
    imported,
    queries_of,
    run_url,
    some_failed,
    who_may,
    words,
)
from tests.datacenter.csvfiles import table
from tests.datacenter.places import put
from tests.school.models import Faculty
from tests.school.processors import FacultyProcessor

pytestmark = pytest.mark.django_db


class HushedProcessor(FacultyProcessor):
    name = "hushed"
    sensitive = ["name"]


@pytest.fixture(autouse=True)
def logged_in(boss):
    """Every test of this module has a superuser who looks."""


@pytest.fixture
def hushed():
    registry.register(HushedProcessor)
    yield "hushed"
    registry.unregister(HushedProcessor)


def numbers(text):
    return [int(one) for one in re.findall(r'/rows/(\d+)/">\d', text)]


def edit(client, run, number, cells, **more):
    data = {f"cell-{at}": text for at, text in enumerate(cells)}
    return client.post(run_url("row", run.pk, number), {**data, **more}, follow=True)


def cells_of(run, number):
    return FailedRow.objects.get(run=run, number=number).current_cells


# -- The list ----------------------------------------------------------------------


def test_rows_are_listed_with_what_is_wrong_beside_the_cells(center, client):
    run = imported(center, ("F1", "Good"), ("far-too-long", "Bad"))
    text = client.get(run_url("rows", run.pk)).text

    assert numbers(text) == [2]
    assert "line 3" in text
    assert "code: Ensure this value has at most 10 characters" in words(text)
    assert 'class="deliverystore-wrong"' in text


def test_pages_lead_on_and_back(center, client):
    run = some_failed(center, bad=120)
    url = run_url("rows", run.pk)
    assert numbers(client.get(url).text) == list(range(1, 51))
    assert numbers(client.get(f"{url}?after=50").text) == list(range(51, 101))
    last = client.get(f"{url}?after=100").text
    assert numbers(last) == list(range(101, 121))
    assert 'rel="next"' not in last
    assert "?before=101" in last
    assert numbers(client.get(f"{url}?before=101").text) == list(range(51, 101))
    first = client.get(f"{url}?before=20").text
    assert numbers(first) == list(range(1, 51))
    assert 'rel="prev"' not in first
    for odd in ("after=x", "before=-1", f"after={'9' * 30}", "after=²"):
        assert numbers(client.get(f"{url}?{odd}").text) == list(range(1, 51))


def test_a_page_costs_the_same_for_many_rows(center, client):
    few = some_failed(center, bad=60)
    many = some_failed(center, bad=2000, good=0, name="many.csv")
    url = run_url("rows", many.pk)

    assert queries_of(client, url) == queries_of(client, run_url("rows", few.pk))
    assert queries_of(client, f"{url}?after=1500") == queries_of(client, url)


def test_pages_are_found_by_indexes(center):
    if connection.vendor != "sqlite":
        return  # Elsewhere the plan depends on how much there is.
    from deliverystore.admin.datacenter import failures, row_pages

    run = some_failed(center, bad=5)
    with connection.execute_wrapper(_explain(plans := [])):
        row_pages._read(run, 3, (2,), False)
        row_pages._read(run, 3, (4,), True)
        failures._read(run, 3, (1, 2), False)
        failures._read(run, 3, (1, 2), True)

    assert len(plans) == 6
    for plan in plans:
        assert "USING INDEX" in plan
        assert "B-TREE" not in plan  # nothing is sorted


def _explain(plans):
    def explain(execute, sql, params, many, context):
        explained = f"EXPLAIN QUERY PLAN {sql.replace('%s', '?')}"
        rows = connection.connection.execute(explained, params).fetchall()
        plans.append(" ".join(row[3] for row in rows))
        return execute(sql, params, many, context)

    return explain


def test_a_sensitive_column_is_not_shown_in_lists(center, client, hushed):
    rows = [("far-too-long", "s3cret")]
    run = imported(center, *rows, processor=hushed)
    for name in ("change", "rows"):
        assert "s3cret" not in client.get(run_url(name, run.pk)).text
    # Who may import it has to see it to edit it.
    assert "s3cret" in client.get(run_url("row", run.pk, 1)).text
    client.force_login(who_may("view_importrun"))
    assert "s3cret" not in client.get(run_url("row", run.pk, 1)).text


# -- One row -----------------------------------------------------------------------


def test_a_row_is_edited_and_goes_in(center, client):
    run = some_failed(center, bad=1)
    page = client.get(run_url("row", run.pk, 1)).text
    assert 'value="far-too-long"' in page
    assert 'aria-invalid="true"' in page
    assert 'for="cell-0"' in page

    response = edit(client, run, 1, ["OK", "Mended"])
    assert "Row 1 is kept as it is now" in words(response)
    assert "edited" in words(response)
    new = runs.work(runs.retry(run, enqueue=False))
    assert new.state == "finished"
    assert Faculty.objects.get(code="OK").name == "Mended"


def test_an_edited_row_is_not_called_wrong_before_it_is_tried(center, client):
    run = some_failed(center, bad=2)
    why = "Ensure this value has at most 10 characters"
    edit(client, run, 1, ["OK", "Mended"])

    rows = client.get(run_url("rows", run.pk))
    assert "edited edited, not tried yet OK Mended 2 line" in words(rows)
    assert words(rows).count(why) == 1
    assert rows.text.count('class="deliverystore-wrong"') == 1
    row = client.get(run_url("row", run.pk, 1))
    assert "It was edited, and has not been tried yet." in words(row)
    assert f"Before it was edited: {why}" in words(row)
    assert 'class="errorlist"' not in row.text
    assert "aria-invalid" not in row.text
    other = client.get(run_url("row", run.pk, 2))
    assert 'class="errorlist"' in other.text
    assert "edited" not in words(other)


def test_the_next_row_comes_at_once_if_asked_for(center, client):
    run = some_failed(center, bad=2)

    response = edit(client, run, 1, ["A", ""], then="next")
    assert response.redirect_chain[-1][0] == run_url("row", run.pk, 2)
    response = edit(client, run, 2, ["B", ""], then="next")
    assert response.redirect_chain[-1][0].startswith(run_url("rows", run.pk))


def test_what_is_not_touched_stays_to_the_letter(center, client):
    long = "x" * 3000
    run = imported(center, ("too-long\r\ncode", long), ("too-long-code", "\ta\nb"))
    page = client.get(run_url("row", run.pk, 1)).text
    assert long not in page
    assert "Too long to be shown" in page
    # As browsers send it: line ends are others, and a long cell is left empty.
    edit(client, run, 1, ["too-long\r\ncode", ""])
    assert cells_of(run, 1) == ["too-long\r\ncode", long]
    edit(client, run, 2, ["OK", "\ta\r\nb"])
    assert cells_of(run, 2) == ["OK", "\ta\nb"]
    edit(client, run, 1, ["OK", "short"])
    assert cells_of(run, 1) == ["OK", "short"]


def test_a_row_that_is_too_short_or_too_long_can_be_edited(center, client):
    put(center, "f.csv", 'code,name\r\n"far-too-long"\r\nfar-too-long,a,beyond\r\n')
    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))
    assert run.failed == 2
    assert "beyond" in client.get(run_url("row", run.pk, 2)).text
    edit(client, run, 1, ["A", "Arts"])
    edit(client, run, 2, ["B", "Biology"])

    assert runs.work(runs.retry(run, enqueue=False)).finished == 2


def test_the_column_with_errors_of_a_pending_file_is_not_among_the_cells(
    center, client
):
    put(
        center,
        "f.csv",
        table(
            ("too-long-code", "x", "why"),
            header=("code", "name", "--ERRORS--"),
        ),
    )
    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))
    page = client.get(run_url("row", run.pk, 1)).text

    assert "--ERRORS--" not in page
    assert "--ERRORS--" not in client.get(run_url("rows", run.pk)).text
    edit(client, run, 1, ["OK", "x"])
    assert runs.work(runs.retry(run, enqueue=False)).finished == 1


def test_of_very_many_columns_those_with_errors_can_be_edited(center, client):
    header = [*(f"c{n}" for n in range(1500)), "code"]
    put(center, "f.csv", table([*["x"] * 1500, "too-long-code"], header=header))
    mapping = dict.fromkeys(header[:-1])
    run = runs.start_run("f.csv", "faculty", "create", mapping, enqueue=False)
    runs.work(run)
    page = client.get(run_url("row", run.pk, 1)).text
    assert page.count('<input type="text"') == 200
    assert 'name="cell-1500"' in page
    client.post(run_url("row", run.pk, 1), {"cell-1500": "OK", "cell-900": "no"})

    assert cells_of(run, 1) == [*["x"] * 1500, "OK"]


def test_the_rows_of_a_run_that_is_over_are_not_edited(center, client):
    run = some_failed(center, bad=1)
    runs.discard(run, "done")

    assert "disabled" in client.get(run_url("row", run.pk, 1)).text
    assert "No rows of import" in words(edit(client, run, 1, ["A", "B"]))


def test_who_may_not_import_does_not_edit(center, client):
    run = some_failed(center, bad=1)
    client.force_login(who_may("view_importrun"))

    assert client.get(run_url("row", run.pk, 1)).status_code == 200
    assert client.post(run_url("row", run.pk, 1)).status_code == 403
    assert client.get(run_url("row", run.pk, 77)).status_code == 404
