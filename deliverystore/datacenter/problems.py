"""What can be wrong with a table that was handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _


class Code(StrEnum):
    """The closed vocabulary of problems: what logs, filters and tests go by."""

    # Of bytes and characters.
    ENCODING = "encoding"
    NUL = "nul"
    # Of the form of a record.
    QUOTE_UNCLOSED = "quote_unclosed"
    QUOTE_STRAY = "quote_stray"
    CELL_TOO_LARGE = "cell_too_large"
    LINE_TOO_LONG = "line_too_long"
    TOO_FEW_CELLS = "too_few_cells"
    TOO_MANY_CELLS = "too_many_cells"
    CELL_ERROR = "cell_error"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    # Of the header.
    HEADER_EMPTY = "header_empty"
    HEADER_DUPLICATE = "header_duplicate"
    TOO_MANY_COLUMNS = "too_many_columns"
    # Of the whole file.
    NO_HEADER = "no_header"
    NO_DATA = "no_data"
    HEADER_MISSING = "header_missing"
    HEADER_LINE_UNKNOWN = "header_line_unknown"
    ENCODING_UNKNOWN = "encoding_unknown"
    SHEET_MISSING = "sheet_missing"
    WORKBOOK_DAMAGED = "workbook_damaged"
    WORKBOOK_TOO_LARGE = "workbook_too_large"


_MESSAGES = {
    Code.ENCODING: _(
        "byte %(byte)s, at position %(in_line)d of the line, is no character in "
        "%(encoding)s"
    ),
    Code.NUL: _("there is a NUL character, which no text has"),
    Code.QUOTE_UNCLOSED: _(
        "the quote that opens here is not closed, or not within %(limit)s bytes"
    ),
    Code.QUOTE_STRAY: _(
        "the quote that opens here closes in line %(end)s, but more text follows "
        "before the next delimiter; quotes inside of a cell are to be doubled"
    ),
    Code.CELL_TOO_LARGE: _("a cell can have at most %(limit)s characters"),
    Code.LINE_TOO_LONG: _("a line can have at most %(limit)s bytes"),
    Code.TOO_FEW_CELLS: _("the row has %(found)d of %(expected)d cells"),
    # A row with too many has several; the header may have one column.
    Code.TOO_MANY_CELLS: ngettext_lazy(
        "the row has %(found)d cells; the header names %(expected)d column",
        "the row has %(found)d cells; the header names %(expected)d columns",
        "expected",
    ),
    Code.CELL_ERROR: _("the spreadsheet shows the error %(error)s in this cell"),
    Code.FORMULA_WITHOUT_VALUE: _(
        "%(cell)s is a formula without a value: open the workbook in a spreadsheet "
        "program and save it, which puts the value in"
    ),
    Code.HEADER_EMPTY: _("the column has no name"),
    Code.HEADER_DUPLICATE: _(
        "column %(other)d has the same name, if case and blanks do not count"
    ),
    Code.TOO_MANY_COLUMNS: _("a table can have at most %(limit)d columns"),
    Code.NO_HEADER: _("the file is empty; its first row has to name the columns"),
    Code.NO_DATA: _("there is no row with data below the header"),
    Code.HEADER_MISSING: _(
        "no row is left in line %(wanted)d or below it that could name the columns"
    ),
    Code.HEADER_LINE_UNKNOWN: _(
        "%(wanted)d is no line of a header; it is one of the first %(limit)d"
    ),
    Code.ENCODING_UNKNOWN: _("the encoding %(encoding)s is not supported"),
    Code.SHEET_MISSING: _("there is no sheet %(sheet)s; there are: %(sheets)s"),
    Code.WORKBOOK_DAMAGED: _("the workbook cannot be read: %(reason)s"),
    Code.WORKBOOK_TOO_LARGE: _("the workbook is too large: %(reason)s"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One problem, and where it is.

    line counts physical lines (in a sheet: rows) from 1; record counts the records
    below the header from 1 and is None in the header and for a whole file; column
    counts from 1; name is what the header calls the column.
    """

    code: Code
    line: int | None = None
    record: int | None = None
    column: int | None = None
    name: str = ""
    params: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What is wrong, in plain words and the active language; not where."""
        return str(_MESSAGES[self.code] % self.params)

    @property
    def place(self) -> str:
        """Where it is: 'line 7, record 6, column 3 (email)', or nothing."""
        parts = []
        if self.line is not None:
            parts.append(gettext("line %(line)d") % {"line": self.line})
        if self.record is not None:
            parts.append(gettext("record %(record)d") % {"record": self.record})
        if self.column is not None:
            column = gettext("column %(column)d") % {"column": self.column}
            parts.append(f"{column} ({self.name})" if self.name else column)
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message
