"""How the text of a cell becomes a value, and a value becomes text again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db.models import Field
from django.forms import BooleanField
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.forms import Field as FormField


_BOOLEANS = {
    **dict.fromkeys(("1", "t", "true", "y", "yes", "on"), True),
    **dict.fromkeys(("0", "f", "false", "n", "no", "off"), False),
}


class Mark(Enum):
    """What stands in a row of values where a cell has none."""

    OMIT = "leave the field alone"
    EMPTY = "decide when it is known whether the row creates or updates"


@dataclass(frozen=True, kw_only=True)
class FieldDescription:
    """What people need to know to fill a column."""

    name: str
    label: str
    type: str
    help_text: str = ""
    required: bool = False
    is_key: bool = False
    choices: tuple[tuple[str, str], ...] = ()


class Cell(ABC):
    """One field of a processor, as far as cells are concerned."""

    name: str
    label: str
    type: str
    help_text: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False

    @abstractmethod
    def compile(self) -> Callable[[str], object]:
        """Return what converts a cell; it raises ValidationError."""

    @abstractmethod
    def default(self) -> object:
        """Return the value of an empty cell in a row that creates.

        Mark.OMIT leaves it to the object. Raise ValidationError if there must be one.
        """

    @abstractmethod
    def cleared(self) -> object:
        """Return the value of no value. Raise ValidationError if there must be one."""

    def text(self, value: object) -> str:
        """Return a value as the text that would become this value again."""
        return "" if value is None else str(value)


class FormCell(Cell):
    """A cell that a form field converts."""

    def __init__(self, name: str, field: FormField) -> None:
        self.name = name
        self.label = str(field.label or name.replace("_", " ").capitalize())
        self.type = type(field).__name__.removesuffix("Field")
        self.help_text = str(field.help_text or "")
        self.required = field.required
        self.choices = tuple(
            (str(value), str(label))
            for value, label in getattr(field, "choices", ())
            if value != ""
        )
        self._field = field

    def compile(self) -> Callable[[str], object]:
        if isinstance(self._field, BooleanField):
            return self._boolean
        return self._field.clean

    def default(self) -> object:
        initial = self._field.initial
        if initial is None:
            return self.cleared()
        return initial() if callable(initial) else initial

    def cleared(self) -> object:
        return self._field.clean("")

    def text(self, value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return super().text(value)

    def _boolean(self, text: str) -> object:
        # In a form anything that is not "False" is true.
        return self._field.clean(boolean(text))


def boolean(text: str) -> bool:
    """Return what a text says. Raise ValidationError if that is neither yes nor no."""
    value = _BOOLEANS.get(text.casefold())
    if value is None:
        message = _("“%(value)s” is neither yes nor no.")
        raise ValidationError(message, code="invalid", params={"value": text})
    return value


def required_error() -> ValidationError:
    """Return the error of a cell that must not be empty, in Django's words."""
    return ValidationError(Field.default_error_messages["blank"], code="blank")
