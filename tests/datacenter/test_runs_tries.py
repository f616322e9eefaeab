"""Rows that are tried again: where they stand in the original, what they come to."""

from __future__ import annotations

import pytest

from deliverystore.datacenter import runs
from deliverystore.datacenter.runs.known_again import counted_by
from deliverystore.datacenter.runs.tries import together, tries_of
from deliverystore.models import FailedRow, ImportRun
from tests.datacenter.imports import start, work_killed
from tests.datacenter.places import put, read

pytestmark = pytest.mark.django_db

# The bad ones begin in the lines 3, 5 and 6, in records 2, 4 and 5 of f.csv.
ROWS = [
    ("A", "Arts"),
    ("too-long-code-1", "Law"),
    ("B", "two\nlines"),
    ("too-long-code-2", "Music"),
    ("", ""),
    ("too-long-code-3", "Physics"),
]


@pytest.fixture
def first(center):
    return runs.work(start(center, *ROWS))


def again(run, **options):
    """Import the pending file of a run."""
    new = runs.start_run(run.pending_file, enqueue=False, **options)
    return runs.work(new, batch_size=1)


def lines_of(run):
    rows = FailedRow.objects.filter(run=run).order_by("number")
    return list(rows.values_list("number", "line", "first_line"))


def mend(center, run, old, new):
    put(center, run.pending_file, read(center, run.pending_file).replace(old, new))


def test_rows_of_a_pending_file_know_their_lines_in_the_original(center, first):
    assert lines_of(first) == [(2, 3, None), (4, 6, None), (6, 8, None)]

    second = again(first)

    assert lines_of(second) == [(1, 2, 3), (2, 3, 6), (3, 4, 8)]
    assert lines_of(again(second)) == lines_of(second)


def test_so_do_rows_that_were_mended_but_not_those_that_became_others(center, first):
    mend(center, first, "too-long-code-1", "too-long-code-9")
    mend(center, first, "too-long-code-2,Music", "too-long-code-2,Chemistry")

    assert lines_of(again(first)) == [(1, 2, 3), (2, 3, None), (3, 4, 8)]


def test_rows_behind_one_that_was_taken_out_are_sent_to_no_wrong_line(center, first):
    lines = read(center, first.pending_file).splitlines(keepends=True)
    put(center, first.pending_file, "".join(lines[:1] + lines[2:]))

    assert lines_of(again(first)) == [(1, 2, None), (2, 3, None)]


def test_columns_that_are_others_are_not_compared(center, first):
    mend(center, first, "name", "NAME")

    second = again(first, mapping={"code": "code", "NAME": "name"})

    assert {line for *_, line in lines_of(second)} == {None}


def test_the_lines_are_known_behind_an_interruption(center, first):
    second = runs.start_run(first.pending_file, enqueue=False)
    assert work_killed(second, after=1, batch_size=1)

    runs.work(ImportRun.objects.get(pk=second.pk), batch_size=1)

    assert lines_of(second) == [(1, 2, 3), (2, 3, 6), (3, 4, 8)]


@pytest.mark.parametrize("options", [{"dry_run": True}, {"on_error": "all_or_nothing"}])
def test_the_lines_are_known_in_one_transaction(center, first, options):
    second = again(first, **options)

    assert [line for *_, line in lines_of(second)] == [3, 6, 8]


def test_rows_that_are_tried_as_they_are_keep_their_lines(center, first):
    second = runs.work(runs.retry(first, enqueue=False))
    third = runs.work(runs.retry(again(second), enqueue=False))

    assert lines_of(second) == lines_of(first)
    assert [line for *_, line in lines_of(third)] == [3, 6, 8]
    assert counted_by(second) == "f.csv"
    assert counted_by(third) == "f.create.pending.csv"


def test_all_tries_are_found_from_each_and_add_up(center, first):
    runs.correct_values(first, "code", {"too-long-code-1": "L"})
    second = runs.work(runs.retry(first, enqueue=False))
    again(second, dry_run=True)
    third = again(second)
    dry = again(third, dry_run=True)

    assert tries_of(dry) == [dry]
    for run in (first, second, third):
        found = tries_of(ImportRun.objects.get(pk=run.pk))
        assert [one.pk for one in found] == [first.pk, second.pk, third.pk]
    total = together(found)
    assert (total.rows, total.finished, total.left, total.blank) == (6, 3, 2, 1)
    assert total.rows == total.finished + total.left + total.blank


def test_rows_that_were_taken_out_by_hand_did_not_come_back(center, first):
    lines = read(center, first.pending_file).splitlines(keepends=True)
    put(center, first.pending_file, "".join(lines[:2]))

    second = again(first)

    total = together([first, second])
    assert (total.rows, total.finished, total.left, total.blank) == (6, 2, 1, 1)
    assert (total.gone, total.new) == (2, 0)


def test_a_try_that_did_nothing_has_taken_no_rows_out(center, first):
    second = runs.retry(first, enqueue=False)
    runs.cancel(second)

    total = together(tries_of(second))

    assert (total.rows, total.left, total.gone) == (6, 3, 0)


@pytest.mark.parametrize("done", [0, 1])
def test_what_a_broken_try_has_not_read_is_given_up_with_the_rest(center, first, done):
    second = runs.start_run(first.pending_file, enqueue=False)
    work_killed(second, after=done, batch_size=1)
    ImportRun.objects.filter(pk=second.pk).update(state="broken")
    second.refresh_from_db()
    runs.discard(second, "lost")

    total = together(tries_of(second))

    assert (total.rows, total.left, total.gone) == (6, 3, 0)
    assert total.is_given_up


def test_a_broken_try_that_has_read_nothing_gives_nothing_up(center, first):
    second = runs.start_run(first.pending_file, enqueue=False)
    ImportRun.objects.filter(pk=second.pk).update(state="broken")
    second.refresh_from_db()
    runs.discard(second, "lost")

    total = together(tries_of(second))

    assert (total.rows, total.left, total.is_given_up) == (6, 3, False)


def test_rows_that_were_added_by_hand_count(center, first):
    put(center, first.pending_file, read(center, first.pending_file) + "N,New,\n")

    total = together(tries_of(again(first)))

    assert (total.rows, total.finished, total.left, total.blank) == (7, 3, 3, 1)


def test_as_long_as_a_try_is_not_over_nothing_is_added_up(center, first):
    runs.retry(first, enqueue=False)

    found = tries_of(ImportRun.objects.get(pk=first.pk))

    assert (len(found), together(found)) == (2, None)


def test_a_try_that_was_cancelled_before_it_began_is_none(center, first):
    runs.cancel(runs.retry(first, enqueue=False))

    assert tries_of(first) == [first]
