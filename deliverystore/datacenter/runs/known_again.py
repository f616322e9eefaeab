"""Rows of a pending file, known again as those that a run has left in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deliverystore.datacenter import naming
from deliverystore.datacenter.naming import Kind
from deliverystore.datacenter.runs.own import Own
from deliverystore.datacenter.tables import Record
from deliverystore.models import FailedRow, ImportRun, lineage

_BATCH = 1000


def counted_by(run: ImportRun) -> str:
    """Return the file in which the records and lines of a run's rows are counted.

    Rows that are tried again as they are in the database keep those that they had.
    """
    if not run.from_parent:
        return run.file
    tries = lineage.above(run.pk, ImportRun.objects.db)
    return next(one.file for one in tries if not one.is_retry)


class KnownAgain:
    """The rows that a parent has left, in the order of its pending file.

    A row is known if it stands where it was written, and nothing has changed in it but
    what was wrong: so nobody is sent to a wrong line. number is that of the first
    record to be asked for.
    """

    def __init__(
        self, parent: ImportRun | None, header: Sequence[str], number: int
    ) -> None:
        self._own = self._parents = Own(header)
        self._left: Iterator[FailedRow] | None = None
        if parent is None or Own(parent.header).columns != self._own.columns:
            return
        self._parents = Own(parent.header)
        # In its rows, the lines may be those of a pending file, too.
        self._is_first = naming.parse(counted_by(parent)).kind is not Kind.PENDING
        self._left = _left_by(parent, number - 1)

    def among(self, records: list[Record]) -> list[Record]:
        """Return the next records, with the lines of the original that are known."""
        if self._left is None:
            return records
        found = []
        for record in records:
            row = next(self._left, None)
            line = self._line_of(record, row) if row is not None else None
            found.append(record._replace(first_line=line) if line else record)
        return found

    def _line_of(self, record: Record, row: FailedRow) -> int | None:
        mine, theirs = self._own.cells(record.cells), self._parents.cells(row.cells)
        theirs += [""] * (len(mine) - len(theirs))
        if len(mine) != len(theirs):
            return None
        pairs = zip(self._own.columns, mine, theirs, strict=False)
        changed = {name for name, new, old in pairs if new != old}
        if changed and not changed <= {one["column"] for one in row.errors}:
            return None
        return row.line if self._is_first else row.first_line


def _left_by(run: ImportRun, skipped: int) -> Iterator[FailedRow]:
    """Yield the failed rows of a run in their order, by pages that seek."""
    rows = FailedRow.objects.filter(run=run).order_by("number")
    page = list(rows[skipped : skipped + _BATCH])
    while page:
        yield from page
        page = list(rows.filter(number__gt=page[-1].number)[:_BATCH])
