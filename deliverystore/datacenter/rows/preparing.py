"""Values as the database wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal, getcontext

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations

Prepare = Callable[[object], object]

# Their get_prep_value() changes nothing about a value that is clean.
_SAME_FOR_ALL = {
    models.CharField.get_prep_value,
    models.TextField.get_prep_value,
    models.IntegerField.get_prep_value,
    models.FloatField.get_prep_value,
    models.BooleanField.get_prep_value,
}
# Nor do the methods of these, where the database has a type for it.
_SAME_FOR_POSTGRESQL = (
    *(models.DateField, models.TimeField, models.DecimalField, models.UUIDField),
)
# Nor do those of numbers that the database makes.
_AUTOMATIC = (models.AutoField, models.BigAutoField, models.SmallAutoField)
_METHODS = ("get_db_prep_save", "get_db_prep_value", "get_prep_value")


def preparer(field: models.Field, db: BaseDatabaseWrapper) -> Prepare | None:
    """Return what a clean value of the field goes through; None if nothing."""
    kind, base = type(field), models.Field
    if (
        kind.get_db_prep_save is base.get_db_prep_save
        and kind.get_db_prep_value is base.get_db_prep_value
        and kind.get_prep_value in _SAME_FOR_ALL
    ):
        return None
    same = [*_AUTOMATIC, *(_SAME_FOR_POSTGRESQL if db.vendor == "postgresql" else ())]
    if any(
        all(getattr(kind, name) is getattr(one, name) for name in _METHODS)
        for one in same
    ):
        return None
    if isinstance(field, models.DecimalField) and _writes_digits(field, db):
        return _digits(field, db)
    return lambda value: field.get_db_prep_save(value, db)


def prepared(
    field: models.Field, db: BaseDatabaseWrapper, values: Iterable[object]
) -> list[object]:
    """Return clean values of the field as the database wants them.

    What is the same object as in the row before is prepared once: defaults, times.
    """
    prepare = preparer(field, db)
    if prepare is None:
        return list(values)
    found = []
    last = made = object()
    for value in values:
        if value is not last:
            last, made = value, prepare(value)
        found.append(made)
    return found


def _writes_digits(field: models.DecimalField, db: BaseDatabaseWrapper) -> bool:
    """Tell whether decimals become texts, in Django's own way."""
    adapt = "adapt_decimalfield_value"
    return (
        all(
            getattr(type(field), name) is getattr(models.DecimalField, name)
            for name in (*_METHODS, "to_python")
        )
        and getattr(type(db.ops), adapt) is getattr(BaseDatabaseOperations, adapt)
        and bool(field.max_digits)
        and field.decimal_places is not None
    )


def _digits(field: models.DecimalField, db: BaseDatabaseWrapper) -> Prepare:
    """Return what Django does with a decimal, made for all of a field."""
    context = getcontext().copy()
    context.prec = field.max_digits
    exponent = Decimal(1).scaleb(-field.decimal_places)

    def prepare(value: object) -> object:
        if type(value) is Decimal and value.is_finite():
            return f"{value.quantize(exponent, context=context):f}"
        return field.get_db_prep_save(value, db)

    return prepare
