"""Failed rows as a table: some columns, short cells, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.looks import number
from deliverystore.admin.datacenter.masking import STARS
from deliverystore.admin.datacenter.shortened import loaded, shown

if TYPE_CHECKING:
    from deliverystore.admin.datacenter.run_base import Columns
    from deliverystore.models import FailedRow

MAX_COLUMNS = 10
_MAX_ERRORS = 5
_MESSAGE = 300


@dataclass(frozen=True, kw_only=True)
class ShownCell:
    """A cell of the table."""

    text: str
    is_wrong: bool


@dataclass(frozen=True, kw_only=True)
class ShownRow:
    """A row of the table."""

    number: int
    line: int
    first_line: int | None
    cells: Sequence[ShownCell]
    errors: Sequence[str]
    is_edited: bool


class RowTable:
    """Rows whose cells and errors are loaded as far as they are shown."""

    def __init__(self, columns: Columns, rows: Sequence[FailedRow]) -> None:
        self._columns = columns
        self._failed = rows
        self._errors = [_errors(row) for row in rows]

    @cached_property
    def places(self) -> list[int]:
        """Where the columns are that are shown: the first, and those with errors."""
        header = self._columns.run.header
        own = set(self._columns.names)
        wrong = {one["column"] for errors in self._errors for one in errors}
        all_places = [at for at, name in enumerate(header) if name in own]
        first = [at for at in all_places if header[at] in wrong][:MAX_COLUMNS]
        rest = [at for at in all_places if at not in first]
        return sorted([*first, *rest[: MAX_COLUMNS - len(first)]])

    @property
    def header(self) -> list[str]:
        """The names of the columns that are shown."""
        return [shown(self._columns.run.header[at]) for at in self.places]

    @property
    def left_out(self) -> str:
        """How many columns are not shown, "" if all are."""
        count = len(self._columns.names) - len(self.places)
        return number(count) if count else ""

    @property
    def rows(self) -> Iterator[ShownRow]:
        """The rows as they are shown."""
        for row, errors in zip(self._failed, self._errors, strict=True):
            is_edited = bool(_start(row, "edited"))
            told = [_told(one) for one in errors[:_MAX_ERRORS]]
            yield ShownRow(
                number=row.number,
                line=row.line,
                first_line=row.first_line,
                cells=self._cells(row, errors),
                errors=[_("edited, not tried yet")] if is_edited else told,
                is_edited=is_edited,
            )

    def _cells(
        self, row: FailedRow, errors: Sequence[dict[str, str]]
    ) -> list[ShownCell]:
        edited = _start(row, "edited")
        cells = loaded(edited or _start(row, "cells"))
        # What was wrong with a row that was edited may be right now.
        found_wrong = [] if edited else errors
        values = {one["column"]: one.get("value", "") for one in found_wrong}
        header, hidden = self._columns.run.header, self._columns.hidden
        found = []
        for at in self.places:
            name = header[at]
            # What is far behind was not loaded.
            text = cells[at] if at < len(cells) else values.get(name, "")
            text = STARS if name in hidden and text else shown(text)
            found.append(ShownCell(text=text, is_wrong=name in values))
        return found


def _start(row: FailedRow, name: str) -> str:
    return str(getattr(row, f"{name}_start"))


def _errors(row: FailedRow) -> list[dict[str, str]]:
    found = loaded(_start(row, "errors"))
    return [{"column": "", "message": "", **one} for one in found]


def _told(error: dict[str, str]) -> str:
    message = shown(error["message"] or "…", _MESSAGE)
    if not error["column"]:
        return message
    facts = {"column": shown(error["column"]), "message": message}
    return _("%(column)s: %(message)s") % facts
