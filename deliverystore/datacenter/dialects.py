"""How the cells of a table are told apart, and how that is found out."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from deliverystore.datacenter.tables import is_blank

if TYPE_CHECKING:
    from _csv import Reader

DELIMITERS = ",;\t|"
# By so many records the delimiter is chosen.
TRIED_RECORDS = 100
# The width of a record that does not parse.
_BROKEN = -1


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What parts cells, and what a cell with delimiters or line ends stands in."""

    delimiter: str = ","
    quote: str = '"'

    def reader(self, lines: Iterable[str], *, strict: bool = True) -> Reader:
        """Return a csv.reader; it takes exactly the lines of the records it gives."""
        return csv.reader(
            lines, delimiter=self.delimiter, quotechar=self.quote, strict=strict
        )

    @cached_property
    def cell(self) -> re.Pattern[str]:
        """Match a well-formed cell and what ends it: a delimiter or a line end."""
        delimiter, quote = re.escape(self.delimiter), re.escape(self.quote)
        plain = f"[^{delimiter}{quote}\\r\\n][^{delimiter}\\r\\n]*+"
        return re.compile(f"(?:{self.quoted.pattern}|{plain}|){self._end}")

    @cached_property
    def malformed(self) -> re.Pattern[str]:
        """Match any other cell, and what ends it; what is quoted ends nothing."""
        rest = f"[^{re.escape(self.delimiter)}\\r\\n]*+"
        return re.compile(f"(?:{self.quoted.pattern})?{rest}{self._end}")

    @cached_property
    def quoted(self) -> re.Pattern[str]:
        """Match a quoted cell, its quotes included."""
        quote = re.escape(self.quote)
        return re.compile(f"{quote}(?:[^{quote}]++|{quote}{quote})*+{quote}")

    @property
    def _end(self) -> str:
        return f"({re.escape(self.delimiter)}|\\r\\n|\\r|\\n|\\Z)"

    def literally(self, record: str) -> list[str]:
        """Return the cells of a record that does not parse.

        A cell that is not well formed is as it stands, with its quotes.
        """
        cells: list[str] = []
        position, end = 0, self.delimiter
        while end == self.delimiter:
            if found := self.cell.match(record, position):
                cells.append(self._unquoted(record[position : found.start(1)]))
            elif found := self.malformed.match(record, position):
                cells.append(record[position : found.start(1)])
            else:
                break
            position, end = found.end(), found[1]
        return cells

    def _unquoted(self, cell: str) -> str:
        if not cell.startswith(self.quote):
            return cell
        return cell[1:-1].replace(self.quote * 2, self.quote)


def detect(lines: list[str], *, delimiter: str | None, quote: str | None) -> Dialect:
    """Return the dialect of a table by its first lines; what is given is kept."""
    tried = [Dialect(delimiter=one) for one in delimiter or DELIMITERS]
    if quote is not None:
        tried = [replace(one, quote=quote) for one in tried]
    elif lines and _is_wrapped(lines, "'"):
        tried = [replace(one, quote="'") for one in tried]
    return max(tried, key=lambda dialect: _rank(lines, dialect))


def _is_wrapped(lines: list[str], quote: str) -> bool:
    """Tell whether the first line with text begins and ends with the quote."""
    first = next((line.strip() for line in lines if line.strip()), "")
    return len(first) > 1 and first[0] == first[-1] == quote


def _rank(lines: list[str], dialect: Dialect) -> tuple[bool, float, int]:
    """Tell how well a dialect fits: has it columns, how many rows agree, how many.

    One column fits every file, so it is the choice only if no delimiter is in the
    header.
    """
    widths = list(islice(_widths(lines, dialect), TRIED_RECORDS))
    if not widths:
        # All is blank, which is no accident if there are delimiters.
        return True, 1, 0
    if widths[0] == _BROKEN:
        return False, 0, 0
    agreeing = widths.count(widths[0]) / len(widths)
    return widths[0] > 1, agreeing, widths[0]


def _widths(lines: list[str], dialect: Dialect) -> Iterator[int]:
    """Yield the number of cells of each row that is not blank."""
    reader = dialect.reader(lines)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield _BROKEN
        else:
            if not is_blank(cells):
                yield len(cells)
