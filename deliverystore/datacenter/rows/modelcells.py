"""Cells that a model field converts."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from types import SimpleNamespace
from typing import cast

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.fields import AutoFieldMixin
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.formats import get_format, sanitize_separators

from deliverystore.datacenter.rows.cells import Cell, Mark, boolean, required_error
from deliverystore.datacenter.rows.quick import Convert, quick

_MOMENTS = (models.DateField, models.TimeField)
# Those of which an empty text is no value.
TEXTS = (models.CharField, models.TextField, models.FileField, models.FilePathField)
_NUMBERS = (models.DecimalField, models.FloatField, models.IntegerField)


@dataclass(frozen=True, kw_only=True)
class Formats:
    """How dates, times and numbers may be written, beside ISO 8601 and 1234.5.

    Formats are as strptime takes them. localized adds those of the active language.
    """

    dates: tuple[str, ...] = ()
    datetimes: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    localized: bool = False

    def of(self, field: models.Field) -> list[str]:
        """Return the formats for one field, the processor's own first."""
        if isinstance(field, models.DateTimeField):
            found, name = self.datetimes, "DATETIME_INPUT_FORMATS"
        elif isinstance(field, models.DateField):
            found, name = self.dates, "DATE_INPUT_FORMATS"
        else:
            found, name = self.times, "TIME_INPUT_FORMATS"
        return [*found, *(get_format(name) if self.localized else ())]


class ModelCell(Cell):
    """A cell for a model field without a relation."""

    def __init__(self, field: models.Field, formats: Formats) -> None:
        self.name = field.name
        self.label = str(field.verbose_name)[:1].upper() + str(field.verbose_name)[1:]
        self.type = str(field.description % field.__dict__)
        self.help_text = str(field.help_text)
        self.field = field
        self.choices = tuple(
            (str(value), str(label))
            for value, label in field.flatchoices
            if value not in field.empty_values
        )
        self.required = self._fault_of_default() is not None
        self._formats = formats
        # Custom fields may look at the object that they clean a value for.
        self._instance = field.model()

    def compile(self) -> Convert:
        if self.choices:
            return _of_choices(self.field, self.clean)
        if isinstance(self.field, models.BooleanField):
            return lambda text: self._of_field(boolean(text))
        if isinstance(self.field, _NUMBERS) and self._formats.localized:
            return self.clean
        return quick(self.field, self.clean)

    def clean(self, text: str) -> object:
        """Convert a text slowly: in the field's own way."""
        try:
            return self._of_field(self._prepared(text))
        except ValidationError:
            if not isinstance(self.field, _MOMENTS):
                raise
            value = _parsed(text, self._formats.of(self.field), self.field)
            if value is None:
                raise
            return self._of_field(value)

    def default(self) -> object:
        if fault := self._fault_of_default():
            raise fault
        return Mark.OMIT

    def cleared(self) -> object:
        if not self.field.blank:
            raise required_error()
        if self.field.null:
            return None
        if self.field.empty_strings_allowed and isinstance(self.field, TEXTS):
            return ""
        raise required_error()

    def text(self, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, bool) and not self.choices:
            return str(value).lower()
        if isinstance(self.field, models.JSONField):
            return _as_json(value, self.field.encoder)
        if isinstance(value, Decimal):
            return self._as_read(format(value, "f"))
        if isinstance(value, float):
            return self._as_read(str(value))
        if isinstance(value, datetime) and timezone.is_aware(value):
            # In another zone the first and the last moments may have no date.
            with contextlib.suppress(OverflowError):
                value = timezone.localtime(value)
        holder = SimpleNamespace(**{self.field.attname: value})
        return str(self.field.value_to_string(cast("models.Model", holder)))

    def _as_read(self, number: str) -> str:
        """Return a number with the sign for fractions that is read for sure."""
        if self._formats.localized and isinstance(self.field, _NUMBERS):
            return number.replace(".", get_format("DECIMAL_SEPARATOR"))
        return number

    def _fault_of_default(self) -> ValidationError | None:
        field = self.field
        has_default = field.has_default() or field.has_db_default()
        if has_default or is_automatic(field) or _fills_itself(field):
            return None
        if not field.blank or (field.get_default() is None and not field.null):
            return required_error()
        return None

    def _prepared(self, text: str) -> object:
        """Return what the field takes for a text: most fields take it as it is."""
        if isinstance(self.field, models.JSONField):
            try:
                return json.loads(text, cls=self.field.decoder)
            except (ValueError, RecursionError) as error:
                raise ValidationError(
                    self.field.error_messages["invalid"], code="invalid"
                ) from error
        if self._formats.localized and isinstance(self.field, _NUMBERS):
            return sanitize_separators(text)
        return text

    def _of_field(self, value: object) -> object:
        try:
            cleaned = self.field.clean(value, self._instance)
        except (TypeError, ValueError, ArithmeticError) as error:
            # binascii.Error of BinaryField is a ValueError, for one.
            raise ValidationError(
                "“%(value)s” cannot be read.", code="invalid", params={"value": value}
            ) from error
        if isinstance(cleaned, memoryview):
            return bytes(cleaned)
        if isinstance(cleaned, datetime):
            return from_current_timezone(cleaned)
        return cleaned


def is_automatic(field: models.Field) -> bool:
    """Tell whether the database numbers the objects."""
    return issubclass(type(field), AutoFieldMixin)


def _as_json(value: object, encoder: type[json.JSONEncoder] | None) -> str:
    text = json.dumps(value, cls=encoder, ensure_ascii=False)
    # Half a surrogate pair is no text, but JSON has a way to write it.
    return text if text.isprintable() else json.dumps(value, cls=encoder)


def _fills_itself(field: models.Field) -> bool:
    return bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", 0))


def _of_choices(field: models.Field, clean: Convert) -> Convert:
    """Return a converter that knows each choice by its value, then by its label."""
    values: dict[str, object] = {}
    labels: dict[str, list[str]] = {}
    for value, label in field.flatchoices:
        if value not in field.empty_values:
            with contextlib.suppress(ValidationError):
                values[str(value)] = clean(str(value))
                labels.setdefault(str(label).casefold(), []).append(str(value))

    def convert(text: str) -> object:
        if text in values:
            return values[text]
        try:
            return clean(text)
        except ValidationError:
            found = labels.get(text.casefold(), ())
            if len(found) != 1:
                raise
            return values[found[0]]

    return convert


def _parsed(
    text: str, formats: list[str], field: models.Field
) -> date | time | datetime | None:
    for one in formats:
        try:
            value = datetime.strptime(text, one)  # noqa: DTZ007
        except ValueError:
            continue
        return _part(value, field)
    return None


def _part(value: datetime, field: models.Field) -> date | time | datetime:
    if isinstance(field, models.DateTimeField):
        return from_current_timezone(value)
    return value.date() if isinstance(field, models.DateField) else value.time()
