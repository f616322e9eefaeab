"""Converters for the common model fields, compiled once for each column.

Each takes a short cut where it is sure of what the field's own clean() would return,
and asks clean() about everything else. So the results are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from django.core import validators
from django.core.exceptions import ValidationError
from django.db import models

Convert = Callable[[str], object]

# Addresses that EmailValidator certainly accepts, if they have at most 254 characters.
_EMAIL = re.compile(
    r"[A-Za-z0-9_+-]++(?:\.[A-Za-z0-9_+-]++)*+"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


@dataclass(frozen=True)
class Accept:
    """Tells of a value, or of many, whether a validator takes them."""

    one: Callable[..., object]
    all: Callable[[Sequence], bool]

    @classmethod
    def by(cls, one: Callable[..., object]) -> Accept:
        """Return one that asks about each value by itself."""
        return cls(one, lambda values: all(map(one, values)))


class Quick:
    """Converts texts. read raises ValueError for those that clean has to be asked."""

    def __init__(
        self,
        clean: Convert,
        read: Convert,
        accepts: Sequence[Accept],
        form: Accept | None = None,
    ) -> None:
        self._clean = clean
        self._read = read
        self._accepts = accepts
        self._form = form

    def __call__(self, text: str) -> object:
        """Return the value of a text, as clean does. Raise ValidationError, as it."""
        if self._form is not None and not self._form.one(text):
            return self._clean(text)
        try:
            value = self._read(text)
        except ValueError:
            return self._clean(text)
        if all(accept.one(value) for accept in self._accepts):
            return value
        return self._clean(text)

    def all(self, texts: list[str]) -> list:
        """Return the values of texts. Raise ValueError if one has to be looked at."""
        if self._form is not None and not self._form.all(texts):
            raise ValueError
        values = texts if self._read is str else list(map(self._read, texts))
        if all(accept.all(values) for accept in self._accepts):
            return values
        raise ValueError


def quick(field: models.Field, clean: Convert) -> Convert:
    """Return a converter with the results of clean, which is the field's own."""
    if not _is_plain(field) or field.flatchoices:
        return clean
    read = _READ.get(type(field).to_python)
    if isinstance(field, models.DecimalField):
        return _decimal(field, clean)
    return clean if read is None else Quick(clean, read, _accepts(field))


def _is_plain(field: models.Field) -> bool:
    """Tell whether the field checks a value as Django's base class does."""
    kind, base = type(field), models.Field
    names = ("clean", "validate", "run_validators")
    if not field.editable:
        return False
    return all(getattr(kind, name) is getattr(base, name) for name in names)


def _decimal(field: models.DecimalField, clean: Convert) -> Convert:
    digits, places = field.max_digits, field.decimal_places
    if type(field).to_python is not models.DecimalField.to_python:
        return clean
    if not digits or digits == places:
        return clean
    # Digits and places are looked at here, so DecimalValidator need not do it.
    fraction = rf"(?:\.[0-9]{{1,{places}}})?" if places else ""
    form = re.compile(rf"-?[0-9]{{1,{digits - places}}}{fraction}").fullmatch
    accepts = _accepts(field, without=validators.DecimalValidator)
    return Quick(clean, Decimal, accepts, Accept.by(form))


def _aware(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError  # which zone is meant is asked elsewhere
    return value


_READ: dict[object, Convert] = {
    models.CharField.to_python: str,
    models.TextField.to_python: str,
    models.IntegerField.to_python: int,
    models.FloatField.to_python: float,
    models.DateField.to_python: date.fromisoformat,
    models.DateTimeField.to_python: _aware,
}


def _accepts(field: models.Field, *, without: type | None = None) -> list[Accept]:
    """Return the field's validators as functions which tell instead of raising."""
    return [_accept(one) for one in field.validators if type(one) is not without]


def _accept(validator: Callable[..., None]) -> Accept:
    limit = getattr(validator, "limit_value", None)
    make = _LIMITS.get(type(validator))
    if make is not None and not callable(limit):
        return make(limit)
    if type(validator) is validators.RegexValidator:
        return _matching(validator)
    ask = _asking(validator)
    if type(validator) is validators.EmailValidator:
        known = _EMAIL.fullmatch
        return Accept.by(lambda text: (len(text) <= 254 and known(text)) or ask(text))
    return Accept.by(ask)


def _asking(validator: Callable[..., None]) -> Callable[[object], bool]:
    def accept(value: object) -> bool:
        try:
            validator(value)
        except ValidationError:
            return False
        return True

    return accept


def _matching(validator: validators.RegexValidator) -> Accept:
    # A validator compiles its expression when it is made.
    search = cast("re.Pattern[str]", validator.regex).search
    if validator.inverse_match:
        return Accept.by(lambda value: not search(str(value)))
    return Accept.by(lambda value: search(str(value)))


# By the exact type: a subclass may mean something else.
_LIMITS: dict[type, Callable[..., Accept]] = {
    validators.MaxLengthValidator: lambda limit: Accept(
        lambda text: len(text) <= limit,
        lambda texts: max(map(len, texts)) <= limit,
    ),
    validators.MinLengthValidator: lambda limit: Accept(
        lambda text: len(text) >= limit,
        lambda texts: min(map(len, texts)) >= limit,
    ),
    validators.MaxValueValidator: lambda limit: Accept.by(lambda one: one <= limit),
    validators.MinValueValidator: lambda limit: Accept.by(lambda one: one >= limit),
}
