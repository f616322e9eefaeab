"""The cells of one failed row as a form: what is not touched stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.looks import number
from deliverystore.admin.datacenter.masking import STARS
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter import runs

if TYPE_CHECKING:
    from deliverystore.admin.datacenter.run_base import Columns
    from deliverystore.models import FailedRow

# A form with more fields is refused by Django (DATA_UPLOAD_MAX_NUMBER_FIELDS).
MAX_INPUTS = 200
# A longer cell is not sent to the browser.
MAX_CELL = 2000
_MESSAGE = 300


@dataclass(frozen=True, kw_only=True)
class Input:
    """One cell of the form."""

    name: str
    column: str
    text: str
    # Where the text is too long, only its beginning is shown; empty keeps it.
    is_long: bool
    is_multiline: bool
    help: str
    choices: Sequence[tuple[str, str]]
    errors: Sequence[str]


class RowForm:
    """The columns with errors and the first of the others, to be edited."""

    def __init__(
        self, row: FailedRow, columns: Columns, *, is_hidden: bool = False
    ) -> None:
        self._columns = columns
        self._is_hidden = is_hidden
        width = len(columns.names)
        cells = runs.own_cells(row)
        self._cells = [*cells, *[""] * (width - len(cells))][:width]
        # What no column names.
        self.beyond = [shown(cell) for cell in cells[width:][:MAX_INPUTS]]
        self.row_errors: list[str] = []
        # What was wrong with it before may be right now.
        self.is_edited = bool(row.edited_json)
        self._errors: dict[str, list[str]] = {}
        for error in row.errors:
            message = shown(error["message"], _MESSAGE)
            if error["column"] in columns.names:
                self._errors.setdefault(error["column"], []).append(message)
            else:
                self.row_errors.append(message)

    @property
    def inputs(self) -> Iterator[Input]:
        """The cells that can be edited here, in the order of the columns."""
        return map(self._input, self._places)

    @property
    def before(self) -> str:
        """What was wrong with the row as a whole before it was edited."""
        is_told = self.is_edited and self.row_errors
        return _earlier(self.row_errors) if is_told else ""

    @property
    def left_out(self) -> str:
        """How many columns are not shown, "" if all are."""
        count = len(self._cells) - len(self._places)
        return number(count) if count else ""

    def cleaned(self, data: Mapping[str, str]) -> list[str]:
        """Return all cells of the row, with what a form says of those it has."""
        cells = list(self._cells)
        for at in self._places:
            said = data.get(f"cell-{at}")
            if said is not None:
                cells[at] = _changed(cells[at], said)
        return cells

    @property
    def _places(self) -> list[int]:
        names = self._columns.names
        wrong = [at for at, name in enumerate(names) if name in self._errors]
        first = wrong[:MAX_INPUTS]
        taken = set(first)
        rest = (at for at in range(len(names)) if at not in taken)
        return sorted([*first, *list(rest)[: MAX_INPUTS - len(first)]])

    def _input(self, at: int) -> Input:
        name, text = self._columns.names[at], self._cells[at]
        is_long = len(text) > MAX_CELL
        if self._is_hidden and name in self._columns.hidden:
            text = STARS
        return Input(
            name=f"cell-{at}",
            column=shown(name),
            text=shown(text) if is_long else _as_typed(text),
            is_long=is_long,
            is_multiline=not is_long and "\n" in _as_typed(text),
            help=self._help(at),
            choices=() if self._is_hidden else self._columns.values_for(name),
            errors=() if self.is_edited else self._errors.get(name, ()),
        )

    def _help(self, at: int) -> str:
        name = self._columns.names[at]
        cell = self._columns.cell_of(name)
        before = ""
        if self.is_edited and name in self._errors:
            before = _earlier(self._errors[name]) + " "
        if cell is None:
            return before + _("This column is left out.")
        told = [cell.type, _("required") if cell.required else "", cell.help_text]
        return before + ", ".join(filter(None, map(str, told)))


def _earlier(messages: Sequence[str]) -> str:
    """Return what was wrong with a row or a cell before it was edited."""
    return _("Before it was edited: %(why)s") % {"why": " ".join(messages)}


def _changed(old: str, said: str) -> str:
    """Return a cell: the old one, to the letter, if the form shows it as it was."""
    if len(old) > MAX_CELL:
        return said or old
    return old if _as_typed(said) == _as_typed(old) else said


def _as_typed(text: str) -> str:
    """Return a text as a browser sends it back: other line ends, and no controls."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    typed = "".join(one if one >= " " or one in "\n\t" else "�" for one in text)
    return typed.encode("utf-8", "replace").decode()
