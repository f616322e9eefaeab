"""What every table gives, whatever file it is read from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple, TypedDict

from deliverystore.datacenter.problems import Code, Problem
from deliverystore.exceptions import TableUnreadable

BATCH_SIZE = 2000
MAX_COLUMNS = 16_384
# A header may be below titles and remarks, but not anywhere.
MAX_HEADER_LINE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """Where a record begins: what a run keeps so as to go on from there.

    offset counts bytes from the start of the file (in a workbook: rows), line counts
    physical lines from 1, record counts the records below the header from 1.
    """

    offset: int
    line: int
    record: int


class Declared(TypedDict):
    """Keywords of open_table."""

    encoding: str | None
    delimiter: str | None
    quote: str | None
    sheet: str | None
    header_line: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How a file is written; what was found out, to be shown and declared again.

    header_line counts physical lines from 1: what is above it is no part of the table.
    """

    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    sheet: str = ""
    header_line: int = 0

    @property
    def declared(self) -> Declared:
        """What is said here, as open_table takes it; None for what is not."""
        return {
            "encoding": self.encoding or None,
            "delimiter": self.delimiter or None,
            "quote": self.quote or None,
            "sheet": self.sheet or None,
            "header_line": self.header_line or None,
        }


# How this app writes files itself.
OUR_OWN = Layout(encoding="utf-8", delimiter=",", quote='"', header_line=1)


class Record(NamedTuple):
    """One row below the header, as it stands in the file.

    first_line is the one in the original, of a row of a pending file that is known.
    """

    number: int
    line: int
    cells: list[str]
    first_line: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Some records in a row, and what is wrong with them, in order.

    rows and lines have one entry a record: its cells, and the physical line in which
    it begins. The number of the first one is start.record.
    """

    start: Position
    next: Position
    rows: list[list[str]]
    lines: Sequence[int]
    problems: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Record]:
        return map(Record, count(self.start.record), self.lines, self.rows)


class Table(ABC):
    """The header of a file, and its records, read once from where position is.

    sheets names those of a workbook, of which one is read.
    problems has those of the header. A record that has a problem is a record
    nevertheless: its cells are what could be read of it.
    """

    header: tuple[str, ...]
    header_line: int
    layout: Layout
    problems: list[Problem]
    sheets: tuple[str, ...] = ()

    @property
    @abstractmethod
    def position(self) -> Position:
        """Where the next record begins."""

    @abstractmethod
    def read_batch(self, size: int = BATCH_SIZE) -> Batch:
        """Return the next records, at most size, and go on behind them.

        There may be fewer if they are large; there is none only at the end.
        """

    def batches(self, size: int = BATCH_SIZE) -> Iterator[Batch]:
        """Yield all that is left, in batches."""
        batch: Batch | None
        while batch := self.read_batch(size):
            yield batch
            # The next one is made in the place of this one, which the cache has.
            batch = None

    def __iter__(self) -> Iterator[Record]:
        for batch in self.batches():
            yield from batch


def check_header_line(line: int) -> None:
    """Raise TableUnreadable if no header can be in a line, counted from 1."""
    if not 1 <= line <= MAX_HEADER_LINE:
        params: dict[str, int | str] = {"wanted": line, "limit": MAX_HEADER_LINE}
        raise TableUnreadable(Problem(code=Code.HEADER_LINE_UNKNOWN, params=params))


def no_header(line: int) -> TableUnreadable:
    """Return the error of a file in which no row is left from a line on."""
    if line == 1:
        return TableUnreadable(Problem(code=Code.NO_HEADER))
    return TableUnreadable(Problem(code=Code.HEADER_MISSING, params={"wanted": line}))


def is_blank(cells: list[str]) -> bool:
    """Tell whether a row has nothing but blanks in all its cells, or no cell."""
    return not any(map(str.strip, cells))


def header_problems(header: Sequence[str], line: int) -> Iterator[Problem]:
    """Yield what is wrong with a header: columns without a name, or with one twice."""
    if len(header) > MAX_COLUMNS:
        limit: dict[str, int | str] = {"limit": MAX_COLUMNS}
        yield Problem(code=Code.TOO_MANY_COLUMNS, line=line, params=limit)
        return
    first: dict[str, int] = {}
    for column, name in enumerate(header, start=1):
        key = " ".join(name.split()).casefold()
        if not key:
            yield Problem(code=Code.HEADER_EMPTY, line=line, column=column)
        elif (other := first.setdefault(key, column)) != column:
            yield Problem(
                code=Code.HEADER_DUPLICATE,
                line=line,
                column=column,
                name=name,
                params={"other": other},
            )


def width_problems(
    cells: list[str], header: Sequence[str], *, line: int, record: int
) -> Iterator[Problem]:
    """Yield what is wrong with the number of cells; in a blank row it is free."""
    found, expected = len(cells), len(header)
    if found == expected or is_blank(cells):
        return
    column = min(found, expected) + 1
    yield Problem(
        code=Code.TOO_FEW_CELLS if found < expected else Code.TOO_MANY_CELLS,
        line=line,
        record=record,
        column=column,
        name=name_of(header, column),
        params={"found": found, "expected": expected},
    )


def name_of(header: Sequence[str], column: int | None) -> str:
    """Return what the header calls a column, counted from 1; it may be nothing."""
    return header[column - 1] if column and column <= len(header) else ""
