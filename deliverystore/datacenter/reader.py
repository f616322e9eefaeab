"""Opening and checking what was handed in as a table, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import BinaryIO

from django.utils.translation import gettext as _

from deliverystore.datacenter.cellscan import damaged
from deliverystore.datacenter.delimited import DelimitedTable
from deliverystore.datacenter.encodings import Offer, offers
from deliverystore.datacenter.headers import likely_header
from deliverystore.datacenter.problems import Code, Problem
from deliverystore.datacenter.sheets import SheetTable
from deliverystore.datacenter.tables import Layout, Position, Record, Table, is_blank
from deliverystore.exceptions import TableUnreadable

# A workbook is a ZIP file; an old or an encrypted one is a compound file (MS-CFB).
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# More problems than these are counted only.
MAX_PROBLEMS = 100
SAMPLE_RECORDS = 10


def open_table(
    file: BinaryIO,
    *,
    name: str = "",
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    sheet: str | None = None,
    header_line: int | None = None,
    start: Position | None = None,
) -> Table:
    """Return the table in a file that is open for reading bytes, and can seek.

    What is not declared is found out, except for the encoding: without a BOM it is
    UTF-8. A name that ends in .tsv declares tabs. The header is the first row that is
    not blank, from header_line on, which counts physical lines from 1. With start,
    which a batch gave, the records from there on are read, and none before. The caller
    closes the file, after the table.

    Raise TableUnreadable if it has no header, is no workbook or too large a one, or
    if the encoding or the sheet does not exist; MissingExtra if it is a workbook and
    the extra "xlsx" is not installed.
    """
    file.seek(0)
    kind = file.read(len(_OLE))
    if kind.startswith(_ZIP):
        return SheetTable(file, sheet=sheet, header_line=header_line, start=start)
    if kind == _OLE:
        raise damaged(_("it is an old one (.xls) or has a password; save it as .xlsx"))
    if name.lower().endswith(".xlsx"):
        raise damaged(_("it is none, although its name says so"))
    if delimiter is None and name.lower().endswith(".tsv"):
        delimiter = "\t"
    return DelimitedTable(
        file,
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        header_line=header_line,
        start=start,
    )


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of a check.

    problems has the first ones, problem_count counts them all. records counts all
    rows below the header, blank those among them that have nothing in them. sample
    has the first records. offers has encodings that may be the right one if there
    are characters that are none; likely_header is the line of the row that looks like
    the header, if the header looks like a title. sheets names those of a workbook,
    of which one was read.
    """

    layout: Layout = field(default_factory=Layout)
    header: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    records: int = 0
    blank: int = 0
    sample: tuple[Record, ...] = ()
    offers: tuple[Offer, ...] = ()
    likely_header: int | None = None
    sheets: tuple[str, ...] = ()

    @property
    def sheet_number(self) -> int:
        """Which of the sheets was read, from 1; 0 if there are none."""
        name = self.layout.sheet
        return self.sheets.index(name) + 1 if name in self.sheets else 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem_count == 0


def check(
    file: BinaryIO,
    *,
    name: str = "",
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    sheet: str | None = None,
    header_line: int | None = None,
    max_problems: int = MAX_PROBLEMS,
    is_whole: bool = True,
) -> Report:
    """Read a file from its beginning to its end and report all that is wrong.

    It takes what open_table takes. What cannot be read at all is a problem, too.
    Without is_whole, only the first batch of records is read.
    Raise MissingExtra if it is a workbook and the extra "xlsx" is not installed.
    """
    opened = partial(
        open_table,
        file,
        name=name,
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        sheet=sheet,
    )
    try:
        table = opened(header_line=header_line)
        report = _Check(table, max_problems).run(is_whole=is_whole)
    except TableUnreadable as error:
        return Report(problems=(error.problem,), problem_count=1)
    # What is above a row of a sheet does not change how it is read.
    at = None if report.layout.sheet else lambda line: opened(header_line=line)
    line = likely_header(report.header, report.sample, at)
    return replace(report, likely_header=line)


def is_workbook(file: BinaryIO) -> bool:
    """Tell whether a file looks like a workbook, also if it is one of no use."""
    file.seek(0)
    return file.read(len(_OLE)).startswith((_ZIP, _OLE))


class _Check:
    """Adds up one table, batch by batch."""

    def __init__(self, table: Table, max_problems: int) -> None:
        self._table = table
        self._max_problems = max_problems
        self._problems: list[Problem] = []
        self._count = 0

    def run(self, *, is_whole: bool) -> Report:
        table = self._table
        self._add(table.problems)
        records = blank = 0
        sample: list[Record] = []
        for batch in table.batches() if is_whole else [table.read_batch()]:
            self._add(batch.problems)
            records += len(batch)
            blank += sum(map(is_blank, batch.rows))
            if len(sample) < SAMPLE_RECORDS:
                sample += list(batch)[: SAMPLE_RECORDS - len(sample)]
        if is_whole and records == blank:
            self._add([Problem(code=Code.NO_DATA)])
        return Report(
            layout=table.layout,
            header=table.header,
            problems=tuple(self._problems),
            problem_count=self._count,
            records=records,
            blank=blank,
            sample=tuple(sample),
            offers=tuple(_offers(table)),
            sheets=table.sheets,
        )

    def _add(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._count += 1
            if len(self._problems) < self._max_problems:
                self._problems.append(problem)


def _offers(table: Table) -> list[Offer]:
    if isinstance(table, DelimitedTable) and table.damaged:
        return offers(table.damaged, table.head)
    return []
