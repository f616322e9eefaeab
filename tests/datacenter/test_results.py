"""The file with the rows that went in, made of the lines of the original."""

from __future__ import annotations

import csv

import pytest

from deliverystore.datacenter import Layout, runs
from deliverystore.models import ImportRun
from tests.datacenter.imports import work_killed
from tests.datacenter.places import put, read

pytestmark = pytest.mark.django_db

HEADER = "code,name\n"


def finished(center, text):
    """Import faculties; return the run, and the text of its finished file."""
    put(center, "f.csv", text)
    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))
    return run, read(center, run.finished_file)


def records(text):
    return list(csv.reader(text.splitlines(keepends=True)))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_rows_that_went_in_are_as_they_were(center, end):
    lines = ["code,name", 'A,"One, and"', "much too long a code,x", "C, Three ", "D,"]

    run, text = finished(center, end.join(lines))

    assert run.failed == 1
    assert text == end.join([*lines[:2], *lines[3:]])


def test_the_first_and_the_last_row_can_be_those_that_failed(center):
    run, text = finished(center, HEADER + "A," + "x" * 999 + "\nB,1\nC," + "x" * 999)

    assert (run.failed, text) == (2, HEADER + "B,1\n")


@pytest.mark.parametrize("failing", [False, True])
def test_what_is_above_the_line_of_the_header_is_left_out(center, failing):
    rows = "A,1\nB," + "x" * 999 * failing + "\nC,1\n"
    put(center, "f.csv", "Faculties\nof,2026\n" + HEADER + rows)
    layout = Layout(header_line=3)
    run = runs.start_run("f.csv", "faculty", "create", layout=layout, enqueue=False)

    work_killed(run, after=1, batch_size=1)
    run = runs.work(ImportRun.objects.get(pk=run.pk))

    assert (run.finished, run.failed) == (3 - failing, int(failing))
    done = records(read(center, run.finished_file))
    assert [row[0] for row in done] == ["code", "A", *["B"] * (not failing), "C"]
    if failing:
        pending = records(read(center, run.pending_file))
        assert [row[0] for row in pending] == ["code", "B"]
        again = runs.retry(run, enqueue=False)
        assert again.layout["header_line"] == 1


@pytest.mark.parametrize(
    "text",
    [
        # A record of two lines, and two of one line in other eyes.
        HEADER + 'A,"one\ntwo"\nB,' + "x" * 999 + "\rC,1\n",
        HEADER + 'A,"one\ntwo"\nB,' + "x" * 999 + "\nC,1\n",
        HEADER + "A,1\n\nB," + "x" * 999 + "\n  \nC,1\n",
        "code,name\rA,1\rB," + "x" * 999 + "\rC,1\r",
        "code;name\nA;1\nB;" + "x" * 999 + "\nC;1\n",
        "\ncode,name\nA,1\nB," + "x" * 999 + "\nC,1\n",
    ],
)
def test_records_that_are_no_lines_are_written_anew(center, text):
    run, done = finished(center, text)

    assert (run.finished, run.failed) == (2, 1)
    assert [row[0] for row in records(done)] == ["code", "A", "C"]
