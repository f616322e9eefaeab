"""Why a model's rows cannot be written in bulk, with the same outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.db import connections, models

from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.rows.related import ManyCell, RelatedCell, through_of

if TYPE_CHECKING:
    from deliverystore.datacenter.modelprocessor import ModelProcessor

VENDORS = ("postgresql", "sqlite")
# What a processor that works in bulk cannot do in its own way.
STEPS = (
    *("get_entry", "entry_exists", "add_entry", "update_entry", "remove_entry"),
    *("validate", "savepoint"),
)
# What these do before saving is known.
_PRE_SAVE = {
    *(models.Field.pre_save, models.FileField.pre_save),
    *(models.DateField.pre_save, models.DateTimeField.pre_save),
    models.TimeField.pre_save,
}
# The second name is that of Django 6.1.
_PLACEHOLDERS = ("get_placeholder", "get_placeholder_sql")


def obstacles(
    processor: ModelProcessor, base: type[ModelProcessor], mode: Mode
) -> list[str]:
    """Return why rows go one by one, for people; nothing if they go in bulk.

    base has the steps that work in bulk has a way of its own for.
    """
    return [
        *_of_processor(processor, base),
        *_of_model(processor.model),
        *(
            reason
            for field in processor.model._meta.concrete_fields
            for reason in _of_field(field)
        ),
        *_of_relations(processor, mode),
    ]


def refers_to_itself(processor: ModelProcessor) -> bool:
    """Tell whether a cell may name an object which another row makes."""
    family = {processor.model._meta.concrete_model, *processor.model._meta.all_parents}
    return any(
        isinstance(cell, RelatedCell)
        and not family.isdisjoint(
            {cell.model._meta.concrete_model, *cell.model._meta.all_parents}
        )
        for cell in processor.get_cells().values()
    )


def unique_checks(blank: models.Model) -> tuple[list, list]:
    """Return what Model.validate_unique() looks at: fields, and fields by date."""
    return blank._get_unique_checks()  # type: ignore[attr-defined, no-any-return]  # noqa: SLF001


def _of_processor(
    processor: ModelProcessor, base: type[ModelProcessor]
) -> Iterator[str]:
    if not processor.use_bulk:
        yield "use_bulk is False"
    for name in STEPS:
        if getattr(type(processor), name) is not getattr(base, name):
            yield f"{name}() is its own"
    vendor = connections[processor.using].vendor
    if vendor not in VENDORS:
        yield f"the database is {vendor}"
    if vendor == "postgresql" and not _copies():
        yield "psycopg 2 copies no rows: install psycopg 3"


def _copies() -> bool:
    # It needs a driver, which is there if the database is PostgreSQL.
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    return bool(is_psycopg3)


def _of_model(model: type[models.Model]) -> Iterator[str]:
    meta = model._meta
    if any(len(one._meta.parents) > 1 for one in (model, *meta.all_parents)):
        yield "the model has several parents"
    if len(meta.pk_fields) > 1:
        yield "the primary key is composite"
    _, by_date = unique_checks(model())
    if by_date:
        yield "a field is unique for a date"


def _of_field(field: models.Field) -> Iterator[str]:
    if field.generated:
        return
    if getattr(field, "width_field", None) or getattr(field, "height_field", None):
        yield f"{field.name} measures its image"
    if type(field).pre_save not in _PRE_SAVE:
        yield f"{field.name} has something done before it is saved"
    if any(hasattr(field, name) for name in _PLACEHOLDERS):
        yield f"{field.name} is written with SQL of its own"
    if getattr(field, "db_collation", None):
        yield f"{field.name} is compared by the database's own rules"


def _of_relations(processor: ModelProcessor, mode: Mode) -> Iterator[str]:
    if mode is not Mode.CREATE and refers_to_itself(processor):
        yield "objects refer to others of their kind"
    meta = processor.model._meta
    refers = [
        field
        for field in meta.get_fields(include_hidden=True)
        if (field.one_to_many or field.one_to_one)
        and field.auto_created
        and not field.concrete
        and isinstance(field.related_model, type)
        and field.related_model._meta.concrete_model is meta.concrete_model
    ]
    if mode is Mode.REMOVE and refers:
        yield "removing an object may remove others of its kind"
    for cell in processor.get_cells().values():
        if not isinstance(cell, RelatedCell):
            continue
        if any(getattr(part.field, "db_collation", None) for part in cell.parts):
            yield f"{cell.name} is looked up by the database's own rules"
        if isinstance(cell, ManyCell):
            yield from _of_many(cell.many)


def _of_many(field: models.ManyToManyField) -> Iterator[str]:
    if not through_of(field)._meta.auto_created:
        yield f"{field.name} goes through a model of its own"
    if field.related_model is field.model:
        yield f"{field.name} leads to the same model"
