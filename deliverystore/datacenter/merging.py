"""Two CSV files with a header each, as one."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from deliverystore.datacenter.parsing import raise_field_limit
from deliverystore.streams import CHUNK_SIZE

Row = list[str]


def merged(first: BinaryIO, second: BinaryIO) -> Iterator[bytes]:
    """Yield the CSV file that has the rows of two, in chunks; it reads as a stream.

    Columns are matched by name, those of one name in their order. The first file's
    columns keep their places; what only the second one has comes behind them.
    """
    one, other = _records(first), _records(second)
    columns, added = next(one, []), next(other, [])
    keys = _keys(columns)
    keys += [key for key in _keys(added) if key not in keys]
    places = [keys.index(key) for key in _keys(added)]
    header = [name for name, _ in keys]
    return _written(_united(header, one, other, places))


def _united(
    header: Row, one: Iterable[Row], other: Iterable[Row], places: list[int]
) -> Iterator[Row]:
    if header:
        yield header
    for row in one:
        yield row + [""] * (len(header) - len(row))
    for row in other:
        united = [""] * len(header)
        for place, cell in zip(places, row, strict=False):
            united[place] = cell
        # More cells than columns: they stay, as they would in the file itself.
        yield united + row[len(places) :]


def _records(file: BinaryIO) -> Iterator[Row]:
    """Return the records that have cells; bytes that are no UTF-8 stay as they are."""
    raise_field_limit()
    with io.TextIOWrapper(
        file, encoding="utf-8-sig", errors="surrogateescape", newline=""
    ) as text:
        yield from filter(None, csv.reader(text))


def _keys(columns: Row) -> list[tuple[str, int]]:
    """Return each column's name and how many of that name came before it."""
    seen: Counter[str] = Counter()
    keys = []
    for name in columns:
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys


def _written(rows: Iterable[Row]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() >= CHUNK_SIZE:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "surrogateescape")
