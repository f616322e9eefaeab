"""Rows that a run has left: who may look at them, and delete them."""

from __future__ import annotations

from functools import partial

import pytest
from django.contrib.auth.models import Permission

from deliverystore.datacenter import pending, previewing, registry, runs
from deliverystore.exceptions import ColumnsRefused, InvalidName, NotPermitted
from tests.datacenter.imports import start
from tests.datacenter.places import put
from tests.factories import UserFactory
from tests.school.processors import FacultyProcessor

pytestmark = pytest.mark.django_db

IMPORT = {"run_import", "add_faculty"}
OTHERS = [{"run_import"}, {"run_import", "add_student", "change_faculty"}]


@pytest.fixture
def left(center):
    return runs.work(start(center, ("far-too-long", "x")))


def who_may(codenames):
    user = UserFactory.create()
    allowed = Permission.objects.filter(codename__in=codenames)
    user.user_permissions.set(allowed)
    return user


@pytest.mark.parametrize("may", [*OTHERS, {"download_datafile"}, {"upload_datafile"}])
def test_who_may_not_import_them_does_not_delete_them(center, left, may):
    put(center, "N.csv")

    with pytest.raises(NotPermitted):
        center.delete(left.pending_file, user=who_may(may))

    assert center.place.exists(left.pending_file)
    if "run_import" in may:
        center.delete("N.csv", user=who_may(may))


@pytest.mark.parametrize("may", [IMPORT, {"delete_datafile"}])
def test_who_may_import_them_or_delete_all_does(center, left, may):
    center.delete(left.pending_file, user=who_may(may))

    assert not center.place.exists(left.pending_file)


@pytest.mark.parametrize("may", [*OTHERS, {"delete_datafile"}])
def test_who_may_not_import_them_does_not_look_at_them(center, left, may):
    with pytest.raises(NotPermitted):
        previewing.preview(center, left.pending_file, user=who_may(may))


@pytest.mark.parametrize("may", OTHERS)
def test_who_may_not_import_them_does_not_import_them_as_something_else(
    center, left, may
):
    file, user = left.pending_file, who_may(may | {"add_student"})
    with pytest.raises(NotPermitted, match="they are of import"):
        runs.start_run(file, "student", "create", user=user, enqueue=False)


class HushedProcessor(FacultyProcessor):
    name = "hushed"
    sensitive = ["name"]


@pytest.fixture
def hushed(center):
    """An import that has left a row with a cell that is not shown."""
    registry.register(HushedProcessor)
    yield runs.work(start(center, ("far-too-long", "x"), processor="hushed"))
    registry.unregister(HushedProcessor)


@pytest.mark.parametrize(
    ("processor", "mapping"),
    [
        ("hushed", {"name": None}),
        ("faculty", None),
    ],
)
def test_what_was_not_shown_cannot_be_imported_as_what_is(
    center, hushed, processor, mapping
):
    again = partial(
        runs.start_run,
        *(hushed.pending_file, processor, "upsert", mapping),
        dry_run=True,
        enqueue=False,
    )
    with pytest.raises(ColumnsRefused, match="“name” are not shown to everybody"):
        again(user=who_may(IMPORT | {"change_faculty"}))


def test_what_was_not_shown_can_be_imported_as_it_was(center, hushed):
    user = who_may(IMPORT | {"change_faculty"})

    again = runs.start_run(hushed.pending_file, user=user, enqueue=False)

    assert again.mapping == hushed.mapping


def test_who_may_download_a_file_sends_its_columns_anywhere(center, hushed):
    user = who_may(IMPORT | {"download_datafile"})
    file = hushed.pending_file

    again = runs.start_run(file, "faculty", "create", user=user, enqueue=False)

    assert again.mapping["name"] == "name"


@pytest.mark.parametrize("may", [IMPORT, {"download_datafile"}])
def test_who_may_import_them_or_download_all_looks_at_them(center, left, may):
    found = previewing.preview(center, left.pending_file, user=who_may(may))

    assert found.report.records == 1


def test_once_they_fail_again_they_are_those_of_the_second_run(center, left):
    assert pending.run_of(left.pending_file) == left

    runs.work(runs.start_run(left.pending_file, enqueue=False))

    assert pending.run_of(left.pending_file).parent == left


def test_without_their_processor_they_are_for_who_may_delete_all(center, left):
    registry.unregister(FacultyProcessor)
    try:
        with pytest.raises(NotPermitted):
            center.delete(left.pending_file, user=who_may(IMPORT))
        center.delete(left.pending_file, user=who_may({"delete_datafile"}))
    finally:
        registry.register(FacultyProcessor)


def test_who_may_not_restore_does_not_open_what_was_deleted(center, left):
    deleted = center.delete(left.pending_file)

    with pytest.raises(NotPermitted):
        center.open(deleted, user=who_may({"download_datafile"}))
    center.open(deleted, user=who_may({"download_datafile", "delete_datafile"})).close()
    with pytest.raises(InvalidName):
        center.delete(deleted, user=who_may({"delete_datafile"}))
