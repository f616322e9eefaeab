"""Rows as the bytes of a file, CSV or a workbook, of which memory has only a part."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from deliverystore.datacenter.exports.exporters import ModelExporter, Row
from deliverystore.datacenter.rows.escapes import neutralised
from deliverystore.exceptions import ExportRefused, MissingExtra
from deliverystore.models import Export
from deliverystore.streams import CHUNK_SIZE

if TYPE_CHECKING:
    from xlsxwriter.format import Format as Style
    from xlsxwriter.worksheet import Worksheet

Format = Export.Format
# Called with the number of rows that have been written.
Advance = Callable[[int], object]

# Of a sheet, without its header.
MAX_SHEET_ROWS = 1_048_575
MAX_SHEET_CELL = 32_767
# What a spreadsheet keeps as it is: it has 15 digits, and shows no zeros before them.
_SHEET_NUMBER = re.compile(r"-?(?=(?:[0-9]\.?){1,15}\Z)(?:0|[1-9]\d*)(?:\.\d+)?")


def chunks(
    exporter: ModelExporter,
    file_format: str = Format.CSV,
    *,
    for_spreadsheet: bool = False,
    advance: Advance = lambda _rows: None,
) -> Iterator[bytes]:
    """Yield the file of an export, piece by piece.

    For a spreadsheet, CSV begins with a byte order mark, and an apostrophe keeps
    cells from being formulas; the import takes neither for data. In a workbook they
    are texts anyway. Raise ExportRefused for what does not fit into a workbook,
    MissingExtra if it needs the extra "xlsx".
    """
    check_format(file_format)
    batches = _counted(exporter.batches(), advance)
    if file_format == Format.XLSX:
        if exporter.count() > MAX_SHEET_ROWS:
            raise _too_many_rows()
        return _workbook(exporter, batches)
    return _csv(exporter.header, batches, for_spreadsheet=for_spreadsheet)


def check_format(file_format: str) -> None:
    """Raise ExportRefused for an unknown format, MissingExtra if one needs an extra."""
    if file_format not in Format.values:
        known = ", ".join(Format.values)
        raise ExportRefused(f"{file_format!r} is no format; there are: {known}.")
    if file_format == Format.XLSX:
        _xlsxwriter()


def _xlsxwriter() -> ModuleType:
    try:
        return import_module("xlsxwriter")
    except ImportError as error:
        raise MissingExtra(_("Writing a workbook"), "xlsx") from error


def _counted(batches: Iterable[list[Row]], advance: Advance) -> Iterator[list[Row]]:
    for rows in batches:
        yield rows
        advance(len(rows))


def _csv(
    header: Iterable[str], batches: Iterable[list[Row]], *, for_spreadsheet: bool
) -> Iterator[bytes]:
    yield (BOM_UTF8 if for_spreadsheet else b"") + _lines([list(header)])
    for rows in batches:
        if for_spreadsheet:
            yield _lines([list(map(neutralised, row)) for row in rows])
        else:
            yield _lines(rows)


def _lines(rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(errors="backslashreplace")


def _workbook(exporter: ModelExporter, batches: Iterable[list[Row]]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="deliverystore-export-") as folder:
        path = Path(folder, "export.xlsx")
        _write_workbook(path, exporter, batches)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_SIZE):
                yield chunk


def _write_workbook(
    path: Path, exporter: ModelExporter, batches: Iterable[list[Row]]
) -> None:
    # Rows go to a file in this folder as soon as the next one begins.
    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    with _xlsxwriter().Workbook(path, options) as workbook:
        sheet = _Sheet(
            workbook.add_worksheet(),
            exporter,
            # So a text that looks like a formula stays one, also when it is edited.
            as_text=workbook.add_format({"quote_prefix": True}),
        )
        for rows in batches:
            for row in rows:
                sheet.write(row)


class _Sheet:
    """The sheet of an export, written row by row."""

    def __init__(
        self, sheet: Worksheet, exporter: ModelExporter, as_text: Style
    ) -> None:
        self._sheet = sheet
        self._header = exporter.header
        self._numbers = exporter.number_columns
        self._as_text = as_text
        self._rows = 0
        for at, name in enumerate(self._header):
            sheet.write_string(0, at, name)

    def write(self, row: Row) -> None:
        """Write the next row. Raise ExportRefused if it does not fit."""
        self._rows += 1
        if self._rows > MAX_SHEET_ROWS:
            raise _too_many_rows()
        for at, cell in enumerate(row):
            if cell:
                self._write(at, cell)

    def _write(self, at: int, cell: str) -> None:
        sheet, row = self._sheet, self._rows
        if at in self._numbers and _SHEET_NUMBER.fullmatch(cell):
            sheet.write_number(row, at, float(cell))
            return
        style = self._as_text if neutralised(cell) != cell else None
        if sheet.write_string(row, at, cell, style):
            raise ExportRefused(
                _(
                    "Record %(record)s, %(column)s: a cell of a workbook has at most "
                    "%(limit)s characters, this one has %(length)s. Export CSV."
                )
                % {
                    "record": f"{row:,}",
                    "column": self._header[at],
                    "limit": f"{MAX_SHEET_CELL:,}",
                    "length": f"{len(cell):,}",
                }
            )


def _too_many_rows() -> ExportRefused:
    return ExportRefused(
        _("A sheet has at most %(limit)s records; there are more. Export CSV.")
        % {"limit": f"{MAX_SHEET_ROWS:,}"}
    )
