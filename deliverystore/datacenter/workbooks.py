"""Workbooks (XLSX) made safe to read: what is read is what was counted."""

from __future__ import annotations

import posixpath
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from django.utils.translation import gettext as _

from deliverystore.datacenter.cellscan import (
    Attributes,
    Sheet,
    check_texts,
    damaged,
    scan_elements,
    scan_sheet,
    scan_texts,
    too_large,
)
from deliverystore.datacenter.problems import Code, Problem
from deliverystore.exceptions import TableUnreadable
from deliverystore.streams import CHUNK_SIZE

MAX_MEMBERS = 1000
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
# Sheets are seldom packed to less than a fiftieth; below the floor nothing is a bomb.
MAX_RATIO = 200
_RATIO_FLOOR = 4 * 1024 * 1024
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ROOT = "_rels/.rels"
_WORKBOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_TEXTS = "xl/sharedStrings.xml"
_STYLES = "xl/styles.xml"
_DAMAGED = (
    zlib.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    UnicodeDecodeError,
    ValueError,
)

# What a copy has: one sheet, where nobody can take another one for it.
SHEET = "Sheet"
_SHEET_PART = "xl/worksheets/sheet1.xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_NEW_ROOT = (
    f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_NEW_WORKBOOK = (
    f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<workbookPr date1904="%(date1904)d"/>'
    f'<sheets><sheet name="{SHEET}" sheetId="1" r:id="r1"/></sheets></workbook>'
)
_NEW_LINKS = (
    f'<Relationships xmlns="{_PACKAGE}">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    f'<Relationship Id="r3" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    "</Relationships>"
)


@contextmanager
def opened(file: BinaryIO) -> Iterator[Workbook]:
    """Give a workbook. Raise TableUnreadable if it is none, or not a whole one."""
    try:
        with zipfile.ZipFile(file) as source:
            yield Workbook(source)
    except TableUnreadable:
        raise
    except zipfile.BadZipFile as error:
        reason = _("it is damaged, or not all of it has arrived; save it once more")
        raise damaged(reason) from error
    except _DAMAGED as error:
        raise damaged(error) from error


class Workbook:
    """What is packed in a file: its sheets by name, in their order."""

    def __init__(self, source: zipfile.ZipFile) -> None:
        self._parts = _Parts(source)
        self._is_from_1904 = False
        self._sheets = self._named_sheets()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sheets, in their order."""
        return tuple(self._sheets)

    def choose(self, name: str | None) -> str:
        """Return the name of a sheet, or else of the first one.

        Raise TableUnreadable if there is none of that name.
        """
        if name is None and self._sheets:
            return next(iter(self._sheets))
        if name not in self._sheets:
            names = ", ".join(self.names)
            params: dict[str, int | str] = {"sheet": name or "", "sheets": names}
            raise TableUnreadable(Problem(code=Code.SHEET_MISSING, params=params))
        return name

    @contextmanager
    def copied(self, name: str) -> Iterator[tuple[str, Sheet]]:
        """Give the path of a workbook with one sheet only, SHEET, and what that has.

        The copy is temporary, and not packed any more. All that says which part is
        which is written anew: its reader finds what was counted, however it looks.
        Raise TableUnreadable if it is too much.
        """
        with tempfile.NamedTemporaryFile(suffix=".xlsx") as copy:
            with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as target:
                target.writestr(_ROOT, _NEW_ROOT)
                target.writestr(
                    _WORKBOOK, _NEW_WORKBOOK % {"date1904": self._is_from_1904}
                )
                target.writestr(_LINKS, _NEW_LINKS)
                self._copy(self._sheets[name], target, _SHEET_PART)
                for part in (_STYLES, _TEXTS):
                    if self._parts.has(part):
                        self._copy(part, target, part)
            copy.flush()
            with zipfile.ZipFile(copy) as parts:
                yield copy.name, _scanned(parts)

    def _copy(self, part: str, target: zipfile.ZipFile, name: str) -> None:
        with target.open(name, "w") as plain:
            for chunk in self._parts.chunks(part):
                plain.write(chunk)

    def _named_sheets(self) -> dict[str, str]:
        """Return the part of each sheet, by its name, in their order."""
        parts: dict[str, str] = {}
        ids: dict[str, str] = {}

        def link(element: str, found: Attributes) -> None:
            kind = found.get("Type", "").rpartition("/")[2]
            if element == "Relationship" and kind == "worksheet":
                path = posixpath.join("/xl", found.get("Target", ""))
                parts[found.get("Id", "")] = posixpath.normpath(path).lstrip("/")

        def sheet(element: str, found: Attributes) -> None:
            if element == "workbookPr":
                self._is_from_1904 = found.get("date1904", "") in {"1", "true"}
            elif element == "sheet":
                id_ = next((found[key] for key in found if key.endswith(":id")), "")
                ids.setdefault(found.get("name", ""), id_)

        scan_elements(self._parts.chunks(_LINKS), link)
        scan_elements(self._parts.chunks(_WORKBOOK), sheet)
        return {name: parts[id_] for name, id_ in ids.items() if id_ in parts}


class _Parts:
    """The parts of a packed workbook, which are counted as they are unpacked."""

    def __init__(self, source: zipfile.ZipFile) -> None:
        members = source.infolist()
        self._source = source
        self._members = {member.filename: member for member in members}
        self._total = 0
        if len(members) > MAX_MEMBERS or len(self._members) < len(members):
            raise damaged(_("it has too many parts, or one twice"))

    def has(self, name: str) -> bool:
        return name in self._members

    def chunks(self, name: str) -> Iterator[bytes]:
        if (member := self._members.get(name)) is None:
            raise damaged(_("it has no %(name)s") % {"name": name})
        if member.compress_type not in _METHODS:
            raise damaged(_("%(name)s is packed in an unusual way") % {"name": name})
        size = 0
        with self._source.open(member) as packed:
            while chunk := packed.read(CHUNK_SIZE):
                size += len(chunk)
                self._total += len(chunk)
                _check_size(size, member.compress_size, self._total)
                # UTF-16, for which its reader has no eye.
                if b"\0" in chunk:
                    raise damaged(_("%(name)s is not UTF-8") % {"name": name})
                yield chunk


def _scanned(parts: zipfile.ZipFile) -> Sheet:
    """Return what the sheet of a copy has."""
    sheet = scan_sheet(_plain(parts, _SHEET_PART))
    has_texts = _TEXTS in parts.namelist()
    check_texts(sheet, scan_texts(_plain(parts, _TEXTS)) if has_texts else [])
    return sheet


def _plain(parts: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with parts.open(name) as part:
        while chunk := part.read(CHUNK_SIZE):
            yield chunk


def _check_size(size: int, packed: int, total: int) -> None:
    if total > MAX_UNPACKED_BYTES:
        raise too_large(
            _("it has more than %(limit)s bytes when unpacked")
            % {"limit": f"{MAX_UNPACKED_BYTES:,}"}
        )
    if size > _RATIO_FLOOR and size > packed * MAX_RATIO:
        raise too_large(
            _("a part is packed to less than 1/%(ratio)d of its size")
            % {"ratio": MAX_RATIO}
        )
