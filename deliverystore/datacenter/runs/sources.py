"""Where the rows of a run come from: a file, or what failed in another run."""

from __future__ import annotations

import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.journal import stamp
from deliverystore.datacenter.problems import Problem
from deliverystore.datacenter.reader import open_table
from deliverystore.datacenter.rows.arranging import RESERVED
from deliverystore.datacenter.rows.outcomes import CellError
from deliverystore.datacenter.tables import (
    BATCH_SIZE,
    Layout,
    Position,
    Record,
    Table,
    width_problems,
)
from deliverystore.exceptions import RunRefused
from deliverystore.models import FailedRow, ImportRun

# What the codes begin with of errors that were in the file before any processor saw it.
FILE_CODE = "file."


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Some records, what is wrong with them by number, and where the next ones are."""

    records: list[Record]
    faults: dict[int, list[CellError]] = field(default_factory=dict)
    next: Position


class Source(ABC):
    """Gives the records of a run once, in order."""

    header: Sequence[str]

    @property
    def columns(self) -> list[str]:
        """The columns that are the file's own."""
        return [name for name in self.header if name not in RESERVED]

    def own_cells(self, cells: Sequence[str]) -> list[str]:
        """Return the cells of these columns, and those that no column names."""
        if not self._has_ours:
            return list(cells)
        if self.header and self.header[-1] in RESERVED:
            # In a row that is too long, too, the last cell is ours.
            return list(cells[: max(len(self.header), len(cells)) - 1])
        names = [*self.header, *[""] * (len(cells) - len(self.header))]
        return [
            cell
            for name, cell in zip(names, cells, strict=False)
            if name not in RESERVED
        ]

    @cached_property
    def _has_ours(self) -> bool:
        return any(name in RESERVED for name in self.header)

    @abstractmethod
    def read(self, size: int = BATCH_SIZE) -> Rows:
        """Return the next records; none only at the end."""

    def all(self) -> Iterator[Rows]:
        """Yield all that is left."""
        while (rows := self.read()).records:
            yield rows


class FileSource(Source):
    """The records of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.header = table.header

    def read(self, size: int = BATCH_SIZE) -> Rows:
        batch = self._table.read_batch(size)
        faults: dict[int, list[CellError]] = {}
        for problem in batch.problems:
            faults.setdefault(problem.record or 0, []).append(_as_error(problem))
        return Rows(records=list(batch), faults=faults, next=batch.next)


class FailedSource(Source):
    """The rows that failed in the parent of a run, with their numbers and lines."""

    def __init__(self, run: ImportRun, start: Position | None) -> None:
        self._run = run
        self.header = tuple(run.header)
        self._next = start or Position(offset=0, line=0, record=0)

    def read(self, size: int = BATCH_SIZE) -> Rows:
        failed = list(
            FailedRow.objects.filter(
                run_id=self._run.parent_id, number__gte=self._next.record
            ).order_by("number")[:size]
        )
        faults: dict[int, list[CellError]] = {}
        records = []
        for row in failed:
            cells = row.current_cells
            records.append(Record(row.number, row.line, cells))
            if errors := self._faults(row, cells):
                faults[row.number] = errors
        if failed:
            last = failed[-1]
            self._next = Position(offset=0, line=last.line, record=last.number + 1)
        return Rows(records=records, faults=faults, next=self._next)

    def _faults(self, row: FailedRow, cells: list[str]) -> list[CellError]:
        """Return why cells cannot be used: nobody has repaired what was a guess."""
        if not row.edited_json:
            errors = [CellError(**error) for error in row.errors]
            if guessed := [one for one in errors if one.code.startswith(FILE_CODE)]:
                return guessed
        found = width_problems(cells, self.header, line=row.line, record=row.number)
        return list(map(_as_error, found))


@contextlib.contextmanager
def open_source(run: ImportRun, start: Position | None = None) -> Iterator[Source]:
    """Give the rows of a run to the block, from a position or from the beginning on.

    Raise RunRefused if the file is another one than that of the run.
    """
    if run.from_parent:
        yield FailedSource(run, start)
        return
    center = DataCenter()
    name = run.original_file or run.file
    if not run.original_file and stamp(center.place.entry(name)) != run.stamp:
        raise RunRefused(f"{name!r} has changed since its import began.")
    declared = Layout(**run.layout).declared
    with center.open(name) as file:
        yield FileSource(open_table(file, name=run.file, start=start, **declared))


def position_of(run: ImportRun) -> Position | None:
    """Return where a run goes on; None if that is the beginning."""
    if run.offset is None or run.line is None or run.record is None:
        return None
    return Position(offset=run.offset, line=run.line, record=run.record)


def dumped(value: object) -> str:
    """Return JSON in ASCII: any cell can be stored, whatever is in it."""
    return json.dumps(value)


def _as_error(problem: Problem) -> CellError:
    return CellError(
        code=f"{FILE_CODE}{problem.code}", message=problem.message, column=problem.name
    )
