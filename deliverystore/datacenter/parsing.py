"""Lines of a file into records, whatever is wrong with some of them."""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from deliverystore.datacenter.dialects import Dialect
from deliverystore.datacenter.encodings import Encoding
from deliverystore.datacenter.problems import Code

# A cell of one megabyte is fine, by either reckoning.
MAX_CELL_CHARACTERS = 1024 * 1024
# A record that is longer is taken for one whose quote is not closed. It bounds the
# memory: of a record there are its bytes, its lines and its cells.
MAX_RECORD_BYTES = 8 * 1024 * 1024

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A problem by its indices: of the row, of the line, of the column from 1.

    end is the line in which a quoted cell ends.
    """

    code: Code
    row: int
    line: int
    column: int | None = None
    end: int | None = None
    params: dict[str, int | str] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Parsed:
    """The records of some lines.

    starts has the index of the line in which each row begins. used is the number of
    lines that are dealt with: fewer than total if the last record goes on behind them.
    """

    rows: list[list[str]] = field(default_factory=list)
    starts: Sequence[int] = ()
    used: int = 0
    total: int = 0
    faults: list[Fault] = field(default_factory=list)


class End(Enum):
    """What comes behind the lines that are parsed."""

    # Perhaps the rest of the last record.
    MORE = auto()
    # The rest of the first record, which is more than a record can have.
    TOO_MUCH = auto()
    NOTHING = auto()


def parse(raw: bytes, encoding: Encoding, dialect: Dialect, end: End) -> Parsed:
    """Parse whole lines, of which the first begins a record."""
    text = _text(raw, encoding)
    parsed = None
    if text is not None and dialect.quote not in text:
        parsed = _one_each(text, dialect)
    if parsed is None:
        parsed = _with_care(text, raw, encoding, dialect, end)
    if len(raw) > MAX_CELL_CHARACTERS:
        parsed.faults += _size_faults(parsed)
    parsed.faults.sort(key=lambda fault: fault.row)
    return parsed


# -- Characters --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Damage:
    """What is wrong with the characters of a line, and the text before it."""

    code: Code
    line: int
    before: str
    params: dict[str, int | str]


def _text(raw: bytes, encoding: Encoding) -> str | None:
    """Return lines as text, or None if there are bytes or characters that are none."""
    try:
        text = raw.decode(encoding.codec)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _repaired(line: bytes, index: int, codec: str, damages: list[_Damage]) -> str:
    try:
        text = line.decode(codec)
    except UnicodeDecodeError as error:
        byte = f"0x{line[error.start]:02X}"
        damages.append(
            _Damage(
                code=Code.ENCODING,
                line=index,
                before=line[: error.start].decode(codec),
                params={"byte": byte, "in_line": error.start + 1, "encoding": codec},
            )
        )
        text = line.decode(codec, "backslashreplace")
    if "\0" in text:
        before = text[: text.index("\0")]
        damages.append(_Damage(code=Code.NUL, line=index, before=before, params={}))
        text = text.replace("\0", "\\x00")
    return text


def _damage_faults(
    damages: list[_Damage], texts: list[str], parsed: Parsed, dialect: Dialect
) -> Iterator[Fault]:
    """Yield the first damage of each kind in each record."""
    told = set()
    for damage in damages:
        row = bisect_right(parsed.starts, damage.line) - 1
        if damage.line >= parsed.used or (row, damage.code) in told:
            continue
        told.add((row, damage.code))
        before = [*texts[parsed.starts[row] : damage.line], damage.before]
        yield Fault(
            code=damage.code,
            row=row,
            line=damage.line,
            column=max(len(_leniently(before, dialect)), 1),
            params=damage.params,
        )


# -- Records -----------------------------------------------------------------------


def _one_each(text: str, dialect: Dialect) -> Parsed | None:
    """Parse lines without a quote: each is a record. It is the common case.

    Return None if something else in this process has lowered the limit of csv.
    """
    raise_field_limit()
    try:
        rows = list(dialect.reader(_lines(text)))
    except csv.Error:
        return None
    count = len(rows)
    return Parsed(rows=rows, starts=range(count), used=count, total=count)


def _with_care(
    text: str | None, raw: bytes, encoding: Encoding, dialect: Dialect, end: End
) -> Parsed:
    """Parse lines with quotes, or with bytes that are no text: text is None then."""
    damages: list[_Damage] = []
    texts = (
        [
            _repaired(line, index, encoding.codec, damages)
            for index, line in enumerate(encoding.split(raw))
        ]
        if text is None
        else list(_lines(text))
    )
    parsed = _records(texts, dialect, end)
    parsed.total = len(texts)
    parsed.faults += _damage_faults(damages, texts, parsed, dialect)
    return parsed


def _lines(text: str) -> Iterable[str]:
    """Return lines with their ends; unlike str.splitlines it knows only CR and LF."""
    return io.StringIO(text, newline="")


def _records(texts: list[str], dialect: Dialect, end: End) -> Parsed:
    """Parse lines; a record that does not parse is cut behind its bad quote.

    What follows may be good records, and a lost quote must not swallow them.
    """
    raise_field_limit()
    starts: list[int] = []
    parsed = Parsed(starts=starts)
    source: Iterable[str] = texts
    while taken := _run(source, dialect, parsed, starts):
        fault = _diagnosed(texts[parsed.used : parsed.used + taken], parsed, dialect)
        if fault.code is Code.QUOTE_UNCLOSED and not _is_final(parsed, end):
            break
        record = texts[parsed.used : fault.line + 1]
        parsed.faults.append(fault)
        parsed.rows.append(dialect.literally("".join(record)))
        starts.append(parsed.used)
        parsed.used = fault.line + 1
        if end is End.TOO_MUCH:
            # There are many lines, to be parsed in smaller blocks.
            break
        source = _from(texts, parsed.used)
    return parsed


def _is_final(parsed: Parsed, end: End) -> bool:
    return end is End.NOTHING or (end is End.TOO_MUCH and not parsed.rows)


def _run(
    source: Iterable[str], dialect: Dialect, parsed: Parsed, starts: list[int]
) -> int:
    """Parse up to a record that does not parse; return how many lines it took.

    Return 0 if all is parsed.
    """
    first = line = parsed.used
    keep, begin = parsed.rows.append, starts.append
    reader = dialect.reader(source)
    try:
        for cells in reader:
            keep(cells)
            begin(line)
            line = first + reader.line_num
    except csv.Error:
        return first + reader.line_num - line
    finally:
        parsed.used = line
    return 0


def _from(texts: list[str], index: int) -> Iterator[str]:
    # Neither a slice nor islice: both cost what lies before or behind.
    for number in range(index, len(texts)):
        yield texts[number]


def _diagnosed(texts: list[str], parsed: Parsed, dialect: Dialect) -> Fault:
    """Find out why a record does not parse of which these lines were taken."""
    text = "".join(texts)
    position, column = 0, 1
    while position < len(text) and (cell := dialect.cell.match(text, position)):
        position, column = cell.end(), column + 1
    row, line = len(parsed.rows), parsed.used + _count_lines(text[:position])
    if position == len(text):
        # Something else in this process has lowered the limit of csv meanwhile.
        limit = f"{csv.field_size_limit():,}"
        return Fault(
            code=Code.CELL_TOO_LARGE, row=row, line=line - 1, params={"limit": limit}
        )
    quoted = dialect.quoted.match(text, position)
    if quoted is None:
        return Fault(
            code=Code.QUOTE_UNCLOSED,
            row=row,
            line=line,
            column=column,
            params={"limit": f"{MAX_RECORD_BYTES:,}"},
        )
    end = line + _count_lines(quoted[0])
    return Fault(code=Code.QUOTE_STRAY, row=row, line=line, column=column, end=end)


def _count_lines(text: str) -> int:
    return sum(1 for _ in _LINE_END.finditer(text))


def _leniently(texts: list[str], dialect: Dialect) -> list[str]:
    try:
        return next(dialect.reader(texts, strict=False), [])
    except csv.Error:  # the limit was lowered
        return []


def raise_field_limit() -> None:
    """Let csv take cells of any size that comes up here.

    Its limit is one for the whole process: so it is never lowered, and what is too
    large is found here.
    """
    if csv.field_size_limit() < MAX_RECORD_BYTES:
        csv.field_size_limit(MAX_RECORD_BYTES)


def _size_faults(parsed: Parsed) -> Iterator[Fault]:
    for row, cells in enumerate(parsed.rows):
        for column, cell in enumerate(cells, start=1):
            if len(cell) > MAX_CELL_CHARACTERS:
                yield Fault(
                    code=Code.CELL_TOO_LARGE,
                    row=row,
                    line=parsed.starts[row],
                    column=column,
                    params={"limit": f"{MAX_CELL_CHARACTERS:,}"},
                )
