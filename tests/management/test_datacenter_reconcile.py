"""The command that compares the data center's files with its imports."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deliverystore.datacenter import runs
from tests.datacenter.csvfiles import faculties
from tests.datacenter.imports import start, work_killed
from tests.datacenter.places import put

pytestmark = pytest.mark.django_db


def found():
    """Return what the command finds: each with the name of the file."""
    out = StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("datacenter_reconcile", "--json", stdout=out)
    assert raised.value.returncode == 1
    return [(one["kind"], one["name"]) for one in json.loads(out.getvalue())]


def test_nothing_is_found_while_all_is_in_order(center):
    run = runs.work(start(center, *faculties(3, bad={1})))
    runs.work(start(center, ("A", "Arts"), name="g.csv"))
    out = StringIO()

    call_command("datacenter_reconcile", stdout=out)
    assert out.getvalue() == "Files and imports agree.\n"
    as_json = StringIO()
    call_command("datacenter_reconcile", "--json", stdout=as_json)
    assert json.loads(as_json.getvalue()) == []

    runs.discard(run, "nobody needs it")
    call_command("datacenter_reconcile", stdout=out)


@pytest.mark.parametrize("name", ["f.create.pending.csv", "unfinished/f.csv"])
def test_a_file_with_rows_that_are_left_is_missing(center, name):
    runs.work(start(center, *faculties(3, bad={1})))

    center.place.delete(name)

    assert found() == [("missing", name)]


@pytest.mark.parametrize("name", ["g.create.pending.csv", "unfinished/g.csv"])
def test_a_file_whose_rows_no_run_knows_is_a_stray(center, name):
    put(center, name)

    assert found() == [("stray", name)]


def test_a_run_that_nobody_is_at_is_told(center):
    run = start(center, *faculties(6))
    work_killed(run, after=0, batch_size=2)

    assert found() == [("interrupted", "f.csv")]
    center.place.delete("f.csv")
    assert found() == [("interrupted", "f.csv"), ("missing", "f.csv")]
    put(center, "other.csv")


def test_each_disagreement_is_a_line_with_its_import_if_it_has_one(center):
    run = runs.work(start(center, *faculties(3, bad={1})))
    center.place.delete("unfinished/f.csv")
    put(center, "g.create.pending.csv")
    out = StringIO()

    with pytest.raises(CommandError, match="Disagreements: 2") as raised:
        call_command("datacenter_reconcile", stdout=out)

    assert raised.value.returncode == 1
    found, what, stray, what_of_stray = out.getvalue().splitlines()
    assert found == f"missing  unfinished/f.csv (import {run.pk})"
    assert f"`datacenter_run retry {run.pk}`" in what
    assert f"`datacenter_run discard {run.pk} --reason" in what
    assert stray == "stray  g.create.pending.csv"
    assert "`import_csv g.create.pending.csv --processor" in what_of_stray


def said():
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("datacenter_reconcile", stdout=out)
    return out.getvalue()


def test_of_an_import_that_is_not_over_it_says_what_goes_on_with_it(center):
    run = start(center, *faculties(2))
    put(center, "unfinished/g.csv")

    assert "    `import_csv --resume` goes on with it." in said()
    assert "move it out of the data center" in said()
    center.place.delete("f.csv")
    assert f"`datacenter_run cancel {run.pk}`" in said()


def test_what_cannot_be_compared_ends_with_2(settings):
    settings.DELIVERY_STORE_DATACENTER_ROOT = None

    with pytest.raises(CommandError, match="Could not compare") as raised:
        call_command("datacenter_reconcile")
    assert raised.value.returncode == 2
