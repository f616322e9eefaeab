"""Where the header of a file may be if titles or remarks stand above it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from deliverystore.datacenter.tables import Record, Table, header_problems, is_blank
from deliverystore.exceptions import TableUnreadable

# A title has text in one cell or two; so few columns are no sign of a table.
_MIN_COLUMNS = 3
# By so many rows below a header it is judged.
_JUDGED = 20

Row = Sequence[str]


def likely_header(
    header: Row, sample: Sequence[Record], table_at: Callable[[int], Table] | None
) -> int | None:
    """Return the line of the first row that looks more like a header than the header.

    It has at least twice as many names, all of them different, and nothing below it
    has more cells. table_at opens the file with the header in a line; without it, what
    is above a row does not change how it is read.
    """
    named = sum(map(bool, map(str.strip, header)))
    if named == len(header) >= _MIN_COLUMNS and _fits(header, sample):
        return None
    for index, record in enumerate(sample[:-1]):
        if is_blank(record.cells):
            continue
        names: Row = _without_end(record.cells)
        below = sample[index + 1 :]
        if table_at is not None:
            try:
                table = table_at(record.line)
            except TableUnreadable:
                continue
            names, below = table.header, list(islice(table, _JUDGED))
        is_wider = len(names) >= max(_MIN_COLUMNS, named * 2)
        if is_wider and not any(header_problems(names, 1)) and _fits(names, below):
            return record.line
    return None


def _fits(header: Row, records: Sequence[Record]) -> bool:
    return all(len(_without_end(one.cells)) <= len(header) for one in records)


def _without_end(cells: Row) -> Row:
    """Return the cells of a row without the blank ones at its end."""
    filled = [at for at, cell in enumerate(cells, start=1) if cell.strip()]
    return cells[: filled[-1]] if filled else ()
