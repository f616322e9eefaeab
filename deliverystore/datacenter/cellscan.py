"""How much a sheet of a workbook will take in memory, told without building it.

The reader of workbooks allocates every cell between the first and the last one, and
copies a shared text into each cell that uses it. So a few bytes can ask for terabytes.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from django.utils.translation import gettext as _

from deliverystore.datacenter.problems import Code, Problem
from deliverystore.exceptions import TableUnreadable

MAX_CELLS = 2_000_000
# Of all cells together: a text that many cells share counts in each of them.
MAX_TEXT = 256 * 1024 * 1024
# Spreadsheets know about a dozen.
MAX_ERROR_TEXTS = 100
# What is shown for a formula without a value: programs that write workbooks without
# calculating leave such, and the reader of workbooks takes them for empty cells.
NO_VALUE = "=?"
_MAX_ROW, _MAX_COLUMN = 1_048_576, 16_384
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Attributes = dict[str, str]


class Errors:
    """The cells that show an error, or have none to show, by row and column from 1.

    There may be as many as a sheet has cells, so each is a number: of its place, and of
    what it shows, which is one of few texts.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._places = array("Q")
        self._shown = array("B")
        self._is_sorted = True
        self.rows = self.columns = 0
        self.first_column = _MAX_COLUMN

    def add(self, row: int, column: int, text: str) -> None:
        """Add a cell with what it shows. Raise TableUnreadable for too many texts."""
        if text not in self._texts:
            if len(self._texts) == MAX_ERROR_TEXTS:
                raise damaged(_("its cells show more kinds of errors than there are"))
            self._texts.append(text)
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        self.first_column = min(self.first_column, column)
        place = _place_of(row, column)
        if self._places and place < self._places[-1]:
            self._is_sorted = False
        self._places.append(place)
        self._shown.append(self._texts.index(text))

    def of_row(self, row: int) -> dict[int, str]:
        """Return what the cells of a row show, by column; nothing for the others."""
        if not self._is_sorted:
            self._sort()
        first = bisect_left(self._places, _place_of(row, 0))
        end = bisect_left(self._places, _place_of(row + 1, 0))
        return {
            self._places[one] - _place_of(row, 0): self._texts[self._shown[one]]
            for one in range(first, end)
        }

    def _sort(self) -> None:
        order = sorted(range(len(self._places)), key=self._places.__getitem__)
        self._places = array("Q", [self._places[one] for one in order])
        self._shown = array("B", [self._shown[one] for one in order])
        self._is_sorted = True


@dataclass(kw_only=True)
class Sheet:
    """What a sheet has: its extent, its shared texts by index, its errors by cell."""

    rows: int = 0
    columns: int = 0
    texts: Counter[int] = field(default_factory=Counter)
    errors: Errors = field(default_factory=Errors)


def damaged(reason: object) -> TableUnreadable:
    """Return the error that a workbook cannot be read."""
    return TableUnreadable(
        Problem(code=Code.WORKBOOK_DAMAGED, params={"reason": str(reason)})
    )


def too_large(reason: str) -> TableUnreadable:
    """Return the error that a workbook is too large."""
    return TableUnreadable(
        Problem(code=Code.WORKBOOK_TOO_LARGE, params={"reason": reason})
    )


def scan_elements(
    chunks: Iterable[bytes],
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] = lambda _name: None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Call start and end for each element, and text for the text between.

    Names come without their prefix. Raise TableUnreadable if the XML is broken or has
    a document type, which could define entities.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, found: start(_local(name), found)
    parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for chunk in chunks:
            parser.Parse(chunk)
        parser.Parse(b"", True)  # noqa: FBT003 - it takes no keyword
    except expat.ExpatError as error:
        raise damaged(error) from error


def scan_sheet(chunks: Iterable[bytes]) -> Sheet:
    """Return what a sheet has. Raise TableUnreadable if it has too many cells."""
    scan = _SheetScan()
    scan_elements(chunks, scan.start, scan.end, scan.text)
    return scan.sheet


