"""A first look at a file that waits: its first rows, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from deliverystore.datacenter import naming, pending, permissions, reader, workbooks
from deliverystore.datacenter.files import DataCenterFile
from deliverystore.datacenter.problems import Code
from deliverystore.datacenter.reader import Report
from deliverystore.datacenter.rows.arranging import RESERVED
from deliverystore.datacenter.tables import Layout
from deliverystore.exceptions import InvalidName, NotPermitted, TableUnreadable

if TYPE_CHECKING:
    from deliverystore.datacenter.center import DataCenter
    from deliverystore.models import ImportRun
    from deliverystore.models.access import User

# Who may do something with what is in a file may look at it.
LOOK = (permissions.IMPORT, permissions.DOWNLOAD)
# A larger file is not read as a whole while somebody waits for a page.
MAX_CHECKED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a look at a file has found; is_whole says whether it went to the end.

    sheets names those of a workbook, if it can be read as one. left_by is the run of
    which it has the rows that are left.
    """

    file: DataCenterFile
    report: Report
    is_whole: bool
    is_workbook: bool = False
    sheets: tuple[str, ...] = ()
    left_by: ImportRun | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no row below the header."""
        report = self.report
        return self.is_table and self.is_whole and report.records == report.blank

    @property
    def is_table(self) -> bool:
        """Whether an import can begin: the header is there, and sound."""
        return bool(self.report.header) and not any(
            problem.record is None and problem.code is not Code.NO_DATA
            for problem in self.report.problems
        )


def preview(
    center: DataCenter,
    relative_path: str,
    layout: Layout | None = None,
    user: User | None = None,
) -> Preview:
    """Look at a file that waits; what layout leaves open is found out.

    The rows that a run has left have their header in the first line. If some of their
    cells are not to be seen, what layout says counts only as long as the columns stay
    those of the run: read in another way, a header has what stands in cells.

    Raise NotPermitted, FileNotFound; InvalidName if it does not wait; MissingExtra if
    it is a workbook and the extra "xlsx" is not installed.
    """
    name = naming.clean_path(relative_path)
    left = ask(user, name)
    if "/" in name or not naming.is_data(name):
        raise InvalidName(f"{relative_path!r} does not wait to be imported.")
    file = center.get_file(name)
    declared = (layout or Layout()).declared
    if left is not None:
        declared["header_line"] = None
    with center.open(name) as opened:
        # What is only called a workbook is not read as anything else.
        is_workbook = reader.is_workbook(opened) or name.lower().endswith(".xlsx")
        is_whole = is_workbook or file.size <= MAX_CHECKED_BYTES
        check = partial(reader.check, opened, name=name, is_whole=is_whole)
        report = check(**declared)
        if left is not None and any(declared.values()) and _may_tell(left, report):
            report = check()
        return Preview(
            file=file,
            report=report,
            is_whole=is_whole,
            is_workbook=is_workbook,
            sheets=_sheets(opened) if is_workbook else (),
            left_by=left,
        )


def ask(user: User | None, name: str) -> ImportRun | None:
    """Raise NotPermitted unless a user may look at a file that waits.

    At rows that a run has left, only who may import these, or may download all.
    Return that run, if there is one.
    """
    permissions.ask(user, "look into files of the data center", *LOOK)
    if (left := pending.run_of(name)) is not None:
        pending.ask(user, left, f"look at the rows in {name!r}", permissions.DOWNLOAD)
    return left


def may_look(user: User, name: str) -> bool:
    """Tell whether a user may look at a file that waits."""
    try:
        ask(user, name)
    except NotPermitted:
        return False
    return True


def _may_tell(left: ImportRun, report: Report) -> bool:
    """Tell whether what is in cells may be taken for names of columns."""
    known = {*left.header, *RESERVED}
    return pending.has_secrets(left) and not known.issuperset(report.header)


def _sheets(file: BinaryIO) -> tuple[str, ...]:
    """Return the names of the sheets of a workbook; none if it is of no use."""
    try:
        with workbooks.opened(file) as workbook:
            return workbook.names
    except TableUnreadable:
        return ()
