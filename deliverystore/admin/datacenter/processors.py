"""What every processor takes: its fields in words, and templates to fill in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deliverystore.admin.datacenter.family import PageFamily
from deliverystore.datacenter import exports, registry, runs
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import NotPermitted
from deliverystore.views.streaming import protect

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.utils.functional import _StrPromise

    from deliverystore.datacenter.processors import BatchProcessor
    from deliverystore.datacenter.rows.cells import FieldDescription
    from deliverystore.models.access import User
    from deliverystore.views.access import View

MAX_CHOICES = 20

MODES: dict[Mode, _StrPromise] = {
    Mode.CREATE: gettext_lazy("create"),
    Mode.UPDATE: gettext_lazy("update"),
    Mode.REMOVE: gettext_lazy("remove"),
    Mode.UPSERT: gettext_lazy("create or update"),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field in words; uses says for each mode what its column is there."""

    about: FieldDescription
    uses: list[str]

    @property
    def choices(self) -> Sequence[tuple[str, str]]:
        """The first choices."""
        return self.about.choices[:MAX_CHOICES]

    @property
    def more_choices(self) -> int:
        """How many choices are not shown."""
        return max(0, len(self.about.choices) - MAX_CHOICES)


@dataclass(frozen=True, kw_only=True)
class Described:
    """A processor in words, for who may use it; modes with their labels."""

    name: str
    what: str
    modes: list[tuple[Mode, str]]
    fields: list[Field]
    keys: list[str]
    is_exported: bool


class ProcessorPages(PageFamily):
    """The tab Processors, and the templates that it offers."""

    home = "processors"

    def views(self) -> Iterable[tuple[str, View, str]]:
        yield "processors/", self.processors, "processors"
        yield "template/", self.template, "template"

    def processors(self, request: HttpRequest) -> HttpResponseBase:
        """Show what the user may import or export."""
        self.admin.tab_context(request, "processors")
        return self.show(
            request,
            "processors.html",
            _("Processors"),
            tab="processors",
            processors=described_for(request.user),
        )

    def template(self, request: HttpRequest) -> HttpResponseBase:
        """Send a CSV file with the header for a processor and a mode."""
        name, mode = request.GET.get("processor", ""), request.GET.get("mode", "")
        if mode not in runs.processors_for(request.user).get(name, []):
            raise NotPermitted(f"{request.user} may not {mode} with {name!r}.")
        text = registry.get_processor(name).csv_template(Mode(mode))
        response = HttpResponse(text, content_type="text/csv; charset=utf-8")
        # Its name says what it is for: templates of two modes lie side by side.
        protect(response, f"{name}-{mode}.csv")
        return response


def described_for(user: User) -> list[Described]:
    """Return the processors that a user may import or export with."""
    importing, exporting = runs.processors_for(user), set(exports.exporters_for(user))
    names = sorted({*importing, *exporting})
    return [
        _described(
            name,
            registry.get_processor(name),
            importing.get(name, []),
            is_exported=name in exporting,
        )
        for name in names
    ]


def needs(processor: BatchProcessor, mode: Mode) -> str:
    """Return in a few words what the columns of a file have to be in a mode."""
    required = processor.required_in(mode)
    keys = key_names(processor)
    parts = []
    if required:
        parts.append(_("needs %(columns)s") % {"columns": ", ".join(required)})
    if mode is not Mode.CREATE and keys:
        text = _("finds objects by %(keys)s")
        parts.append(text % {"keys": _(" or by ").join(keys)})
    if mode is Mode.REMOVE:
        parts.append(_("reads no other columns"))
    return "; ".join(parts)


def key_names(processor: BatchProcessor) -> list[str]:
    """Return the alternative keys, each with the names of its fields."""
    return [" + ".join(key) for key in processor.keys]


def _described(
    name: str, processor: BatchProcessor, modes: Sequence[Mode], *, is_exported: bool
) -> Described:
    told = list(modes) or list(processor.modes)
    by_mode = [{one.name: one for one in processor.describe(mode)} for mode in told]
    abouts = {field: one for found in by_mode for field, one in found.items()}
    fields = [
        Field(
            about=abouts[field],
            uses=[
                _use(found.get(field), mode)
                for found, mode in zip(by_mode, told, strict=True)
            ],
        )
        for field in processor.fields
        if field in abouts
    ]
    return Described(
        name=name,
        what=processor.what,
        modes=[(mode, str(MODES[mode])) for mode in modes],
        fields=fields,
        keys=key_names(processor),
        is_exported=is_exported,
    )


def _use(about: FieldDescription | None, mode: Mode) -> str:
    if about is None:
        return _("not read")
    is_key = about.is_key and mode is not Mode.CREATE
    if about.required:
        return _("required, key") if is_key else _("required")
    return _("key") if is_key else _("optional")
