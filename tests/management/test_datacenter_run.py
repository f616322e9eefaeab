"""The command that shows imports, and does something about rows that they left."""

from __future__ import annotations

import json
from functools import partial

import pytest
from django.core.management import CommandError, call_command

from deliverystore.datacenter import runs
from deliverystore.models import ImportRun, leases
from tests.datacenter.csvfiles import faculties, table
from tests.datacenter.imports import start, work_killed
from tests.datacenter.places import names_in, put
from tests.management.running import printed
from tests.school.models import Faculty

pytestmark = pytest.mark.django_db


command = partial(printed, "datacenter_run")


def failed(center, **options):
    return runs.work(start(center, *faculties(4, bad={1, 2}), **options))


def test_the_list_has_imports_that_are_not_over_or_have_rows_left(center):
    left = failed(center)
    waiting = start(center, ("A", "x"), name="g.csv")
    runs.work(start(center, ("B", "x"), name="h.csv"))

    first, second = command("list").splitlines()

    assert first == (
        f"{left.pk:>6}  f.csv  faculty create: some rows failed, 4 rows, 2 in, 2 failed"
    )
    assert second.startswith(f"{waiting.pk:>6}  g.csv  faculty create: waiting, 0 rows")
    said = json.loads(command("list", "--json"))
    assert [one["pk"] for one in said] == [left.pk, waiting.pk]
    assert (said[0]["processor"], said[0]["failed"]) == ("faculty", 2)


def test_an_empty_list_says_so(center):
    assert "none has rows left" in command("list")
    assert json.loads(command("list", "--json")) == []


def test_an_import_is_shown_with_its_failed_rows_in_groups(center):
    rows = [("too-long-code", "x"), ("B", "y"), ("too-long-code", "z"), ("B", "B")]
    run = runs.work(start(center, *rows))

    said = command("show", run.pk)

    first = f"import {run.pk} of f.csv, faculty create: some rows failed\n"
    assert said.startswith(first)
    assert "           3  failed" in said
    assert "  code  max_length 'too-long-code': 2 rows. Ensure this" in said
    assert "  code  exists 'B': 1 row. " in said
    assert f"{center.location}/f.create.pending.csv" in said
    assert f"`datacenter_run retry {run.pk}`" in said
    groups = json.loads(command("show", run.pk, "--json"))["failures"]
    assert groups[0] == {
        "code": "max_length",
        "rows": 2,
        "first": 1,
        "column": "code",
        "value": "too-long-code",
    }


def test_an_import_that_nobody_is_at_is_shown_with_what_goes_on_with_it(center):
    run = start(center, ("A", "x"))

    assert "`import_csv --resume` goes on with it" in command("show", run.pk)


def test_another_try_can_have_another_limit(center):
    Faculty.objects.bulk_create(Faculty(code=code) for code in "AB")
    rows = [("A", ""), ("B", "")]
    run = runs.work(start(center, *rows, mode="remove", max_removed=1))

    assert "stopped, rows are left" in command("retry", run.pk, code=1)
    command("retry", run.children.get().pk, "--max-removed", "2")

    assert not Faculty.objects.exists()


def test_rows_are_tried_again_here_and_now(center):
    run = failed(center)
    runs.correct_values(run, "code", {"too-long-F1": "F1", "too-long-F2": "F2"})

    said = command("retry", run.pk)

    assert "all rows are in" in said
    assert Faculty.objects.count() == 4
    run.refresh_from_db()
    assert run.state == "retried"


def test_rows_that_fail_again_end_with_1(center):
    run = failed(center)

    said = command("retry", run.pk, code=1)

    assert "2 rows of f.create.pending.csv are not in, see " in said
    again = ImportRun.objects.latest("pk")
    assert (again.parent, again.state) == (run, "pending")


def test_an_import_that_waits_is_cancelled_and_its_file_stays(center):
    run = start(center, ("A", "x"))

    said = command("cancel", run.pk)

    assert "cancelled before a row was read, its file stays where it is" in said
    assert names_in(center) == ["f.csv"]
    assert "none has rows left" in command("list")


def test_an_import_whose_worker_died_is_cancelled_here_and_now(center):
    run = start(center, *faculties(6))
    work_killed(run, after=0, batch_size=2)

    said = command("cancel", run.pk)

    assert "cancelled, rows are left" in said
    run.refresh_from_db()
    assert (run.finished, run.failed) == (2, 4)


def test_an_import_with_a_worker_is_left_to_it_to_stop(center):
    run = start(center, *faculties(6))
    leases.take(run)

    assert "stops at the end of its batch" in command("cancel", run.pk)
    run.refresh_from_db()
    assert (run.state, run.cancelling) == ("running", True)


def test_rows_are_given_up_with_a_reason(center):
    run = failed(center)

    assert "given up" in command("discard", run.pk, "--reason", "left the school")
    run.refresh_from_db()
    assert (run.state, run.discarded_because) == ("discarded", "left the school")
    assert "finished/f.csv" in names_in(center)
    assert "Given up because: left the school" in command("show", run.pk)


@pytest.mark.parametrize("action", ["show", "retry", "cancel", "discard"])
def test_an_unknown_import_ends_with_2(center, action):
    more = ["--reason", "x"] if action == "discard" else []

    assert "There is no import 99" in command(action, 99, *more, code=2)


@pytest.mark.parametrize("action", ["retry", "cancel", "discard"])
def test_what_cannot_be_done_to_an_import_ends_with_2_and_says_why(center, action):
    run = runs.work(start(center, ("A", "x")))
    more = ["--reason", "x"] if action == "discard" else []

    said = command(action, run.pk, *more, code=2)

    assert f"Could not {action} import {run.pk}: " in said
    assert "is over" in said or "No rows of import" in said


def test_names_and_values_do_nothing_to_a_terminal(center):
    put(center, "f.csv", table(("too-long-\x1b-code", "x")))
    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))

    assert "\x1b" not in command("show", run.pk)


@pytest.mark.parametrize("arguments", [[], ["discard", "1"], ["show", "x"]])
def test_a_command_that_nobody_understands_is_refused(arguments):
    with pytest.raises(CommandError):
        call_command("datacenter_run", *arguments)
