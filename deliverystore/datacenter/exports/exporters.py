"""The objects of a model as rows, which its processor would read without a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Self, cast

from django.db import models

from deliverystore.datacenter import registry
from deliverystore.datacenter.exports.cells import (
    Column,
    ManyColumn,
    PlainColumn,
    RelatedColumn,
)
from deliverystore.datacenter.exports.filters import filtered
from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.rows.cells import Cell
from deliverystore.datacenter.rows.modelcells import ModelCell
from deliverystore.datacenter.rows.related import ManyCell, RelatedCell
from deliverystore.datacenter.tables import BATCH_SIZE
from deliverystore.exceptions import ExportRefused

Row = list[str]
# Batches are made smaller where rows are so large that a batch would have more.
BATCH_CHARACTERS = 4 * 1024 * 1024
_FIRST_BATCH = 100


class ModelExporter:
    """Gives the objects of a processor's model as cells, batch by batch.

    A batch takes one query for the objects, one for each foreign key and two for each
    list of many. Objects come in the order of their primary keys; each batch is read
    for itself, so what changes meanwhile is in it or not.

    filters name fields and the values, as cells, which the objects must have. Fields
    that are sensitive, unless they are keys, are left out. Raise ExportRefused if the
    processor is not one of a model, or a filter names no field or no value of it.
    """

    def __init__(
        self, processor: ModelProcessor, *, filters: Mapping[str, str] | None = None
    ) -> None:
        self.processor = processor
        cells = processor.get_cells()
        self.header = tuple(
            name
            for name in processor.fields
            if name not in processor.sensitive or processor.is_key(name)
        )
        shown = {name: cells[name] for name in self.header}
        objects = filtered(processor.get_queryset(), shown, filters or {})
        self._objects = objects.order_by("pk")
        self._columns = [self._column(cell) for cell in shown.values()]

    @classmethod
    def named(cls, name: str, *, filters: Mapping[str, str] | None = None) -> Self:
        """Return the exporter of a registered processor. Raise ProcessorNotFound."""
        processor = registry.get_processor(name)
        if not isinstance(processor, ModelProcessor):
            raise ExportRefused(f"{name!r} is not the processor of a model.")
        return cls(processor, filters=filters)

    @classmethod
    def of_model(
        cls,
        model: type[models.Model],
        fields: Sequence[str] | None = None,
        *,
        lookups: Mapping[str, str | Sequence[str]] | None = None,
        filters: Mapping[str, str] | None = None,
    ) -> Self:
        """Return the exporter of a model without a processor: all its fields, or some.

        lookups are those of a ModelProcessor. The key is the primary key.
        """
        attributes = {
            "model": model,
            "fields": list(_fields(model) if fields is None else fields),
            "key_fields": [model._meta.pk.name],
            "lookups": lookups or {},
        }
        kind = type(f"{model.__name__}Processor", (ModelProcessor,), attributes)
        return cls(kind(), filters=filters)

    @property
    def number_columns(self) -> set[int]:
        """The places of the columns whose cells are numbers."""
        return {at for at, one in enumerate(self._columns) if one.is_number}

    def count(self) -> int:
        """Return how many objects there are now."""
        return int(self._objects.count())

    def batches(self, size: int = BATCH_SIZE) -> Iterator[list[Row]]:
        """Yield the rows, at most size of them at a time."""
        names = ["pk", *(one.attname for one in self._columns if one.attname)]
        objects = self._objects.values_list(*names)
        wanted = min(size, _FIRST_BATCH)
        page = list(objects[:wanted])
        while page:
            rows = self._rows(page)
            yield rows
            wanted = min(size, _fitting(rows))
            page = list(objects.filter(pk__gt=page[-1][0])[:wanted])

    def _rows(self, page: list[tuple[object, ...]]) -> list[Row]:
        pks, *loaded = zip(*page, strict=True)
        values = iter(loaded)
        columns = [
            one.cells(pks, next(values) if one.attname else ()) for one in self._columns
        ]
        return list(map(list, zip(*columns, strict=True)))

    def _column(self, cell: Cell) -> Column:
        token = self.processor.clear_token
        if isinstance(cell, ManyCell):
            return ManyColumn(cell, token, self._objects.db)
        if isinstance(cell, RelatedCell):
            return RelatedColumn(cell, token)
        return PlainColumn(cast("ModelCell", cell), token)


def _fields(model: type[models.Model]) -> Iterator[str]:
    """Yield the fields that a processor can write."""
    for field in model._meta.concrete_fields:
        is_link = getattr(field.remote_field, "parent_link", False)
        if not field.generated and (field.primary_key or not is_link):
            yield field.name
    yield from (field.name for field in model._meta.many_to_many)


def _fitting(rows: list[Row]) -> int:
    """Return how many rows like these are a batch of a good size."""
    characters = sum(map(len, chain.from_iterable(rows)))
    return max(1, BATCH_CHARACTERS * len(rows) // max(1, characters))
