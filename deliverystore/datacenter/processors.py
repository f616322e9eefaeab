"""The contract of everything that rows can be handed to."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import cast

from django.db import transaction
from django.forms import Field as FormField

from deliverystore.datacenter.rows.arranging import Mapped, ValueMaps, arrange
from deliverystore.datacenter.rows.cells import (
    Cell,
    FieldDescription,
    Mark,
)
from deliverystore.datacenter.rows.columns import Values
from deliverystore.datacenter.rows.outcomes import Change, Mode
from deliverystore.datacenter.rows.plans import Changed, Plan, RowPlan
from deliverystore.datacenter.telling import TellingFormCell

# What is no part of a key.
_NO_KEY = (None, "", Mark.EMPTY)


class BatchProcessor:
    """Turns rows into changes of something, one row or many at a time.

    A row of values is a dict with the names of fields; a field whose cell is empty may
    be left out. Every hook may raise RowError, or Django's ValidationError, with the
    reason why the row cannot go in.
    """

    # -- Say what there is -----------------------------------------------------------

    # In commands and addresses; by default the class's name without "Processor".
    name: str = ""
    # What one object is called.
    what: str = "object"
    modes: Collection[Mode] = tuple(Mode)
    # The only columns that are ever read: each with a form field.
    fields: Mapping[str, FormField] | Sequence[str] = {}
    # The fields that tell which object is meant. Or a list of such lists: the first
    # whose cells are all filled counts.
    key_fields: Sequence[str] | Sequence[Sequence[str]] = ()
    # How else the columns of files may be called; case and blanks do not count.
    aliases: Mapping[str, Collection[str]] = {}
    # Columns that must be there in a mode, beside those that the fields ask for.
    required: Mapping[Mode, Collection[str]] = {}
    # Columns that must not be there in a mode.
    forbidden: Mapping[Mode, Collection[str]] = {}
    # Fields whose values are kept out of all lists, differences and logs.
    sensitive: Collection[str] = ()
    # Whether all that rows did is undone when a transaction of the database is.
    can_be_undone: bool = False
    # Modes in which an empty cell clears; else it keeps, or leaves the default.
    empty_clears: Collection[Mode] = ()
    # The text of a cell that clears; "" for none.
    clear_token: str = "--CLEAR--"  # noqa: S105

    # -- Must be written -------------------------------------------------------------

    def get_entry(self, row: Values) -> object | None:
        """Return the object that the row's key means, or None. It is locked for us."""
        raise NotImplementedError

    def add_entry(self, row: Values) -> object:
        """Make the object, and return it."""
        raise NotImplementedError

    def update_entry(self, entry: object, row: Values) -> Sequence[Changed]:
        """Change the object; return the fields that changed, with old and new value."""
        raise NotImplementedError

    def remove_entry(self, entry: object, row: Values) -> None:
        """Remove the object."""
        raise NotImplementedError

    # -- May be written --------------------------------------------------------------

    def clean_row(self, row: Values, mode: Mode) -> Values:
        """Return the values with which to go on; called first."""
        return row

    def entry_exists(self, row: Values) -> bool:
        """Tell whether the object of a row that creates is there already."""
        return self.key_of(row) is not None and self.get_entry(row) is not None

    def parents_exist(self, row: Values) -> bool:
        """Tell whether everything is there that the new object belongs to."""
        return True

    def check_create(self, row: Values) -> None:
        """Raise RowError if the row must not create an object."""

    def check_update(self, entry: object, row: Values) -> None:
        """Raise RowError if the row must not change the object."""

    def check_remove(self, entry: object, row: Values) -> None:
        """Raise RowError if the row must not remove the object."""

    def savepoint(self) -> AbstractContextManager[object]:
        """Return what undoes the effects of a row in which an error was raised."""
        return transaction.atomic()

    def judge(self) -> None:
        """Raise IntegrityError for what a database would refuse at the commit."""

    def get_cells(self) -> dict[str, Cell]:
        """Return how the cells of each field are read."""
        fields = cast("Mapping[str, FormField]", self.fields)
        return {name: TellingFormCell(name, field) for name, field in fields.items()}

    def make_plan(self, plan: Plan) -> Plan:
        """Return the plan to use: this one, or a faster one with the same outcomes."""
        return plan

    # -- Do not override -------------------------------------------------------------

    def prepare(
        self,
        headers: Sequence[str],
        mode: Mode,
        *,
        mapping: Mapped | None = None,
        value_maps: ValueMaps | None = None,
        with_changes: bool = False,
    ) -> Plan:
        """Return the plan for one run over a file with these headers.

        mapping names the field of a header that is called otherwise, or None for a
        column that is left out. value_maps has corrections: by header, by cell.
        with_changes lets every outcome tell old and new values, which takes time.
        Raise ColumnsRefused with all that is wrong with the columns.
        """
        columns = arrange(self, headers, mode, mapping=mapping, value_maps=value_maps)
        plan = RowPlan(self, columns, mode, with_changes=with_changes)
        return self.make_plan(plan)

    @cached_property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """The alternative keys, each a tuple of fields."""
        if all(isinstance(one, str) for one in self.key_fields):
            return (tuple(map(str, self.key_fields)),) if self.key_fields else ()
        return tuple(tuple(one) for one in self.key_fields)

    def is_key(self, name: str) -> bool:
        """Tell whether a field belongs to a key."""
        return any(name in key for key in self.keys)

    def key_of(self, row: Values) -> tuple[str, ...] | None:
        """Return the first key whose fields all have a value in the row."""
        for key in self.keys:
            for name in key:
                if row.get(name) in _NO_KEY:
                    break
            else:
                return key
        return None

    def required_in(self, mode: Mode) -> list[str]:
        """Return the fields whose columns must be there in a mode."""
        needed = set(self.required.get(mode, ()))
        if mode in (Mode.CREATE, Mode.UPSERT):
            cells = self.get_cells()
            needed |= {name for name, cell in cells.items() if cell.required}
        return [name for name in self.fields if name in needed]

    def empty(self, cell: Cell, mode: Mode) -> object:
        """Return the value of an empty cell. Raise ValidationError if there is none."""
        if mode is Mode.REMOVE:
            return Mark.OMIT
        if mode in self.empty_clears:
            return cell.cleared()
        return cell.default() if mode is Mode.CREATE else Mark.OMIT

    def changes(self, rows: Sequence[Sequence[Changed]]) -> list[tuple[Change, ...]]:
        """Return the changes of several rows as texts."""
        cells = self.get_cells()
        return [
            tuple(
                self.change(name, cells[name].text(old), cells[name].text(new))
                for name, old, new in row
                if name in cells
            )
            for row in rows
        ]

    def change(self, name: str, old: str, new: str) -> Change:
        """Return one change as texts; those of a sensitive field are stars."""
        if name in self.sensitive:
            old, new = "***" if old else "", "***" if new else ""
        return Change(field=name, old=old, new=new)

    def columns_in(self, mode: Mode) -> list[str]:
        """Return the columns of a mode: keys, then those required, then the others."""
        required = self.required_in(mode)
        names = [
            name for name in self.fields if name not in self.forbidden.get(mode, ())
        ]
        if mode is Mode.REMOVE:
            names = [name for name in names if self.is_key(name)]
        return sorted(
            names, key=lambda name: (name not in required, not self.is_key(name))
        )

    def describe(self, mode: Mode) -> list[FieldDescription]:
        """Return what people need to know to fill each column of a mode."""
        cells, required = self.get_cells(), self.required_in(mode)
        return [
            FieldDescription(
                name=name,
                label=cells[name].label,
                type=cells[name].type,
                help_text=cells[name].help_text,
                required=name in required,
                is_key=self.is_key(name),
                choices=cells[name].choices,
            )
            for name in self.columns_in(mode)
        ]

    def csv_template(self, mode: Mode) -> str:
        """Return the header of a file for a mode, as a line of CSV."""
        line = io.StringIO(newline="")
        csv.writer(line).writerow(self.columns_in(mode))
        return line.getvalue()