def scan_texts(chunks: Iterable[bytes]) -> list[int]:
    """Return the length of each shared text, in characters."""
    scan = _TextScan()
    scan_elements(chunks, scan.start, text=scan.text)
    return scan.lengths


def check_texts(sheet: Sheet, lengths: list[int]) -> None:
    """Raise TableUnreadable if the texts are too much when every cell has its own."""
    total = 0
    for index, count in sheet.texts.items():
        if not 0 <= index < len(lengths):
            raise damaged(_("there is no shared text %(index)s") % {"index": index})
        total += lengths[index] * count
    if total > MAX_TEXT:
        raise too_large(
            _("its texts have %(total)s characters, of %(limit)s allowed")
            % {"total": f"{total:,}", "limit": f"{MAX_TEXT:,}"}
        )


def name_of_cell(row: int, column: int) -> str:
    """Return what a spreadsheet calls a cell: C2 for row 2 and column 3."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


class _SheetScan:
    """Follows the rows and cells as the reader of workbooks does."""

    def __init__(self) -> None:
        self.sheet = Sheet()
        self._row = self._column = 0
        self._type = ""
        self._value: list[str] | None = None
        self._lacks_value = False

    def start(self, name: str, found: Attributes) -> None:
        if name == "c":
            self._start_cell(found)
        elif name == "row":
            self._row = _number(found.get("r"), self._row + 1)
            self._column = 0
        elif name == "f":
            self._lacks_value = self._type != "inlineStr"
        elif name == "v" and (self._type in {"s", "e"} or self._lacks_value):
            self._value = []

    def text(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)

    def end(self, name: str) -> None:
        if name == "v" and self._value is not None:
            value, self._value = "".join(self._value).strip(), None
            self._end_value(value)
        elif name == "c" and self._lacks_value:
            self._lacks_value = False
            self.sheet.errors.add(self._row, self._column, NO_VALUE)

    def _end_value(self, value: str) -> None:
        # A formula can have the text "" as its value.
        self._lacks_value &= not value and self._type != "str"
        if self._type == "s":
            self.sheet.texts[_number(value, -1)] += 1
        elif self._type == "e" and not self._lacks_value:
            self.sheet.errors.add(self._row, self._column, value)

    def _start_cell(self, found: Attributes) -> None:
        sheet = self.sheet
        self._type = found.get("t", "")
        self._lacks_value = False
        if reference := found.get("r"):
            self._row, self._column = _place(reference)
        else:
            self._column += 1
        sheet.rows = max(sheet.rows, self._row)
        sheet.columns = max(sheet.columns, self._column)
        if sheet.rows > _MAX_ROW or sheet.columns > _MAX_COLUMN:
            raise damaged(
                _("no sheet has a cell %(row)d, %(column)d")
                % {"row": self._row, "column": self._column}
            )
        if sheet.rows * sheet.columns > MAX_CELLS:
            raise too_large(
                _("%(rows)s rows of %(columns)s columns are more than %(limit)s cells")
                % {
                    "rows": f"{sheet.rows:,}",
                    "columns": f"{sheet.columns:,}",
                    "limit": f"{MAX_CELLS:,}",
                }
            )


class _TextScan:
    def __init__(self) -> None:
        self.lengths: list[int] = []

    def start(self, name: str, _found: Attributes) -> None:
        if name == "si":
            self.lengths.append(0)

    def text(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)


def _place_of(row: int, column: int) -> int:
    """Return a number by which the cells of a sheet are in their order."""
    return row * (_MAX_COLUMN + 1) + column


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_doctype(*_arguments: object) -> None:
    raise damaged(_("its XML has a document type"))


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MAX_ROW))):
        raise damaged(
            _("%(text)s is no number of a row or of a text") % {"text": repr(text[:20])}
        )
    return int(text)


def _place(reference: str) -> tuple[int, int]:
    """Return row and column, both from 1: of 'B3' 3 and 2."""
    if not (match := _REFERENCE.fullmatch(reference.upper())):
        raise damaged(_("%(text)s is no cell") % {"text": repr(reference[:20])})
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]), column
