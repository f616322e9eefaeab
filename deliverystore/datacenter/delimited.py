"""CSV files as tables."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import BinaryIO

from deliverystore.datacenter.blocks import (
    BLOCK_BYTES,
    Block,
    BlockReader,
    read,
    read_lines,
    skip_lines,
)
from deliverystore.datacenter.dialects import Dialect, detect
from deliverystore.datacenter.encodings import encoding_of
from deliverystore.datacenter.parsing import Fault
from deliverystore.datacenter.problems import Code, Problem
from deliverystore.datacenter.tables import (
    BATCH_SIZE,
    Batch,
    Layout,
    Position,
    Table,
    check_header_line,
    header_problems,
    is_blank,
    name_of,
    no_header,
    width_problems,
)

# A batch ends early when it has taken so much of the file.
BATCH_BYTES = 4 * 1024 * 1024
# So many of the lines that are no text are kept, to find out what they are.
DAMAGED_LINES = 50
HEAD_BYTES = 4096
# The cells of these records are a guess, and so is their number.
_GUESSED = {Code.QUOTE_STRAY, Code.QUOTE_UNCLOSED, Code.LINE_TOO_LONG}
_NO_TEXT = {Code.ENCODING, Code.NUL}


class DelimitedTable(Table):
    """A CSV file that is open for reading bytes, and can seek.

    Whoever opened it closes it. damaged has the first lines that are no text in its
    encoding, head its first bytes.
    """

    _block: Block
    _index: int
    _position: Position

    def __init__(
        self,
        file: BinaryIO,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        quote: str | None = None,
        header_line: int | None = None,
        start: Position | None = None,
    ) -> None:
        self.damaged: list[bytes] = []
        self.head = read(file, 0, HEAD_BYTES)
        self._encoding = encoding_of(self.head, encoding)
        top = self._top(file, header_line or 1)
        dialect = self._detected(file, top.offset, delimiter, quote)
        self._reader = BlockReader(file, self._encoding, dialect)
        self._read_header(top)
        self.layout = Layout(
            encoding=self._encoding.codec,
            delimiter=dialect.delimiter,
            quote=dialect.quote,
            header_line=self.header_line,
        )
        if start is not None:
            self._go_to(start)

    @property
    def position(self) -> Position:
        return self._position

    def read_batch(self, size: int = BATCH_SIZE) -> Batch:
        start = self.position
        rows: list[list[str]] = []
        lines: list[Iterable[int]] = []
        problems: list[Problem] = []
        while len(rows) < size and self._has_row():
            block, first = self._block, self._index
            self._index = end = min(first + size - len(rows), len(block.rows))
            rows += block.rows[first:end]
            lines.append(block.line_numbers(first, end))
            problems += self._problems(block, first, end)
            if block.end.offset - start.offset > BATCH_BYTES:
                break
        behind = self._go_on()
        return Batch(
            start=start,
            next=behind,
            rows=rows,
            # Not a number a record, if it can be helped: they fill the cache.
            lines=range(start.line, behind.line)
            if behind.line - start.line == len(rows)
            else list(chain.from_iterable(lines)),
            problems=problems,
        )

    # -- The beginning -------------------------------------------------------------

    def _top(self, file: BinaryIO, line: int) -> Position:
        """Return where the header is looked for; what is above need not be a table."""
        check_header_line(line)
        offset = skip_lines(file, self._encoding, self._encoding.mark, line - 1)
        return Position(offset=offset, line=line, record=0)

    def _detected(
        self, file: BinaryIO, start: int, delimiter: str | None, quote: str | None
    ) -> Dialect:
        raw, _end = read_lines(file, self._encoding, start, BLOCK_BYTES)
        lines = self._encoding.split(raw)
        texts = [line.decode(self._encoding.codec, "replace") for line in lines]
        return detect(texts, delimiter=delimiter, quote=quote)

    def _read_header(self, top: Position) -> None:
        self.header = ()
        self._go_to(top)
        while self._has_row() and is_blank(self._block.rows[self._index]):
            self._index += 1
        if not self._has_row():
            raise no_header(top.line)
        block, index = self._block, self._index
        of_form = [self._problem(block, one) for one in _of(block, index, index + 1)]
        self.header = tuple(block.rows[index])
        self.header_line = block.position(index).line
        self.problems = [*of_form, *header_problems(self.header, self.header_line)]
        behind = block.position(index + 1)
        self._go_to(Position(offset=behind.offset, line=behind.line, record=1))

    # -- What follows --------------------------------------------------------------

    def _go_to(self, position: Position) -> None:
        block = Block(start=position, encoding=self._encoding, size=0)
        self._block, self._index, self._position = block, 0, position

    def _go_on(self) -> Position:
        self._position = self._block.position(self._index)
        return self._position

    def _has_row(self) -> bool:
        """Tell whether there is a next row; it is in the block then."""
        if self._index == len(self._block.rows):
            self._block, self._index = self._reader.read(self._block.end), 0
        return bool(self._block.rows)

    def _problems(self, block: Block, first: int, end: int) -> list[Problem]:
        """Return what is wrong with some rows of a block, row by row."""
        faults = _of(block, first, end)
        problems = [self._problem(block, fault) for fault in faults]
        expected = len(self.header)
        if set(map(len, block.rows[first:end])) != {expected}:
            guessed = {fault.row for fault in faults if fault.code in _GUESSED}
            for row in range(first, end):
                if len(block.rows[row]) != expected and row not in guessed:
                    problems += self._width_problems(block, row)
            problems.sort(key=lambda problem: problem.record or 0)
        return problems

    def _width_problems(self, block: Block, row: int) -> Iterator[Problem]:
        return width_problems(
            block.rows[row],
            self.header,
            line=block.start.line + block.parsed.starts[row],
            record=block.start.record + row,
        )

    def _problem(self, block: Block, fault: Fault) -> Problem:
        line, column = block.start.line + fault.line, fault.column
        if fault.code in _NO_TEXT and len(self.damaged) < DAMAGED_LINES:
            self.damaged.append(block.split()[fault.line])
        params = dict(fault.params)
        if fault.end is not None:
            params["end"] = block.start.line + fault.end
        return Problem(
            code=fault.code,
            line=line,
            # In the header there is no record, nor are there names yet.
            record=block.start.record + fault.row if self.header else None,
            column=column,
            name=name_of(self.header, column),
            params=params,
        )


def _of(block: Block, first: int, end: int) -> list[Fault]:
    """Return the faults of some rows."""
    faults, row = block.parsed.faults, attrgetter("row")
    return faults[
        bisect_left(faults, first, key=row) : bisect_left(faults, end, key=row)
    ]
