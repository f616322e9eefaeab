"""Rows into the objects of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import cast

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connections, models, router, transaction
from django.db.models.constants import LOOKUP_SEP

from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.bulk import BulkPlan
from deliverystore.datacenter.rows.cells import Cell
from deliverystore.datacenter.rows.columns import Values
from deliverystore.datacenter.rows.escapes import joined
from deliverystore.datacenter.rows.modelcells import Formats
from deliverystore.datacenter.rows.obstacles import obstacles
from deliverystore.datacenter.rows.outcomes import Change
from deliverystore.datacenter.rows.plans import Changed, Plan, several_error
from deliverystore.datacenter.rows.related import ManyCell, RelatedCell
from deliverystore.datacenter.rows.states import (
    attname,
    column_value,
    differs,
    stored,
)
from deliverystore.datacenter.telling import TellingModelCell


class ModelProcessor(BatchProcessor):
    """Turns rows into objects of a model, many at a time.

    Values are converted and validated as the model's own fields do it, and whole
    objects as Model.full_clean() does. What is written in bulk runs neither save() nor
    the signals of saving; a processor that needs them says use_bulk = False.
    """

    model: type[models.Model]
    # Names of the model's fields.
    fields: Sequence[str] = ()
    # How cells name other objects: the field of these, or several, by foreign key.
    lookups: Mapping[str, str | Sequence[str]] = {}
    # False: save() each object by itself, with signals.
    use_bulk: bool = True
    can_be_undone = True
    # As strptime takes them, beside ISO 8601.
    date_formats: Sequence[str] = ()
    datetime_formats: Sequence[str] = ()
    time_formats: Sequence[str] = ()
    # Read dates and numbers also as the active language writes them.
    localized: bool = False

    def get_queryset(self) -> models.QuerySet:
        """Return the objects that rows may update and remove."""
        return self.model._default_manager.all()

    @property
    def using(self) -> str:
        """The alias of the database that is written to."""
        return str(router.db_for_write(self.model))

    @cached_property
    def what(self) -> str:  # type: ignore[override]
        return str(self.model._meta.verbose_name)

    # -- Cells -----------------------------------------------------------------------

    def get_cells(self) -> dict[str, Cell]:
        return self._cells

    @cached_property
    def _cells(self) -> dict[str, Cell]:
        return {name: self._cell(name) for name in self.fields}

    def _cell(self, name: str) -> Cell:
        field = _field_of(self.model, name)
        if not isinstance(field, models.ForeignKey | models.ManyToManyField):
            return TellingModelCell(field, self._formats)
        related = field.related_model
        names = self.lookups.get(name, ())
        if isinstance(names, str):
            names = (names,)
        if not names and not hasattr(related._default_manager, "get_by_natural_key"):
            names = ("pk",)
        parts = [
            TellingModelCell(_field_of(related, one), self._formats) for one in names
        ]
        if isinstance(field, models.ManyToManyField):
            return ManyCell(field, names, parts)
        return RelatedCell(field, names, parts)

    @property
    def _formats(self) -> Formats:
        return Formats(
            dates=tuple(self.date_formats),
            datetimes=tuple(self.datetime_formats),
            times=tuple(self.time_formats),
            localized=self.localized,
        )

    # -- Objects, one by one ---------------------------------------------------------

    def get_entry(self, row: Values) -> models.Model | None:
        found = list(self._named(self.get_queryset().select_for_update(), row)[:2])
        if len(found) > 1:
            raise several_error(self, row)
        return found[0] if found else None

    def entry_exists(self, row: Values) -> bool:
        return bool(self._named(self.get_queryset(), row).exists())

    def add_entry(self, row: Values) -> models.Model:
        entry = self.model()
        self._set(entry, row)
        self.validate(entry)
        entry.save(force_insert=True, using=self.using)
        self._set_many(entry, row)
        return entry

    def update_entry(self, entry: object, row: Values) -> Sequence[Changed]:
        entry = cast("models.Model", entry)
        changed = self._differences(entry, row)
        if changed:
            news = {name: row[name] for name, _old, _new in changed}
            self._set(entry, news)
            self.validate(entry)
            entry.save(using=self.using)
            self._set_many(entry, news)
        return changed

    def remove_entry(self, entry: object, row: Values) -> None:
        cast("models.Model", entry).delete(using=self.using)

    def validate(self, entry: models.Model) -> None:
        """Check an object as full_clean() does; its cells are validated already."""
        errors: dict[str, list[ValidationError]] = {}
        steps: tuple[Callable[[set[str]], None], ...] = (
            lambda _exclude: entry.clean(),
            lambda exclude: entry.validate_unique(exclude=exclude),
            lambda exclude: entry.validate_constraints(exclude=exclude),
        )
        for step in steps:
            try:
                step({name for name in errors if name != NON_FIELD_ERRORS})
            except ValidationError as error:
                errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def savepoint(self) -> AbstractContextManager[object]:
        return transaction.atomic(using=self.using)

    def judge(self) -> None:
        connections[self.using].check_constraints()

    # -- Many at a time --------------------------------------------------------------

    def make_plan(self, plan: Plan) -> Plan:
        if obstacles(self, ModelProcessor, plan.mode):
            return plan
        return BulkPlan(self, ModelProcessor, plan)

    def changes(self, rows: Sequence[Sequence[Changed]]) -> list[tuple[Change, ...]]:
        texts = {
            name: cell.texts(self._named_in(rows, name))
            for name, cell in self._cells.items()
            if isinstance(cell, RelatedCell)
        }

        def text(name: str, value: object) -> str:
            cell = self._cells[name]
            value = column_value(cell, value)
            if isinstance(value, frozenset):
                found = sorted(texts[name].get(one, str(one)) for one in value)
                return joined(found, ManyCell.list_separator)
            if isinstance(cell, RelatedCell) and value is not None:
                return texts[name].get(value, str(value))
            return cell.text(value)

        return [
            tuple(
                self.change(name, text(name, old), text(name, new))
                for name, old, new in row
                if name in self._cells
            )
            for row in rows
        ]

    def _named_in(self, rows: Sequence[Sequence[Changed]], wanted: str) -> set[object]:
        """Return the pks of all objects that a field's old and new values name."""
        pks: set[object] = set()
        for row in rows:
            for name, *values in row:
                for value in values if name == wanted else ():
                    value = column_value(self._cells[name], value)
                    pks |= value if isinstance(value, frozenset) else {value}
        return pks - {None}

    # -- Private ---------------------------------------------------------------------

    def _named(self, objects: models.QuerySet, row: Values) -> models.QuerySet:
        key = self.key_of(row)
        if key is None:
            return objects.none()
        return objects.using(self.using).filter(**{name: row[name] for name in key})

    def _set(self, entry: models.Model, row: Values) -> None:
        for name, value in row.items():
            if not isinstance(self._cells[name], ManyCell):
                setattr(entry, name, value)

    def _set_many(self, entry: models.Model, row: Values) -> None:
        for name, value in row.items():
            if isinstance(self._cells[name], ManyCell):
                getattr(entry, name).set(value)

    def _differences(self, entry: models.Model, row: Values) -> list[Changed]:
        changed: list[Changed] = []
        for name, value in row.items():
            cell = self._cells[name]
            new = column_value(cell, value)
            if isinstance(cell, ManyCell):
                old: object = frozenset(one.pk for one in getattr(entry, name).all())
            else:
                old = stored(getattr(entry, attname(self.model, name)))
            if differs(old, new):
                changed.append((name, old, new))
        return changed


def _field_of(model: type[models.Model], name: str) -> models.Field:
    """Return the field at the end of a path of names joined by double underscores."""
    first, _, rest = name.partition(LOOKUP_SEP)
    field = model._meta.pk if first == "pk" else model._meta.get_field(first)
    if rest:
        return _field_of(cast("type[models.Model]", field.related_model), rest)
    return cast("models.Field", field)
