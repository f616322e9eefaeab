"""The values of an object's columns, compared."""

from __future__ import annotations

from typing import cast

from django.db.models import Field, Model
from django.db.models.fields.files import FieldFile

from deliverystore.datacenter.rows.cells import Cell
from deliverystore.datacenter.rows.related import ManyCell, RelatedCell

# The values of an object by the names of its columns (attname), or of a list of many,
# whose value is the frozenset of their pks.
State = dict[str, object]


def attname(model: type[Model], name: str) -> str:
    """Return the name of the attribute that has the value of a field's column."""
    return str(cast("Field", model._meta.get_field(name)).attname)


def column_value(cell: Cell, value: object) -> object:
    """Return what is stored for a value of a row, which may be objects."""
    if isinstance(cell, ManyCell) and isinstance(value, tuple | list):
        return frozenset(one.pk if isinstance(one, Model) else one for one in value)
    if isinstance(cell, RelatedCell) and isinstance(value, Model):
        return cell.value(value)
    return value


def stored(value: object) -> object:
    """Return a value of an object in the form in which cells are converted."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, FieldFile):
        return value.name or ""
    return value


def differs(old: object, new: object) -> bool:
    """Tell whether a cell changes a value; blanks around a text do not count.

    A cell has none, so text that has them would change by an import of its own export.
    For the same reason an empty text, or no bytes, counts as no value.
    """
    if old == new:
        return False
    if isinstance(old, str):
        return old.strip() != ("" if new is None else new)
    if new is None:
        return old != b""
    # Only what is no number is not equal to itself.
    return not (old != old and new != new)
