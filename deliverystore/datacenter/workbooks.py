"""Workbooks (XLSX) made safe to read: nothing in them is larger than it was counted."""

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
_WORKBOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_TEXTS = "xl/sharedStrings.xml"
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    UnicodeDecodeError,
    ValueError,
)


@contextmanager
def unpacked(file: BinaryIO) -> Iterator[Workbook]:
    """Give a workbook whose parts were all unpacked and counted.

    They are in a temporary file, not packed any more, so that whatever the headers of
    the original say, its reader gets what was counted. Raise TableUnreadable if it is
    too large, or no workbook.
    """
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as copy:
        try:
            with (
                zipfile.ZipFile(file) as source,
                zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as target,
            ):
                _copy(source, target)
        except TableUnreadable:
            raise
        except _DAMAGED as error:
            raise damaged(error) from error
        copy.flush()
        with zipfile.ZipFile(copy) as parts:
            yield Workbook(copy.name, parts)


class Workbook:
    """The parts of a workbook, and the path of the file that they are in."""

    def __init__(self, path: str, parts: zipfile.ZipFile) -> None:
        self.path = path
        self._parts = parts
        self._names = set(parts.namelist())
        self._sheets = self._named_sheets()

    def choose(self, name: str | None) -> str:
        """Return the name of a sheet, or else of the first one.

        Raise TableUnreadable if there is none of that name.
        """
        if name is None and self._sheets:
            return next(iter(self._sheets))
        if name not in self._sheets:
            sheets = ", ".join(self._sheets)
            params: dict[str, int | str] = {"sheet": name or "", "sheets": sheets}
            raise TableUnreadable(Problem(code=Code.SHEET_MISSING, params=params))
        return name

    def scan(self, name: str) -> Sheet:
        """Return what a sheet has. Raise TableUnreadable if that is too much."""
        sheet = scan_sheet(self._chunks(self._sheets[name]))
        lengths = scan_texts(self._chunks(_TEXTS)) if _TEXTS in self._names else []
        check_texts(sheet, lengths)
        return sheet

    def _named_sheets(self) -> dict[str, str]:
        """Return the part of each sheet, by its name, in their order."""
        parts: dict[str, str] = {}
        ids: dict[str, str] = {}

        def link(element: str, found: Attributes) -> None:
            if element == "Relationship" and found.get("Type", "").endswith("sheet"):
                path = posixpath.join("/xl", found.get("Target", ""))
                parts[found.get("Id", "")] = posixpath.normpath(path).lstrip("/")

        def sheet(element: str, found: Attributes) -> None:
            if element == "sheet":
                id_ = next((found[key] for key in found if key.endswith(":id")), "")
                ids[found.get("name", "")] = id_

        scan_elements(self._chunks(_LINKS), link)
        scan_elements(self._chunks(_WORKBOOK), sheet)
        return {name: parts[id_] for name, id_ in ids.items() if id_ in parts}

    def _chunks(self, name: str) -> Iterator[bytes]:
        if name not in self._names:
            raise damaged(_("it has no %(name)s") % {"name": name})
        with self._parts.open(name) as part:
            while chunk := part.read(CHUNK_SIZE):
                yield chunk


def _copy(source: zipfile.ZipFile, target: zipfile.ZipFile) -> None:
    members = source.infolist()
    names = [member.filename for member in members]
    if len(members) > MAX_MEMBERS or len(set(names)) < len(names):
        raise damaged(_("it has too many parts, or one twice"))
    total = 0
    # Pictures and the like are left behind.
    for member in members:
        if not member.filename.endswith((".xml", ".rels")):
            continue
        if member.compress_type not in _METHODS:
            raise damaged(
                _("%(name)s is packed in an unusual way") % {"name": member.filename}
            )
        size = 0
        with (
            source.open(member) as packed,
            target.open(member.filename, "w") as plain,
        ):
            while chunk := packed.read(CHUNK_SIZE):
                size += len(chunk)
                total += len(chunk)
                _check_size(size, member.compress_size, total)
                plain.write(chunk)


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
