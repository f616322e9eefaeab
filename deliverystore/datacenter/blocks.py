"""Whole records of a CSV file, so many at once that it is fast."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO

from deliverystore.datacenter.dialects import Dialect
from deliverystore.datacenter.encodings import Encoding
from deliverystore.datacenter.parsing import (
    MAX_RECORD_BYTES,
    End,
    Fault,
    Parsed,
    parse,
)
from deliverystore.datacenter.problems import Code
from deliverystore.datacenter.tables import Position

# With more than this, what was parsed leaves the processor's cache before it is used.
BLOCK_BYTES = 16 * 1024


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some records, and the size bytes that they were read from."""

    start: Position
    encoding: Encoding
    size: int
    raw: bytes = b""
    parsed: Parsed = field(default_factory=Parsed)

    @property
    def rows(self) -> list[list[str]]:
        """The cells of each record."""
        return self.parsed.rows

    def split(self) -> list[bytes]:
        """Return the lines as bytes, with their ends."""
        return self.encoding.split(self.raw)

    @cached_property
    def end(self) -> Position:
        """Where the record behind the last one begins."""
        return self.position(len(self.rows))

    def line_numbers(self, first: int, end: int) -> Iterable[int]:
        """Return the physical lines in which some rows begin."""
        starts = self.parsed.starts[first:end]
        if isinstance(starts, range):
            return range(self.start.line + starts.start, self.start.line + starts.stop)
        return [self.start.line + start for start in starts]

    def position(self, index: int) -> Position:
        """Return where a row begins; behind the last one, where the block ends."""
        parsed = self.parsed
        line = parsed.starts[index] if index < len(parsed.rows) else parsed.used
        size = self.size
        if line < parsed.total:
            size = sum(map(len, self.split()[:line]))
        return Position(
            offset=self.start.offset + size,
            line=self.start.line + line,
            record=self.start.record + index,
        )


class BlockReader:
    """Reads the blocks of an open file, each from where it is asked to."""

    def __init__(self, file: BinaryIO, encoding: Encoding, dialect: Dialect) -> None:
        self._file = file
        self._encoding = encoding
        self._dialect = dialect
        self._size = BLOCK_BYTES

    def read(self, start: Position) -> Block:
        """Return the records from a position on, at least one; none at the end."""
        # What the last record needed, the next one may need as well.
        size = max(BLOCK_BYTES, self._size // 2)
        while True:
            raw, end = read_lines(self._file, self._encoding, start.offset, size)
            self._size = size if end is not End.TOO_MUCH else BLOCK_BYTES
            if raw:
                parsed = parse(raw, self._encoding, self._dialect, end)
                if parsed.rows:
                    return self._block(start, raw, parsed)
            elif end is End.NOTHING:
                return self._block(start)
            elif end is End.TOO_MUCH:
                return self._without_line(start)
            size *= 2

    def _block(
        self, start: Position, raw: bytes = b"", parsed: Parsed | None = None
    ) -> Block:
        return Block(
            start=start,
            encoding=self._encoding,
            size=len(raw),
            raw=raw,
            parsed=parsed or Parsed(),
        )

    def _without_line(self, start: Position) -> Block:
        """Return a record without cells in place of a line that is too long."""
        behind = _skip_long_line(self._file, self._encoding, start.offset)
        fault = Fault(
            code=Code.LINE_TOO_LONG,
            row=0,
            line=0,
            params={"limit": f"{MAX_RECORD_BYTES:,}"},
        )
        parsed = Parsed(rows=[[]], starts=[0], used=1, total=1, faults=[fault])
        return Block(
            start=start,
            encoding=self._encoding,
            parsed=parsed,
            size=behind - start.offset,
        )


def read_lines(
    file: BinaryIO, encoding: Encoding, offset: int, size: int
) -> tuple[bytes, End]:
    """Return the whole lines among the next size bytes, and what comes behind."""
    raw = read(file, offset, size)
    if len(raw) < size:
        return raw, End.NOTHING
    return encoding.whole(raw), End.MORE if size < MAX_RECORD_BYTES else End.TOO_MUCH


def skip_lines(file: BinaryIO, encoding: Encoding, offset: int, count: int) -> int:
    """Return the offset behind the next lines; at the end there may be fewer."""
    size = BLOCK_BYTES
    while count:
        raw, end = read_lines(file, encoding, offset, size)
        lines = encoding.split(raw)[:count]
        if lines:
            offset += sum(map(len, lines))
            count -= len(lines)
        elif end is End.MORE:
            size *= 2
        elif end is End.TOO_MUCH:
            offset = _skip_long_line(file, encoding, offset)
            count -= 1
        else:
            break
    return offset


def _skip_long_line(file: BinaryIO, encoding: Encoding, offset: int) -> int:
    """Return the offset behind a line of more than MAX_RECORD_BYTES."""
    while True:
        raw = read(file, offset, MAX_RECORD_BYTES)
        line = encoding.split(raw)[0] if raw else b""
        offset += len(line)
        at_end = len(raw) < MAX_RECORD_BYTES
        if at_end or len(line) < len(raw) or encoding.ends(line, "\n"):
            return offset
        if encoding.ends(line, "\r"):
            # Its LF may follow.
            offset -= encoding.width


def read(file: BinaryIO, offset: int, size: int) -> bytes:
    """Return size bytes of a file; fewer only at its end."""
    file.seek(offset)
    raw = file.read(size)
    while len(raw) < size and (more := file.read(size - len(raw))):
        raw += more
    return raw
