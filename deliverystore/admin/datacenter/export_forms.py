"""The form of an export: which objects, and what kind of file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.suggestions import values_for
from deliverystore.datacenter.exports import ModelExporter
from deliverystore.exceptions import ExportRefused
from deliverystore.models import Export
from deliverystore.models.access import User

# How the names of the inputs of a filter begin.
ONLY, EMPTY = "only-", "empty-"
# A form with many more is refused by Django (DATA_UPLOAD_MAX_NUMBER_FIELDS).
_MAX_FILTERS = 200


class ExportForm(forms.Form):
    """Asks for filters, by fields of the processor, and for the kind of file."""

    def __init__(
        self,
        processor: str,
        user: User,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self._processor = processor
        exporter = ModelExporter.named(processor)
        self._cells = exporter.processor.get_cells()
        self._filters = list(exporter.header)[:_MAX_FILTERS]
        self.fields["format"] = forms.ChoiceField(
            label=_("Format"),
            choices=Export.Format.choices,
            initial=Export.Format.CSV,
            widget=forms.RadioSelect,
        )
        self.fields["for_spreadsheet"] = forms.BooleanField(
            label=_("To be opened in a spreadsheet"),
            required=False,
            help_text=_(
                "For CSV: an apostrophe keeps cells that begin like a formula from "
                "being calculated, and the program recognises the characters. An "
                "import takes the apostrophe away again."
            ),
        )
        self._values = {
            name: values_for(self._cells[name], user) for name in self._filters
        }
        for name in self._filters:
            self._add_filter(name)

    @property
    def filters(self) -> list[dict[str, Any]]:
        """What a page shows of each filter: two fields, and what can be chosen."""
        return [
            {
                "name": name,
                "only": self[f"{ONLY}{name}"],
                "empty": self[f"{EMPTY}{name}"],
                "choices": self._values[name],
                "list": f"choices-{name}",
                "type": self._cells[name].type,
            }
            for name in self._filters
        ]

    @property
    def has_filters(self) -> bool:
        """Whether any filter says something, so that they should be seen."""
        if self.is_bound:
            return bool(self.errors) or bool(self.asked()["filters"])
        return any(name.startswith((ONLY, EMPTY)) for name in self.initial)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name, text in self._asked_filters(data).items():
            try:
                ModelExporter.named(self._processor, filters={name: text})
            except ExportRefused as error:
                self.add_error(f"{ONLY}{name}", _reason(error))
        return data

    def asked(self) -> dict[str, Any]:
        """Return what the form says, as start_export takes it."""
        data = self.cleaned_data
        return {
            "filters": self._asked_filters(data),
            "file_format": data["format"],
            "for_spreadsheet": data["for_spreadsheet"],
        }

    def _add_filter(self, name: str) -> None:
        cell = self._cells[name]
        widget = forms.TextInput(attrs={"autocomplete": "off"})
        if self._values[name]:
            widget.attrs["list"] = f"choices-{name}"
        self.fields[f"{ONLY}{name}"] = forms.CharField(
            label=cell.label, required=False, widget=widget
        )
        self.fields[f"{EMPTY}{name}"] = forms.BooleanField(
            label=_("only those without"), required=False
        )

    def _asked_filters(self, data: Mapping[str, Any]) -> dict[str, str]:
        found = {}
        for name in self._filters:
            if text := data.get(f"{ONLY}{name}"):
                found[name] = text
            elif data.get(f"{EMPTY}{name}"):
                found[name] = ""
        return found


def _reason(error: ExportRefused) -> str:
    """Return why a value is refused, without the name, which stands beside it."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return " ".join(cause.messages)
    return str(error)
