"""Deleted pending files that are restored are still those of their import."""

from __future__ import annotations

import pytest

from deliverystore.datacenter import OnTaken, runs
from deliverystore.datacenter.runs.of_files import runs_of
from deliverystore.exceptions import FileExists, RunBusy
from tests.datacenter.imports import start
from tests.datacenter.places import names_in, put, read

pytestmark = pytest.mark.django_db

PENDING = "f.create.pending.csv"


@pytest.fixture
def left(center):
    return runs.work(start(center, ("far-too-long", "x")))


def parent_of(path):
    return runs.start_run(path, enqueue=False).parent


def test_it_takes_the_place_of_what_waits_and_keeps_its_parent(center, left):
    old = read(center, PENDING)
    new = old.replace("far-too-long", "L")
    deleted = center.delete(PENDING)
    put(center, PENDING, new)

    restored = center.restore(deleted, on_taken=OnTaken.REPLACE_PENDING)

    assert restored == PENDING
    assert read(center, PENDING) == old
    assert read(center, "deleted/f_2.create.pending.csv") == new
    assert parent_of(restored) == left


@pytest.mark.parametrize("on_taken", [OnTaken.RENAME, OnTaken.REFUSE])
def test_it_gets_no_other_name_by_which_nobody_would_know_it(center, left, on_taken):
    deleted = center.delete(PENDING)
    put(center, PENDING, "code,name\n")

    with pytest.raises(FileExists, match=f"rows of import {left.pk} wait already"):
        center.restore(deleted, on_taken=on_taken)

    assert center.place.exists(deleted)
    assert not center.place.exists("f_2.create.pending.csv")


@pytest.mark.parametrize("on_taken", list(OnTaken))
def test_one_that_got_a_number_among_the_deleted_has_its_name_again(
    center, left, on_taken
):
    center.delete(PENDING)
    put(center, PENDING, "code,name\nB,Biology\n")
    second = center.delete(PENDING)
    assert second == "deleted/f_2.create.pending.csv"

    assert center.restore(second, on_taken=on_taken) == PENDING
    assert parent_of(PENDING) == left


def test_a_number_of_its_own_is_not_taken_away(center, left):
    other = runs.work(start(center, ("far-too-long", "y"), name="f_2.csv"))
    runs.discard(other, "gone")
    deleted = "deleted/f_2.create.pending.csv"
    assert center.place.exists(deleted)

    assert center.restore(deleted) == "f_2.create.pending.csv"


def test_rows_that_are_imported_do_not_make_room(center, left):
    deleted = center.delete(PENDING)
    put(center, PENDING, "code,name\nB,Biology\n")
    runs.start_run(PENDING, enqueue=False)
    before = names_in(center)

    with pytest.raises(RunBusy):
        center.restore(deleted, on_taken=OnTaken.REPLACE_PENDING)

    assert names_in(center) == before


def test_other_files_do_not_make_room(center):
    put(center, "deleted/a.csv", "old")
    put(center, "a.csv", "new")

    with pytest.raises(FileExists):
        center.restore("deleted/a.csv", on_taken=OnTaken.REPLACE_PENDING)

    assert read(center, "a.csv") == "new"


@pytest.mark.parametrize("name", ["f.create.pending.CSV", "f.Create.Pending.Csv"])
def test_a_pending_file_is_known_in_any_case(center, left, name):
    center.place.move(PENDING, name)

    assert runs_of([name, "f.csv"])[name] == left
    assert parent_of(name) == left


def test_one_that_is_uploaded_is_spelled_as_the_import_spelled_it(center, left):
    mended = read(center, PENDING).replace("far-too-long", "L")
    with pytest.raises(FileExists, match="waits already"):
        center.upload(PENDING.replace(".csv", ".CSV"), mended)

    file = center.upload(
        PENDING.replace(".csv", ".CSV"), mended, on_taken=OnTaken.REPLACE_PENDING
    )

    assert file.name == PENDING
    run = runs.work(runs.start_run(PENDING, enqueue=False))
    assert (run.parent, run.state) == (left, "finished")
