"""The first rows of a file as a page shows them: cut, whatever is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from deliverystore.admin.datacenter.alike import Alike, alike
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter.tables import MAX_HEADER_LINE

if TYPE_CHECKING:
    from deliverystore.datacenter import Report

MAX_COLUMNS = 50
MAX_CELL = 80
PROBLEMS = 20
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
        return alike(self._report.problems)[:PROBLEMS]

    @property
    def more_problems(self) -> int:
        """How many problems are not among the first."""
        return self._report.problem_count - sum(one.count for one in self.problems)

    def _address_of(self, line: int) -> str:
        if self._address is None or line > MAX_HEADER_LINE:
            return ""
        return self._address(line)


def examples(report: Report, index: int) -> list[str]:
    """Return some different values of a column, counted from 0."""
    values = [
        shown(record.cells[index].strip(), MAX_EXAMPLE)
        for record in report.sample
        if index < len(record.cells) and record.cells[index].strip()
    ]
    return list(dict.fromkeys(values))[:EXAMPLES]
