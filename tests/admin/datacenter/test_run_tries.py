"""Rows that are tried again, on the pages: which import has which, counted where."""

from __future__ import annotations

import pytest

from deliverystore.datacenter import Layout, runs
from deliverystore.models import ImportRun
from tests.admin.datacenter.helpers import (
    queries_of,
    run_url,
    some_failed,
    who_may,
    words,
)
from tests.datacenter.places import put, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(center, client, boss):
    """Three imports: of a file, of what failed in it, of the pending file."""
    first = some_failed(center, bad=3, good=2)
    second = runs.work(runs.retry(first, enqueue=False))
    third = runs.start_run(second.pending_file, enqueue=False)
    return [first, second, runs.work(third)]


def page(client, run, name="change", *args):
    return client.get(run_url(name, run.pk, *args)).text


def test_all_imports_of_the_rows_stand_side_by_side_and_add_up(client, chain):
    first, second, _third = chain
    for run in chain:
        text = page(client, run)
        told = words(text)
        assert "Of 5 rows: 2 in, 3 left, 0 blank." in told
        assert f"Import {run.pk}, this one" in told
        for other in {*chain} - {run}:
            assert f'<a href="{run_url("change", other.pk)}">Import {other.pk}<' in text
    assert f"Import {first.pk} the file as it came 5 2 3 0" in told
    assert f"the rows that import {first.pk} left 3 0 3 0" in told
    assert f"the pending file of import {second.pk} 3 0 3 0" in told
    assert "Together 5 2 3 left 0" in told


def test_rows_that_were_given_up_are_not_left(client, chain, boss):
    runs.discard(chain[2], "They are of last year.", boss)

    told = words(page(client, chain[2]))

    assert "Of 5 rows: 2 in, 3 given up, 0 blank." in told
    assert "Together 5 2 3 given up 0" in told


def test_rows_that_did_not_come_back_and_new_ones_are_told(center, client, boss):
    first = some_failed(center, bad=3, good=2)
    header, *lines = read(center, first.pending_file).splitlines(keepends=True)
    put(center, first.pending_file, header + lines[0])
    second = runs.work(runs.start_run(first.pending_file, enqueue=False))
    told = words(page(client, second))
    assert "Of 5 rows: 2 in, 1 left, 0 blank. 2 rows that failed did not" in told
    assert "did not come back in the file that was tried again." in told
    assert "Together 5 2 1 left, 2 did not come back 0" in told

    put(center, second.pending_file, header + lines[0] + "N,New,\nO,New,\n")
    third = runs.work(runs.start_run(second.pending_file, enqueue=False))

    told = words(page(client, third))
    assert "Of 7 rows: 4 in, 1 left, 0 blank." in told
    assert "2 rows are new." in told


def test_an_import_without_others_has_no_such_table(center, client, boss):
    assert "All imports of these rows" not in page(client, some_failed(center))


def test_whose_imports_one_does_not_see_are_not_told(center, client, chain):
    ImportRun.objects.filter(pk=chain[0].pk).update(processor="student")
    client.force_login(who_may("run_import", "add_faculty"))

    assert "All imports of these rows" not in page(client, chain[2])


def test_a_number_says_in_which_file_it_counts(client, chain):
    first, second, third = chain
    pending = third.file
    assert "counted in" not in words(page(client, first))
    assert "Rows are counted in f.csv ." in words(page(client, second))
    assert f"Rows are counted in {pending} ." in words(page(client, third))

    assert "counted in" not in words(page(client, first, "rows"))
    as_it_came = "Rows and lines are counted in f.csv , the file as it came."
    assert as_it_came in words(page(client, second, "rows"))
    rows = words(page(client, third, "rows"))
    assert f"are counted in {pending} , not in f.csv ." in rows
    assert "1 line 2 line 2 of f.csv" in rows

    row = words(page(client, third, "row", 1))
    assert f"It begins in line 2 of f.csv , and in line 2 of {pending} ." in row
    assert "It begins in line 2 of f.csv ." in words(page(client, second, "row", 1))


def test_how_the_file_is_written_is_said_in_words(center, client, boss):
    text = words(page(client, some_failed(center)))

    assert "UTF-8, a comma between cells, double quotes around them" in text


def test_a_header_below_titles_is_said_with_how_the_file_is_written(
    center, client, boss
):
    center.upload("f.csv", "Faculties\n\ncode,name\nA,Arts\n")
    layout = Layout(header_line=3)
    run = runs.start_run("f.csv", "faculty", "create", layout=layout, enqueue=False)

    assert "the columns named in line 3" in words(page(client, run))


def test_who_may_not_download_is_told_of_no_file_to_be_mended(center, client):
    run = some_failed(center)
    mine = ["run_import", "add_faculty", "upload_datafile"]
    client.force_login(who_may(*mine))
    told = words(page(client, run))
    assert "on your computer" not in told
    assert "ask somebody who may download and upload files" in told
    files = words(client.get("/admin/deliverystore/datafileinfo/").text)
    assert "downloaded" not in files

    client.force_login(who_may(*mine, "download_datafile"))

    assert "on your computer" in words(page(client, run))
    files = words(client.get("/admin/deliverystore/datafileinfo/").text)
    assert "the name with which it was downloaded" in files


def test_who_may_not_import_is_not_told_to_correct(center, client):
    run = some_failed(center)
    client.force_login(who_may("view_importrun"))

    told = words(page(client, run))

    assert "Say below" not in told
    assert "for those who may import" in told


@pytest.mark.parametrize("options", [{"dry_run": True}, {"on_error": "all_or_nothing"}])
def test_one_transaction_says_why_it_shows_no_counts(center, client, boss, options):
    run = some_failed(center, **options)
    values = {"state": "running", "is_read": False, "rows": 0, "finished": 0}
    values |= {"failed": 0, "created": 0, "ended": None}
    ImportRun.objects.filter(pk=run.pk).update(**values)

    text = page(client, run)
    facts = client.get(run_url("progress", run.pk)).json()

    assert "All its rows are one transaction" in words(text)
    assert "<progress data-live-share" in text
    assert "deliverystore-counts" not in text
    assert facts["share"] is None
    assert facts["texts"]["done"] == ""
    assert facts["texts"]["speed"] == "under way for 1 s"


def test_pages_take_as_many_queries_after_many_tries_as_after_few(center, client, boss):
    run = runs.work(runs.retry(some_failed(center), enqueue=False))

    def queries():
        pages = [run_url(name, run.pk) for name in ("change", "rows")]
        return [queries_of(client, one) for one in [*pages, run_url("row", run.pk, 1)]]

    few = queries()
    for _ in range(4):
        run = runs.work(runs.retry(run, enqueue=False))
    assert queries() == few
    first = run_url("change", run.first.pk)
    assert queries_of(client, first) <= few[0]
    assert run.first.file == "f.csv"
