"""Problems of a file as a page shows them: those together that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deliverystore.admin.datacenter.family import MAX_SHOWN
from deliverystore.admin.datacenter.shortened import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deliverystore.datacenter.problems import Problem

# So many lines are told beside the first.
LINES = 5


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Problems of one kind in one column: the first, and in how many lines are more."""

    place: str
    message: str
    count: int
    lines: str


def alike(problems: Iterable[Problem]) -> list[Alike]:
    """Return problems by kind and column, in the order of the first of each."""
    groups: dict[tuple[str, int | None], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.code, problem.column), []).append(problem)
    return list(map(_together, groups.values()))


def _together(group: list[Problem]) -> Alike:
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
