"""The first rows of a file as a page shows them: cut, whatever is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deliverystore.admin.datacenter.family import MAX_SHOWN
from deliverystore.admin.datacenter.shortened import shown

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


class Sample:
    """A report in pieces of a size that a page can have."""

    def __init__(self, report: Report) -> None:
        self._report = report

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
            )
            for record in self._report.sample
        ]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The first problems: where each is, and what it is."""
        return [
            (shown(problem.place, 200), shown(problem.message, MAX_SHOWN))
            for problem in self._report.problems[:PROBLEMS]
        ]

    @property
    def more_problems(self) -> int:
        """How many problems are not among the first."""
        return self._report.problem_count - len(self.problems)


def examples(report: Report, index: int) -> list[str]:
    """Return some different values of a column, counted from 0."""
    values = [
        shown(record.cells[index].strip(), MAX_EXAMPLE)
        for record in report.sample
        if index < len(record.cells) and record.cells[index].strip()
    ]
    return list(dict.fromkeys(values))[:EXAMPLES]
