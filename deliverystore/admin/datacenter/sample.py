"""The first rows of a file as a page shows them: cut, whatever is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from deliverystore.admin.datacenter.family import MAX_SHOWN
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter.tables import MAX_HEADER_LINE

if TYPE_CHECKING:
    from deliverystore.datacenter import Report
    from deliverystore.datacenter.problems import Problem

MAX_COLUMNS = 50
MAX_CELL = 80
PROBLEMS = 20
# Of problems that are alike, so many lines are told beside the first.
LINES = 5
# Beside each column that is mapped.
EXAMPLES = 3
MAX_EXAMPLE = 40


@dataclass(frozen=True, kw_only=True)
class SampleRow:
    """A record: its line, its first cells, and how many more there are."""

    line: int
    cells: list[str]
    more: int
    address: str


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Problems of one kind in one column: the first, and in how many lines are more."""

    place: str
    message: str
    count: int
    lines: str


class Sample:
    """A report in pieces of a size that a page can have.

    address gives where the file is read with its header in a line; without it, the
    header is where it is.
    """

    def __init__(self, report: Report, address: Callable[[int], str] | None) -> None:
        self._report = report
        self._address = address

    @property
    def header(self) -> list[str]:
        """The first columns."""
        return [shown(one, MAX_CELL) for one in self._report.header[:MAX_COLUMNS]]

    @property
    def more_columns(self) -> int:
        """How many columns are not shown."""
        return max(0, len(self._report.header) - MAX_COLUMNS)

    @property
    def rows(self) -> list[SampleRow]:
        """The first records."""
        return [
            SampleRow(
                line=record.line,
                cells=[shown(cell, MAX_CELL) for cell in record.cells[:MAX_COLUMNS]],
                more=max(0, len(record.cells) - MAX_COLUMNS),
                address=self._address_of(record.line),
            )
            for record in self._report.sample
        ]

    @property
    def likely_header(self) -> SampleRow | None:
        """The row that looks like the header, if the header looks like a title."""
        line = self._report.likely_header if self._address else None
        return next((row for row in self.rows if row.line == line), None)

    @cached_property
    def problems(self) -> list[Alike]:
        """The first problems, those together that are alike."""
        groups: dict[tuple[str, int | None], list[Problem]] = {}
        for problem in self._report.problems:
            groups.setdefault((problem.code, problem.column), []).append(problem)
        return [_alike(group) for group in list(groups.values())[:PROBLEMS]]

    @property
    def more_problems(self) -> int:
        """How many problems are not among the first."""
        return self._report.problem_count - sum(one.count for one in self.problems)

    def _address_of(self, line: int) -> str:
        if self._address is None or line > MAX_HEADER_LINE:
            return ""
        return self._address(line)


def _alike(group: list[Problem]) -> Alike:
    first, *others = group
    lines = [str(one.line) for one in others[:LINES]]
    if len(others) > LINES:
        lines.append("…")
    return Alike(
        place=shown(first.place, 200),
        message=shown(first.message, MAX_SHOWN),
        count=len(group),
        lines=", ".join(lines),
    )


def examples(report: Report, index: int) -> list[str]:
    """Return some different values of a column, counted from 0."""
    values = [
        shown(record.cells[index].strip(), MAX_EXAMPLE)
        for record in report.sample
        if index < len(record.cells) and record.cells[index].strip()
    ]
    return list(dict.fromkeys(values))[:EXAMPLES]
