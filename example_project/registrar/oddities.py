"""How rows about students go wrong when people and programs write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

Cells = list[str]

STUDENT = (
    *("matric_no", "first_name", "last_name", "email"),
    *("born_on", "faculty", "year"),
)
EMAIL, BORN_ON, FACULTY, YEAR = map(
    STUDENT.index, ("email", "born_on", "faculty", "year")
)
MISSPELLED = {
    "Agriculture": "Agricultur",
    "Arts": "Art",
    "Economics": "Econ.",
    "Education": "Educ.",
    "Engineering": "Engeneering",
    "Law": "Fac. of Law",
    "Medicine": "Medecine",
    "Science": "Sience",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row as it is written, and how it should be if that has to be looked up."""

    cells: Cells
    right: Cells | None = None


def as_it_should_be(row: Cells) -> list[Line]:
    """Return the row as it is."""
    return [Line(cells=row)]


# -- What can be corrected by value, for all rows that have it -----------------------


def _misspelled_faculty(row: Cells) -> list[Line]:
    return [_changed(row, FACULTY, MISSPELLED[row[FACULTY]])]


def _spreadsheet_error(row: Cells) -> list[Line]:
    return [_changed(row, EMAIL, "#N/A")]


def _number_with_fraction(row: Cells) -> list[Line]:
    return [_changed(row, YEAR, f"{row[YEAR]}.0")]


# -- What somebody has to look up ----------------------------------------------------


def _american_date(row: Cells) -> list[Line]:
    day = date.fromisoformat(row[BORN_ON])
    return [_to_be_looked_up(row, BORN_ON, f"{day.month}/{day.day}/{day.year}")]


def _number_of_a_day(row: Cells) -> list[Line]:
    """What a spreadsheet shows of a date in a column of numbers."""
    days = date.fromisoformat(row[BORN_ON]) - date(1899, 12, 30)
    return [_to_be_looked_up(row, BORN_ON, str(days.days))]


def _address_for_people(row: Cells) -> list[Line]:
    return [_to_be_looked_up(row, EMAIL, row[EMAIL].replace("@", " (at) "))]


# -- What is to be given up ----------------------------------------------------------


def _twice(row: Cells) -> list[Line]:
    return [Line(cells=row), Line(cells=row)]


# -- What is forgiven ----------------------------------------------------------------


def _dotted_date(row: Cells) -> list[Line]:
    return [_changed(row, BORN_ON, f"{date.fromisoformat(row[BORN_ON]):%d.%m.%Y}")]


def _blanks_around(row: Cells) -> list[Line]:
    return [Line(cells=[f" {cell}  " for cell in row])]


# How often each happens, in twenty odd rows.
WAYS: tuple[Callable[[Cells], list[Line]], ...] = (
    *[_misspelled_faculty] * 5,
    *[_spreadsheet_error, _number_with_fraction, _twice] * 2,
    *[_american_date, _number_of_a_day, _address_for_people],
    *[_dotted_date, _blanks_around] * 3,
)


def _changed(row: Cells, column: int, text: str) -> Line:
    return Line(cells=[*row[:column], text, *row[column + 1 :]])


def _to_be_looked_up(row: Cells, column: int, text: str) -> Line:
    return Line(cells=_changed(row, column, text).cells, right=row)
