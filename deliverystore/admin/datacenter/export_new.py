"""Beginning an export: what, which of it, and as what kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.export_forms import ExportForm
from deliverystore.datacenter import exports, registry
from deliverystore.exceptions import DeliveryStoreError, NotPermitted

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from deliverystore.admin.datacenter.base import DataCenterPages

_TEMPLATE = "admin/deliverystore/export/new.html"


class NewExport:
    """The page on which an export is begun; it works without a script."""

    def __init__(self, page: DataCenterPages) -> None:
        self.page = page

    def urls(self) -> list[URLPattern]:
        """Return the URL; it goes before Django's, which take every path."""
        return [self.page.path("new/", self.new, "new")]

    def new(self, request: HttpRequest) -> HttpResponse:
        """Let an exporter be chosen, then the rest; begin."""
        names = exports.exporters_for(request.user)
        if not names:
            raise NotPermitted(f"{request.user} may not export anything.")
        data = request.POST if request.method == "POST" else request.GET
        # With one, there is nothing to choose.
        name = data.get("processor") or (names[0] if len(names) == 1 else "")
        if name and name not in names:
            raise NotPermitted(f"{request.user} may not export {name!r}.")
        form = self._form(request, name) if name else None
        if form is not None and request.method == "POST" and form.is_valid():
            try:
                export = exports.start_export(name, request.user, **form.asked())
            except NotPermitted:
                raise
            except DeliveryStoreError as error:
                form.add_error(None, str(error))
            else:
                text = _("The export was begun: a worker writes the file.")
                messages.success(request, text)
                return HttpResponseRedirect(self.page.url("change", export.pk))
        context = {
            **self.page.page_context(request, "exports", _("New export")),
            "form": form,
            "name": name,
            "exporters": _described(names),
        }
        return TemplateResponse(request, _TEMPLATE, context)

    def _form(self, request: HttpRequest, name: str) -> ExportForm:
        if request.method == "POST":
            return ExportForm(name, request.user, request.POST)
        return ExportForm(name, request.user, initial=request.GET.dict())


def _described(names: list[str]) -> list[tuple[str, str]]:
    """Return exporters with what their objects are called."""
    found = registry.get_processors()
    return [(name, _what(found[name])) for name in names]


def _what(processor: type) -> str:
    model = getattr(processor, "model", None)
    return str(model._meta.verbose_name_plural) if model is not None else ""
