"""Cells whose errors say what would have been taken: formats of dates, and choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext

from deliverystore.datacenter.rows.cells import FormCell
from deliverystore.datacenter.rows.modelcells import Formats, ModelCell
from deliverystore.datacenter.words import listed

# Django's message names them already.
_ISO = {"%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%H:%M:%S", "%H:%M"}
_MOMENTS = (models.DateField, models.TimeField)
_DIRECTIVE = re.compile(r"%-?(.)")
_LETTERS = {
    "Y": "YYYY",
    "y": "YY",
    "m": "MM",
    "d": "DD",
    "B": "month",
    "b": "month",
    "H": "HH",
    "I": "HH",
    "M": "MM",
    "S": "SS",
    "f": "ffffff",
    "p": "AM/PM",
    "A": "weekday",
    "a": "weekday",
    "z": "+HHMM",
    "%": "%",
}


class TellingModelCell(ModelCell):
    """A cell for a model field whose errors say what would have been taken."""

    def __init__(self, field: models.Field, formats: Formats) -> None:
        super().__init__(field, formats)
        self._accepted = formats.of(field) if isinstance(field, _MOMENTS) else []
        if self._accepted and not self.choices:
            how = _formats(self._accepted, gettext("Written as %(formats)s."))
            self.help_text = f"{self.help_text} {how}".strip()

    def clean(self, text: str) -> object:
        try:
            return super().clean(text)
        except ValidationError as error:
            more = ""
            if _is_of(error, "invalid_choice"):
                more = _choices(self.choices)
            elif _is_of(error, "invalid"):
                formats = [one for one in self._accepted if one not in _ISO]
                more = _formats(formats, gettext("Also taken: %(formats)s."))
            raise _with(error, more) from error


class TellingFormCell(FormCell):
    """A cell for a form field whose errors say what would have been taken."""

    def compile(self) -> Callable[[str], object]:
        convert = super().compile()
        formats = getattr(self._field, "input_formats", ())
        is_choice = isinstance(self._field, forms.ChoiceField)

        def telling(text: str) -> object:
            try:
                return convert(text)
            except ValidationError as error:
                more = ""
                if is_choice and _is_of(error, "invalid_choice"):
                    more = _choices(self.choices)
                elif _is_of(error, "invalid"):
                    more = _formats(formats, gettext("Taken are: %(formats)s."))
                raise _with(error, more) from error

        return telling


def in_words(format_: str) -> str:
    """Return a format of strptime as people write it: "DD.MM.YYYY"."""
    return _DIRECTIVE.sub(lambda found: _LETTERS.get(found[1], found[0]), format_)


def _is_of(error: ValidationError, code: str) -> bool:
    return [one.code for one in error.error_list] == [code]


def _with(error: ValidationError, more: str) -> ValidationError:
    """Return the same error, with something more to be said of it."""
    if not more:
        return error
    text = f"{error.messages[0]} {more}"
    return ValidationError(text, code=error.error_list[0].code)


def _formats(formats: Sequence[str], text: str) -> str:
    # Several formats of one language are the same in words.
    told = list(dict.fromkeys(in_words(str(one)) for one in formats))
    return text % {"formats": listed(told)} if told else ""


def _choices(choices: Sequence[tuple[str, str]]) -> str:
    """Return the sentence that names the choices, each by its value and its label."""
    named = [
        value if value == label else f"{value} ({label})" for value, label in choices
    ]
    return gettext("The choices are: %(choices)s.") % {"choices": listed(named)}
