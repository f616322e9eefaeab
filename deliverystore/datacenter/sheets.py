"""Sheets of workbooks (XLSX) as tables."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from django.utils.translation import gettext as _

from deliverystore.datacenter import workbooks
from deliverystore.datacenter.cellscan import (
    NO_VALUE,
    Errors,
    damaged,
    name_of_cell,
)
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
from deliverystore.exceptions import MissingExtra

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

Value = (
    str | float | datetime.time | datetime.date | datetime.datetime | datetime.timedelta
)


class SheetTable(Table):
    """One sheet of a workbook; in its positions offset is the number of rows before.

    All of the sheet is in memory. The columns begin with the first that has a cell.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        sheet: str | None = None,
        header_line: int | None = None,
        start: Position | None = None,
    ) -> None:
        top = header_line or 1
        check_header_line(top)
        with workbooks.opened(file) as workbook:
            name, self.sheets = workbook.choose(sheet), workbook.names
            with workbook.copied(name) as (path, found):
                self._errors = found.errors
                loaded = _load(path)
        left = loaded.start[1] if loaded.start else self._errors.first_column - 1
        self._left = min(left, self._errors.first_column - 1)
        self._values = _with_errors(_rows(loaded), self._errors, left, self._left)
        self._position = Position(offset=0, line=1, record=0)
        self.header = ()
        self._read_header(top)
        self.layout = Layout(sheet=name, header_line=self.header_line)
        if start is not None:
            # Python objects are made of the cells row by row: these are cheap.
            skipped = start.offset - self._position.offset
            next(islice(self._values, skipped, skipped), None)
            self._position = start

    @property
    def position(self) -> Position:
        return self._position

    def read_batch(self, size: int = BATCH_SIZE) -> Batch:
        start = self._position
        rows: list[list[str]] = []
        problems: list[Problem] = []
        for values in islice(self._values, size):
            line = start.line + len(rows)
            record = start.record + len(rows)
            cells = self._fitted(self._texts(values, line))
            problems += self._cell_problems(values, line, record)
            problems += width_problems(cells, self.header, line=line, record=record)
            rows.append(cells)
        lines = range(start.line, start.line + len(rows))
        self._move(len(rows))
        return Batch(
            start=start, next=self._position, rows=rows, lines=lines, problems=problems
        )

    def _read_header(self, top: int) -> None:
        for values in self._values:
            self._move(1)
            cells = self._texts(values, self._position.offset)
            if self._position.offset >= top and not is_blank(cells):
                break
        else:
            raise no_header(top)
        while not cells[-1].strip():
            cells.pop()
        line = self._position.offset
        of_cells = self._cell_problems(values, line, None)
        self.header, self.header_line = tuple(cells), line
        self.problems = [*of_cells, *header_problems(self.header, line)]
        self._position = Position(offset=line, line=line + 1, record=1)

    def _move(self, rows: int) -> None:
        at = self._position
        self._position = Position(
            offset=at.offset + rows, line=at.line + rows, record=at.record + rows
        )

    def _texts(self, values: list[Value], line: int) -> list[str]:
        """Return what the cells of a row show, errors such as #N/A included."""
        errors = self._errors.of_row(line)
        if not errors:
            return [as_text(value) for value in values]
        return [
            errors.get(column) or as_text(value)
            for column, value in enumerate(values, start=self._left + 1)
        ]

    def _fitted(self, cells: list[str]) -> list[str]:
        """Return as many cells as the header has; a sheet has no end of a row."""
        width = len(self.header)
        if is_blank(cells[width:]):
            return cells[:width] + [""] * (width - len(cells))
        return cells

    def _cell_problems(
        self, values: list[Value], line: int, record: int | None
    ) -> list[Problem]:
        found: list[tuple[int, Code, dict[str, int | str]]] = []
        errors = self._errors.of_row(line)
        for column, value in enumerate(values, start=1):
            error = errors.get(self._left + column)
            if error == NO_VALUE:
                cell = name_of_cell(line, self._left + column)
                found.append((column, Code.FORMULA_WITHOUT_VALUE, {"cell": cell}))
            elif error:
                found.append((column, Code.CELL_ERROR, {"error": error}))
            if isinstance(value, str) and "\0" in value:
                found.append((column, Code.NUL, {}))
        return [
            Problem(
                code=code,
                line=line,
                record=record,
                column=column,
                name=name_of(self.header, column),
                params=params,
            )
            for column, code, params in found
        ]


def as_text(value: Value) -> str:
    """Return what a cell shows: 3 for 3.0, dates and times as ISO 8601.

    A NUL, which a workbook can have as _x0000_, is shown as in a CSV file.
    """
    match value:
        case str():
            return value.replace("\0", "\\x00")
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer():
            return str(int(value))
        case datetime.date() | datetime.time():
            return value.isoformat()
    return str(value)


def _load(path: str) -> CalamineSheet:
    try:
        import python_calamine
    except ImportError as error:
        raise MissingExtra(_("Reading a workbook"), "xlsx") from error
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as workbook:
            return workbook.get_sheet_by_name(workbooks.SHEET)
    except python_calamine.CalamineError as error:
        raise damaged(error) from error


def _rows(sheet: CalamineSheet) -> Iterator[list[Value]]:
    try:
        yield from sheet.iter_rows()
    except OverflowError as error:
        # Excel has longer durations than Python.
        raise damaged(error) from error


def _with_errors(
    rows: Iterator[list[Value]], errors: Errors, left: int, first: int
) -> Iterator[list[Value]]:
    """Yield rows with those cells that their reader leaves out as if they were empty.

    Its rows begin behind the column left, from 0; these begin behind first.
    """
    read, width = 0, errors.columns - first
    for values in rows:
        read += 1
        before: list[Value] = [""] * (left - first)
        yield before + values + [""] * (width - len(before) - len(values))
    for _row in range(read, errors.rows):
        yield [""] * width
