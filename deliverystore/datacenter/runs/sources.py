"""Where the rows of a run come from: a file, or what failed in another run."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.journal import stamp
from deliverystore.datacenter.places import Place
from deliverystore.datacenter.problems import Problem
from deliverystore.datacenter.reader import open_table
from deliverystore.datacenter.rows.outcomes import CellError
from deliverystore.datacenter.runs.guesses import (
    FILE_CODE,
    Guesses,
    guess_key,
    guessed,
)
from deliverystore.datacenter.runs.known_again import KnownAgain
from deliverystore.datacenter.runs.own import Own
from deliverystore.datacenter.tables import (
    BATCH_SIZE,
    Batch,
    Layout,
    Position,
    Record,
    Table,
    width_problems,
)
from deliverystore.exceptions import RunRefused
from deliverystore.models import FailedRow, ImportRun


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Some records, what is wrong with them by number, and where the next ones are.

    is_last is sure if it is set; behind the last ones there may be none, too.
    """

    records: list[Record]
    faults: dict[int, list[CellError]] = field(default_factory=dict)
    next: Position
    is_last: bool = False


class Source(ABC):
    """Gives the records of a run once, in order."""

    header: Sequence[str]

    @abstractmethod
    def read(self, size: int = BATCH_SIZE) -> Rows:
        """Return the next records; none only at the end."""

    def all(self) -> Iterator[Rows]:
        """Yield all that is left."""
        while (rows := self.read()).records:
            yield rows


class FileSource(Source):
    """The records of a table; of a pending file, those of its parent were tried before.

    What was a guess there is one here, as long as nobody has edited it.
    """

    def __init__(self, table: Table, parent: ImportRun | None = None) -> None:
        self._table = table
        self._ahead: Batch | None = None
        self._guesses = Guesses(parent.pk if parent else None)
        self._known = KnownAgain(parent, table.header, table.position.record)
        self._own = Own(table.header)
        self.header = table.header

    def read(self, size: int = BATCH_SIZE) -> Rows:
        batch = self._ahead or self._table.read_batch(size)
        # It can be short because its rows are large.
        is_short = 0 < len(batch) < size
        self._ahead = self._table.read_batch(size) if is_short else None
        faults: dict[int, list[CellError]] = {}
        for problem in batch.problems:
            faults.setdefault(problem.record or 0, []).append(_as_error(problem))
        records = self._known.among(list(batch))
        return Rows(
            records=records,
            faults=self._guessed(records) | faults,
            next=batch.next,
            is_last=is_short and not self._ahead,
        )

    def _guessed(self, records: Sequence[Record]) -> dict[int, list[CellError]]:
        if not self._guesses.are_there:
            return {}
        columns, own = self._own.columns, self._own.cells
        return self._guesses.among(
            {one.number: guess_key(columns, own(one.cells)) for one in records}
        )


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
            records.append(Record(row.number, row.line, cells, row.first_line))
            if errors := self._faults(row, cells):
                faults[row.number] = errors
        if failed:
            last = failed[-1]
            self._next = Position(offset=0, line=last.line, record=last.number + 1)
        return Rows(
            records=records,
            faults=faults,
            next=self._next,
            is_last=len(failed) < size,
        )

    def _faults(self, row: FailedRow, cells: list[str]) -> list[CellError]:
        """Return why cells cannot be used: nobody has repaired what was a guess."""
        if not row.edited_json:
            errors = [CellError(**error) for error in row.errors]
            if found := guessed(errors):
                return found
        wrong = width_problems(cells, self.header, line=row.line, record=row.number)
        return list(map(_as_error, wrong))


@contextlib.contextmanager
def open_source(
    run: ImportRun, start: Position | None = None, *, is_tried: bool = True
) -> Iterator[Source]:
    """Give the rows of a run to the block, from a position or from the beginning on.

    Unless they are to be tried, nothing is looked up of what was tried before.
    Raise RunRefused if the file is another one than that of the run.
    """
    if run.from_parent:
        yield FailedSource(run, start)
        return
    center = DataCenter()
    name = run.original_file or run.file
    if not run.original_file and not is_unchanged(center.place, run):
        raise RunRefused(f"{name!r} has changed since its import began.")
    declared = Layout(**run.layout).declared
    with center.open(name) as file:
        table = open_table(file, name=run.file, start=start, **declared)
        yield FileSource(table, run.parent if is_tried else None)


def layout_of(run: ImportRun, declared: Layout) -> Layout:
    """Return how the file of a run is written if it is declared like this."""
    with DataCenter().open(run.file) as file:
        return open_table(file, name=run.file, **declared.declared).layout


def is_unchanged(place: Place, run: ImportRun) -> bool:
    """Tell whether the file of a run has the bytes with which it began.

    Only if its size and time are others, it is read: it may have been touched, or
    moved. Raise FileNotFound if it is gone.
    """
    entry = place.entry(run.file)
    if stamp(entry) == run.stamp:
        return True
    if entry.size != run.size or place.digest(run.file) != run.digest:
        return False
    run.stamp = stamp(entry)
    ImportRun.objects.filter(pk=run.pk).update(stamp=run.stamp)
    return True


def position_of(run: ImportRun) -> Position | None:
    """Return where a run goes on; None if that is the beginning."""
    if run.offset is None or run.line is None or run.record is None:
        return None
    return Position(offset=run.offset, line=run.line, record=run.record)


def _as_error(problem: Problem) -> CellError:
    return CellError(
        code=f"{FILE_CODE}{problem.code}", message=problem.message, column=problem.name
    )
