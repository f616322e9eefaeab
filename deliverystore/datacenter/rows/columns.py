"""The columns of a file, as a run reads them: cells in, rows of values out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore.datacenter.rows import escapes
from deliverystore.datacenter.rows.cells import Cell, Mark
from deliverystore.datacenter.rows.outcomes import CellError, Row
from deliverystore.datacenter.rows.quick import Quick
from deliverystore.datacenter.rows.related import (
    Key,
    Keyed,
    ManyCell,
    RelatedCell,
)
from deliverystore.exceptions import RowError

logger = logging.getLogger("deliverystore.processors")

# Messages with these codes are about no value.
_TELL_NOTHING = {"blank", "null", "required"}
# What a row gives to the fields: their names, and their values.
Values = dict[str, object]
_UNSEEN = object()
_first_character = itemgetter(slice(1))


@dataclass(kw_only=True)
class Column:
    """A column whose cells go to a field.

    special has texts that are not converted: the empty one, the one that clears
    (clear_token), and those that a value map corrects; their values may be errors.
    """

    index: int
    header: str
    cell: Cell
    sensitive: bool = False
    clear_token: str = ""
    special: dict[str, object] = field(default_factory=dict)
    corrections: dict[str, str] = field(default_factory=dict)
    convert: Callable[[str], object] = field(init=False)

    def __post_init__(self) -> None:
        self.convert = self.cell.compile()
        for wrong, right in self.corrections.items():
            self.special[wrong.strip()] = self._value(right.strip())

    def _value(self, text: str, meant: str | None = None) -> object:
        """Return the value of a text, or the error of what has none."""
        if text in self.special:
            return self.special[text]
        try:
            return self.convert(text if meant is None else meant)
        except ValidationError as error:
            return error
        except Exception as error:
            # A mistake in a field must not stop the file.
            kind = {"error": type(error).__name__}
            if not self.sensitive:
                logger.exception("field %s, %r", self.cell.name, text)
            return ValidationError(
                _("The processor failed: %(error)s"), code="error", params=kind
            )

    def read(
        self, rows: Sequence[Row], faults: dict[int, list[CellError]]
    ) -> tuple[list, bool]:
        """Return a value for each row, and whether some are marks or errors.

        The value of a row whose faults were added to may be anything.
        """
        at, convert, special = self.index, self.convert, self.special
        texts = meant = [cells[at].strip() for _number, cells in rows]
        if "'" in map(_first_character, texts):
            meant = [escapes.meant(text, self.clear_token) for text in texts]
        if isinstance(convert, Quick | Keyed) and special.keys().isdisjoint(texts):
            # One of them may be unusual, or wrong.
            with suppress(Exception):
                return convert.all(meant), False
        values: list[object] = []
        for place, text in enumerate(texts):
            value = self._value(text, meant[place])
            if isinstance(value, ValidationError):
                faults.setdefault(place, []).extend(self.errors(value, rows[place][1]))
            values.append(value)
        return values, True

    def errors(self, error: ValidationError, cells: Sequence[str]) -> list[CellError]:
        """Return what is wrong with the cell of this column in a row."""
        value = cells[self.index]
        found = []
        for one in error.error_list:
            message = one.messages[0]
            if self.sensitive and one.code not in _TELL_NOTHING:
                # It may have the value in it, in whatever form.
                message = gettext("This value is refused.")
            found.append(
                CellError(
                    code=one.code or "invalid",
                    message=message,
                    column=self.header,
                    value="" if self.sensitive else value,
                )
            )
        return found


@dataclass(frozen=True, kw_only=True)
class Read:
    """What rows have in their cells: column by column, and which rows have faults.

    columns have the values of the rows at places, which are those without faults.
    has_marks tells that some of them may be marks.
    """

    names: list[str]
    columns: list[list]
    places: Sequence[int]
    faults: dict[int, list[CellError]]
    has_marks: bool

    def rows(self) -> list[Values]:
        """Return the values by field of each row without faults."""
        names = self.names
        rows = zip(*self.columns, strict=True) if names else ((),) * len(self.places)
        if not self.has_marks:
            return [dict(zip(names, row, strict=True)) for row in rows]
        return [
            {
                name: one
                for name, one in zip(names, row, strict=True)
                if one is not Mark.OMIT
            }
            for row in rows
        ]


class Columns:
    """All columns that go to fields, by the names of these."""

    def __init__(
        self, columns: Iterable[Column], keys: Iterable[tuple[str, ...]]
    ) -> None:
        self.by_field = {column.cell.name: column for column in columns}
        present = [key for key in keys if all(name in self.by_field for name in key)]
        self.keys = present
        self._places = [[self.by_field[name].index for name in key] for key in present]
        # The usual case, since it is asked of every row.
        simple = len(present) == 1 and len(present[0]) == 1
        self._place = self._places[0][0] if simple else None

    def read(self, rows: Sequence[Row], *, with_objects: bool) -> Read:
        """Return the values of the rows, and what is wrong with some of them.

        A foreign key is an object if these are wanted, else what its column holds.
        """
        faults: dict[int, list[CellError]] = {}
        found = []
        has_marks = False
        for column in self.by_field.values():
            values, marked = column.read(rows, faults)
            if isinstance(column.cell, RelatedCell):
                keys = _Keys(column, column.cell, values, rows)
                values = keys.named(faults, with_objects=with_objects)
            found.append(values)
            has_marks = has_marks or marked
        places: Sequence[int] = range(len(rows))
        if faults:
            places = [place for place in places if place not in faults]
            found = [[values[place] for place in places] for values in found]
        return Read(
            names=list(self.by_field),
            columns=found,
            places=places,
            faults=faults,
            has_marks=has_marks,
        )

    def label(self, cells: Sequence[str]) -> str:
        """Return what a row calls its object: the first key that is filled in."""
        if self._place is not None:
            return cells[self._place].strip()
        for places in self._places:
            parts = [cells[at].strip() for at in places]
            if all(parts):
                return " / ".join(parts)
        return ""

    def errors(
        self, error: RowError | ValidationError, cells: Sequence[str]
    ) -> tuple[CellError, ...]:
        """Return what is wrong with a row, each with its column if it has one."""
        if isinstance(error, RowError):
            error = error.as_validation_error()
        by_field: dict[str, ValidationError] = {NON_FIELD_ERRORS: error}
        if hasattr(error, "error_dict"):
            by_field = {
                str(name): ValidationError(those)
                for name, those in error.error_dict.items()
            }
        found: list[CellError] = []
        for name, one in by_field.items():
            if name in self.by_field:
                found += self.by_field[name].errors(one, cells)
            else:
                found += _of_row(name, one)
        return tuple(found)


def _of_row(name: str, error: ValidationError) -> list[CellError]:
    start = "" if name == NON_FIELD_ERRORS else f"{name}: "
    return [
        CellError(code=one.code or "invalid", message=start + one.messages[0])
        for one in error.error_list
    ]


@dataclass(frozen=True)
class _Keys:
    """The keys that a column of other objects has, one or several for each row."""

    column: Column
    cell: RelatedCell
    values: list[object]
    rows: Sequence[Row]

    def named(
        self, faults: dict[int, list[CellError]], *, with_objects: bool
    ) -> list[object]:
        """Return the objects of the keys, or their pks; add what is wrong."""
        # Few are different, and these alone are looked at.
        values = set(self.values)
        keys = {key for value in values for key in self._keys(value)}
        found: Mapping[Key, object]
        found = self.cell.find(keys) if with_objects else self.cell.pks(keys)
        if not isinstance(self.cell, ManyCell) and None not in map(found.get, keys):
            meant = {one: found[one] if type(one) is tuple else one for one in values}
            return list(map(meant.__getitem__, self.values))
        return [
            self._named(place, value, found, faults) if type(value) is tuple else value
            for place, value in enumerate(self.values)
        ]

    def _keys(self, value: object) -> tuple[Key, ...]:
        if not isinstance(value, tuple):
            return ()
        return value if isinstance(self.cell, ManyCell) else (value,)

    def _named(
        self,
        place: int,
        value: object,
        found: Mapping[Key, object],
        faults: dict[int, list[CellError]],
    ) -> object:
        named = []
        for key in self._keys(value):
            named.append(one := found.get(key, _UNSEEN))
            if one is _UNSEEN or one is None:
                code = "ambiguous" if one is None else "missing"
                error = self.cell.error(self.cell.separator.join(map(str, key)), code)
                cells = self.rows[place][1]
                faults.setdefault(place, []).extend(self.column.errors(error, cells))
        return tuple(named) if isinstance(self.cell, ManyCell) else named[0]
