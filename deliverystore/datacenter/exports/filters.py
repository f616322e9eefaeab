"""Which objects are meant, said as people fill cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from deliverystore.datacenter.rows.cells import Cell
from deliverystore.datacenter.rows.modelcells import TEXTS, ModelCell
from deliverystore.datacenter.rows.related import Key, ManyCell, RelatedCell
from deliverystore.exceptions import ExportRefused


def filtered(
    objects: QuerySet, cells: Mapping[str, Cell], filters: Mapping[str, str]
) -> QuerySet:
    """Return the objects whose fields have these values; an empty one means none.

    Raise ExportRefused if one is no field or no value.
    """
    for name, text in filters.items():
        if name not in cells:
            known = ", ".join(cells)
            raise ExportRefused(f"There is no field {name!r}; there are: {known}.")
        try:
            for condition in _conditions(cells[name], text.strip()):
                objects = objects.filter(condition)
        except ValidationError as error:
            said = " ".join(error.messages)
            raise ExportRefused(f"{name}={text}: {said}") from error
    return objects


def _conditions(cell: Cell, text: str) -> list[Q]:
    if not text:
        return [_empty(cell)]
    value = cell.compile()(text)
    if not isinstance(cell, RelatedCell):
        return [Q((cell.name, value))]
    # Of a list, all must be there.
    keys = cast("list[Key]", value if isinstance(cell, ManyCell) else [value])
    found = cell.pks(keys)
    for key in keys:
        if found.get(key) is None:
            code = "ambiguous" if key in found else "missing"
            raise cell.error(cell.separator.join(map(str, key)), code)
    return [Q((_column(cell), found[key])) for key in keys]


def _empty(cell: Cell) -> Q:
    nothing = Q((f"{_column(cell)}__isnull", True))
    if isinstance(cell, ModelCell) and isinstance(cell.field, TEXTS):
        return nothing | Q((cell.name, ""))
    return nothing


def _column(cell: Cell) -> str:
    if isinstance(cell, RelatedCell) and not isinstance(cell, ManyCell):
        return cell.field.attname
    return cell.name
