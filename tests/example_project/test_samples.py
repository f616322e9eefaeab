from __future__ import annotations

import io
import re

import pytest

from deliverystore.datacenter import check
from example_project.registrar.oddities import (
    BORN_ON,
    EMAIL,
    FACULTY,
    MISSPELLED,
    WAYS,
    YEAR,
    as_it_should_be,
)
from example_project.registrar.samples import all_samples

ROW = ["2500001", "Zoë", "O'Brien", "z@campus.example", "2004-12-31", "Law", "3"]


def files(students):
    return {sample.filename: sample for sample in all_samples(students=students)}


def test_the_files_are_the_same_every_time():
    first, second = files(300), files(300)
    assert list(first) == [
        *("faculties.csv", "courses.csv", "students.csv", "enrolments.csv"),
        "marks.csv",
    ]
    for name, sample in first.items():
        assert sample.as_bytes() == second[name].as_bytes()


@pytest.mark.parametrize("name", files(100))
def test_the_files_can_be_read_as_they_are(name):
    report = check(io.BytesIO(files(100)[name].as_bytes()))
    assert report.is_sound, report.problems
    assert report.header == tuple(files(100)[name].header)


def test_one_student_in_a_hundred_is_odd():
    sample = files(5000)["students.csv"]
    rows = [row for row in sample.rows if any(row)]
    twice = len(rows) - len({row[0].strip() for row in rows})
    assert (len(rows), twice) == (5005, 5)
    assert len(sample.rows) - len(rows) == 25
    assert sum(map(looks_odd, rows)) + twice == 50


def looks_odd(row):
    return (
        any(cell != cell.strip() for cell in row)
        or row[EMAIL].count("@") != 1
        or not re.fullmatch(r"\d{4}-\d\d-\d\d", row[BORN_ON])
        or row[FACULTY] not in MISSPELLED
        or len(row[YEAR]) > 1
    )


def test_every_way_makes_a_row_odd():
    assert as_it_should_be(ROW)[0].cells == ROW
    for way in WAYS:
        lines = way(ROW)
        assert len(lines) == 2 or lines[0].cells != ROW
        assert all(line.right in (None, ROW) for line in lines)


def test_what_is_looked_up_names_the_record_that_is_wrong():
    for name in ("students.csv", "enrolments.csv"):
        sample = files(2000)[name]
        assert sample.right
        for number, right in sample.right.items():
            written = sample.rows[number - 1]
            assert written[0] == right[0]
            assert written != right
