"""The registrar's files as people really hand them in: one row in a hundred is odd.

They are made when they are asked for, and are the same on every machine.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle
from random import Random

from django.utils.text import slugify

from .oddities import FACULTY, MISSPELLED, STUDENT, WAYS, Cells, Line, as_it_should_be

FEWEST_STUDENTS = 100
LONG_NAME = "Faculty of Science"
# Numbers of students who are in no other file.
_EXCHANGE, _LATE = 5_000_000, 6_000_000


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A file, and what is known of its odd rows by who can ask around.

    name is that of the file, if not the processor's. corrections has, by column, what
    is meant by wrong values. right has the cells of single rows as they should be, by
    the number of the record.
    """

    processor: str
    mode: str = "create"
    name: str = ""
    header: Sequence[str]
    rows: Sequence[Cells]
    corrections: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    right: Mapping[int, Cells] = field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"

    @property
    def filename(self) -> str:
        return f"{self.name or self.processor}.csv"

    def as_bytes(self) -> bytes:
        """Return the file as it is handed in."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.delimiter)
        writer.writerow(self.header)
        writer.writerows(self.rows)
        return text.getvalue().encode(self.encoding)


def all_samples(*, students: int) -> list[Sample]:
    """Return the files, in the order in which they have to go in."""
    random = Random(1636)  # noqa: S311 - the same files every time
    people = [_student(number, random) for number in range(1, students + 1)]
    taken = [row for person in people for row in _enrolments(person, random)]
    return [
        _faculties(),
        _courses(),
        _students(people, random),
        _enrolled(taken, people, random),
        _marks(taken, random),
    ]


def newcomers(*, students: int) -> Sample:
    """Return a file of more students; one in a hundred has a faculty by its long name.

    It is for those who want to correct something themselves.
    """
    random = Random(1737)  # noqa: S311 - the same file every time
    count = max(FEWEST_STUDENTS, students // 10)
    people = [_student(students + at, random) for at in range(1, count + 1)]
    of_science = [row for row in people if row[FACULTY] == _SCIENCE]
    for row in of_science[: max(1, count // 100)]:
        row[FACULTY] = LONG_NAME
    return Sample(
        processor="students",
        name="new-students",
        header=STUDENT,
        rows=people,
        corrections={STUDENT[FACULTY]: {LONG_NAME: _SCIENCE}},
    )


def exchange() -> Sample:
    """Return a small file of students from elsewhere, in which nothing is odd."""
    return _more_students("exchange-students", _EXCHANGE, FEWEST_STUDENTS)


def latecomers(*, students: int) -> Sample:
    """Return a file of as many students as there are, in which nothing is odd."""
    return _more_students("late-students", _LATE, students)


# -- Files ---------------------------------------------------------------------------


def _faculties() -> Sample:
    """As a spreadsheet saves it in half of Europe: semicolons, and a mark in front."""
    return Sample(
        processor="faculties",
        header=("code", "name"),
        rows=[[code, name] for name, (code, _topics) in _FACULTIES.items()],
        delimiter=";",
        encoding="utf-8-sig",
    )


def _courses() -> Sample:
    rows = [
        [code, str(100 * year + number), f"{topic} {year}"]
        for code, topics in _FACULTIES.values()
        for year in range(1, _COURSE_YEARS + 1)
        for number, topic in enumerate(topics, start=1)
    ]
    return Sample(processor="courses", header=("faculty", "number", "title"), rows=rows)


def _students(people: Sequence[Cells], random: Random) -> Sample:
    """As a spreadsheet leaves it: below the last row there are empty ones."""
    odd = random.sample(range(len(people)), max(len(WAYS), len(people) // 100))
    ways = dict(zip(odd, cycle(WAYS), strict=False))
    lines = [
        line
        for place, person in enumerate(people)
        for line in ways.get(place, as_it_should_be)(person)
    ]
    empty = [[""] * len(STUDENT)] * 25
    return Sample(
        processor="students",
        header=STUDENT,
        rows=[*(line.cells for line in lines), *empty],
        corrections={
            "faculty": {wrong: name for name, wrong in MISSPELLED.items()},
            "email": {"#N/A": ""},
            "year": {f"{year}.0": str(year) for year in range(1, _YEARS + 1)},
        },
        right=_right(lines),
    )


def _more_students(name: str, last: int, count: int) -> Sample:
    random = Random(last)  # noqa: S311 - the same file every time
    people = [_student(last + number, random) for number in range(1, count + 1)]
    return Sample(processor="students", name=name, header=STUDENT, rows=people)


def _enrolled(
    taken: Sequence[Cells], people: Sequence[Cells], random: Random
) -> Sample:
    """Some in their first year have chosen a course for their last."""
    freshers = {person[0] for person in people if person[-1] == "1"}
    places = [place for place, row in enumerate(taken) if row[0] in freshers]
    hasty = set(random.sample(places, max(1, len(taken) // 2000)))
    lines = [
        Line(cells=_hasty(row), right=row) if place in hasty else Line(cells=row)
        for place, row in enumerate(taken)
    ]
    return Sample(
        processor="enrolments",
        header=("student", "course", "enrolled_on"),
        rows=[line.cells for line in lines],
        right=_right(lines),
    )


def _marks(taken: Sequence[Cells], random: Random) -> Sample:
    """Every tenth enrolment gets a mark; somebody writes it with a comma."""
    marks = [f"{tenths / 10:.1f}" for tenths in range(10, 51)]
    with_comma = {mark: mark.replace(".", ",") for mark in marks}
    rows = [[*row[:2], random.choice(marks)] for row in taken[::10]]
    for row in rows[::200]:
        row[-1] = with_comma[row[-1]]
    return Sample(
        processor="marks",
        mode="update",
        header=("student", "course", "mark"),
        rows=rows,
        corrections={"mark": {wrong: right for right, wrong in with_comma.items()}},
    )


# -- Rows ----------------------------------------------------------------------------


def _student(number: int, random: Random) -> Cells:
    first, last = random.choice(_FIRST), random.choice(_LAST)
    born_on = date(1999, 1, 1) + timedelta(days=random.randrange(9 * 365))
    return [
        str(2_500_000 + number),
        first,
        last,
        f"{slugify(first)}.{slugify(last)}.{number}@campus.example",
        born_on.isoformat(),
        random.choice(list(_FACULTIES)),
        str(random.randint(1, _YEARS)),
    ]


def _enrolments(person: Cells, random: Random) -> Iterator[Cells]:
    """Yield what a student takes: a course or two of their faculty and years."""
    matric_no, *_, faculty, year = person
    code, topics = _FACULTIES[faculty]
    courses = [
        f"{code}/{100 * one + number}"
        for one in range(1, min(int(year), _COURSE_YEARS) + 1)
        for number in range(1, len(topics) + 1)
    ]
    for course in sorted(random.sample(courses, random.choice((1, 1, 1, 2)))):
        enrolled_on = date(2025, 9, 1) + timedelta(days=random.randrange(30))
        yield [matric_no, course, enrolled_on.isoformat()]


def _hasty(enrolment: Cells) -> Cells:
    matric_no, course, enrolled_on = enrolment
    faculty, _, number = course.partition("/")
    return [matric_no, f"{faculty}/{_COURSE_YEARS}{number[1:]}", enrolled_on]


def _right(lines: Iterable[Line]) -> dict[int, Cells]:
    numbered = enumerate(lines, start=1)
    return {number: line.right for number, line in numbered if line.right}


_SCIENCE = "Science"
_YEARS = 5
_COURSE_YEARS = 4
_FACULTIES = {
    "Agriculture": ("AGR", ("Soils", "Forests", "Animal health")),
    "Arts": ("ART", ("Painting", "Music", "Languages")),
    "Economics": ("ECO", ("Markets", "Statistics", "Accounting")),
    "Education": ("EDU", ("Didactics", "Psychology", "Schools")),
    "Engineering": ("ENG", ("Materials", "Circuits", "Programming")),
    "Law": ("LAW", ("Civil law", "Public law", "Criminal law")),
    "Medicine": ("MED", ("Anatomy", "Physiology", "Pharmacology")),
    _SCIENCE: ("SCI", ("Physics", "Chemistry", "Algebra")),
}
_FIRST = (
    *("Ada", "Amina", "Björn", "Chidi", "Chloé", "Dmitri", "Élise", "Fatima"),
    *("Giulia", "Hiroshi", "Ingrid", "Jonas", "José", "Kofi", "Lakshmi", "Léa"),
    *("Mateo", "Mei", "Nadia", "Ngozi", "Noah", "Olga", "Ömer", "Priya", "Rosa"),
    *("Samir", "Sofía", "Tariq", "Uma", "Viktor", "Wanjiru", "Yusuf", "Zoë"),
)
_LAST = (
    *("Adeyemi", "Berg", "Chen", "Diallo", "Eriksson", "Fernández", "García"),
    *("Haddad", "Ivanova", "Jansen", "Kaya", "Kowalski", "Lindqvist", "Mensah"),
    *("Müller", "Nguyễn", "Novák", "O'Brien", "Okafor", "Olsen", "Patel", "Quispe"),
    *("Rossi", "Sato", "Schäfer", "Silva", "Tanaka", "Tremblay", "Ueda", "Verma"),
    *("Wójcik", "Yamada", "Zhang"),
)
