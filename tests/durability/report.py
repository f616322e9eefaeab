"""What was found, and the counts as a table that Markdown shows, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Report:
    """How much was tried with one scenario, and what was wrong."""

    name: str
    variant: str
    calls: int = 0
    states: int = 0
    # Events after which there were more states than were tried.
    sampled: int = 0
    faults: int = 0
    order_problems: list[str] = field(default_factory=list)
    state_problems: list[str] = field(default_factory=list)
    fault_problems: list[str] = field(default_factory=list)
    # States and faults with at least one problem; of the faults, also those that only
    # were reported badly.
    broken_states: int = 0
    broken_faults: int = 0
    unclear_faults: int = 0

    @property
    def problems(self) -> list[str]:
        return self.order_problems + self.state_problems + self.fault_problems


_COLUMNS: dict[str, Callable[[Report], int]] = {
    "system calls": lambda report: report.calls,
    "wrong order": lambda report: len(report.order_problems),
    "power cuts": lambda report: report.states,
    "broken": lambda report: report.broken_states,
    "faults": lambda report: report.faults,
    "broken ": lambda report: report.broken_faults,
    "unclear": lambda report: report.unclear_faults,
}


def as_table(reports: Sequence[Report]) -> str:
    """Return one line for each operation, all its variants together, and a sum."""
    names = dict.fromkeys(report.name for report in reports)
    rows = [
        [name, *_sums([report for report in reports if report.name == name])]
        for name in names
    ]
    rows.append(["all", *_sums(reports)])
    header = ["operation", *_COLUMNS]
    widths = [max(len(row[n]) for row in [header, *rows]) for n in range(len(header))]
    lines = [_line(row, widths) for row in [header, *rows]]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, _line(rule, widths))
    return "\n".join(lines)


def _sums(reports: Sequence[Report]) -> list[str]:
    return [
        f"{sum(count(report) for report in reports):,}" for count in _COLUMNS.values()
    ]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if n == 0 else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join([first, *rest])} |"
