"""Pages of lists of any length: each is found by where the one before it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Row = TypeVar("Row")
# Return so many rows that follow a place in the order, or in the order reversed;
# without a place, the first ones.
Reader = Callable[[int, "tuple[int, ...] | None", bool], "list[Row]"]


@dataclass(frozen=True, kw_only=True)
class KeysetPage(Generic[Row]):
    """Some rows; next and previous are the links to others, "" if there are none."""

    rows: Sequence[Row] = field(default=())
    next: str = ""
    previous: str = ""


def place(text: str, size: int) -> tuple[int, ...] | None:
    """Return the place that a link names, if it does."""
    parts = text.split("-")
    if len(parts) != size or not all(
        one.isdecimal() and len(one) < 19 for one in parts
    ):
        return None
    return tuple(map(int, parts))


def page_of(
    read: Reader[Row],
    key: Callable[[Row], tuple[int, ...]],
    *,
    size: int,
    after: tuple[int, ...] | None = None,
    before: tuple[int, ...] | None = None,
) -> KeysetPage[Row]:
    """Return the page after or before a place, or the first one."""
    is_back = before is not None
    found = read(size + 1, before if is_back else after, is_back)
    are_more = len(found) > size
    rows = found[:size]
    if is_back:
        rows.reverse()
        if not are_more and len(rows) < size:
            # The first page, as it is when one comes from the front.
            return page_of(read, key, size=size)
    has_next = is_back or are_more
    has_previous = are_more if is_back else after is not None

    def link(one: Row) -> str:
        return "-".join(map(str, key(one)))

    return KeysetPage(
        rows=rows,
        next=f"after={link(rows[-1])}" if rows and has_next else "",
        previous=f"before={link(rows[0])}" if rows and has_previous else "",
    )
