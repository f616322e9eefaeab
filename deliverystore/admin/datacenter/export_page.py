"""The page of one export: how far it is, and its file for its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import looks
from deliverystore.admin.datacenter.export_forms import EMPTY, ONLY
from deliverystore.admin.datacenter.family import attempted
from deliverystore.admin.datacenter.progress import export_progress, is_left_alone
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.admin.display import time_text, waiting_words
from deliverystore.datacenter import exports
from deliverystore.datacenter.exports import tasks
from deliverystore.datacenter.exports.visibility import visible_exports
from deliverystore.datacenter.files import in_words as size_in_words
from deliverystore.exceptions import DeliveryStoreError, NotPermitted
from deliverystore.models import Export
from deliverystore.views.streaming import FileChunks, protect, stream

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, HttpResponseBase
    from django.urls import URLPattern

    from deliverystore.admin.datacenter.base import DataCenterPages
    from deliverystore.views.access import View

_TYPES = {
    Export.Format.CSV: "text/csv; charset=utf-8",
    Export.Format.XLSX: (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ),
}
_ERROR = 1000


class ExportPages:
    """The views of one export, below the URL of the list."""

    def __init__(self, page: DataCenterPages) -> None:
        self.page = page

    def urls(self) -> list[URLPattern]:
        """Return the URLs; they go before Django's, which take every path."""
        views: list[tuple[str, View]] = [
            ("progress", self.progress),
            ("download", self.download),
            ("repeat", self.repeat),
            ("remove", self.remove),
        ]
        return [self.page.path(f"<int:pk>/{name}/", view, name) for name, view in views]

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the page. Raise DoesNotExist if the user sees no such export."""
        export = self._export(request, pk)
        title = _("Export %(id)s: %(processor)s") % {
            "id": pk,
            "processor": export.processor,
        }
        is_expired = export.expires <= timezone.now()
        is_mine = export.user_id is not None and export.user_id == request.user.pk
        context = {
            **self.page.page_context(request, "exports", title),
            "export": export,
            "badge": looks.export_badge(export, is_expired=is_expired),
            "words": _in_words(export, is_expired=is_expired, is_mine=is_mine),
            "live": export_progress(export),
            "is_mine": is_mine,
            "may_download": is_mine
            and export.state == Export.State.FINISHED
            and not is_expired,
            "may_repeat": is_mine and is_left_alone(export),
            "again_url": self._again(export)
            if export.processor in exports.exporters_for(request.user)
            else "",
            "facts": _facts(export),
        }
        template = "admin/deliverystore/export/export.html"
        return TemplateResponse(request, template, context)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tell how far an export is, as JSON."""
        return JsonResponse(export_progress(self._export(request, pk)))

    def download(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Send the file to who has begun the export."""
        export = self._export(request, pk)
        try:
            file = exports.open_export(export, request.user)
            chunks = FileChunks(file, export.size)
        except NotPermitted:
            raise
        except DeliveryStoreError as error:
            messages.error(request, str(error))
            return self._back_to(pk)
        response = stream(request, chunks, _TYPES[Export.Format(export.format)])
        protect(response, export.filename)
        response.headers["Content-Length"] = str(export.size)
        return response

    def repeat(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand an export that broke off to a worker again."""
        export = self._export(request, pk)
        if request.method == "POST" and attempted(
            request, lambda: exports.repeat(export, request.user)
        ):
            messages.success(request, _("The export begins again."))
        return self._back_to(pk)

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete an export with its file."""
        export = self._export(request, pk)
        if request.method != "POST":
            return self._back_to(pk)
        if not attempted(request, lambda: exports.delete_export(export, request.user)):
            return self._back_to(pk)
        text = _("Export %(id)s was deleted, with its file.") % {"id": pk}
        messages.success(request, text)
        return HttpResponseRedirect(self.page.url("changelist"))

    def _export(self, request: HttpRequest, pk: int) -> Export:
        if not self.page.has_view_permission(request):
            raise NotPermitted(f"{request.user} may not see exports.")
        return visible_exports(request.user).select_related("user").get(pk=pk)

    def _again(self, export: Export) -> str:
        """Return where an export like this one begins."""
        asked = {"processor": export.processor, "format": export.format}
        if export.for_spreadsheet:
            asked["for_spreadsheet"] = "on"
        for name, text in export.filters.items():
            asked[f"{ONLY if text else EMPTY}{name}"] = text or "on"
        return f"{self.page.url('new')}?{urlencode(asked)}"

    def _back_to(self, pk: int) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.page.url("change", pk))


def _in_words(export: Export, *, is_expired: bool, is_mine: bool) -> list[str]:
    if export.state == Export.State.WAITING:
        return waiting_words(tasks.run_export, "export_csv --resume")
    told = {
        Export.State.RUNNING: _(
            "It is under way. You can leave this page: it goes on without you."
        ),
        Export.State.BROKEN: _("It broke off, and can be repeated: %(error)s"),
        Export.State.FAILED: _("It could not run: %(error)s"),
        Export.State.FINISHED: _("The file is ready: %(rows)s, %(size)s."),
    }[Export.State(export.state)]
    words = [
        told
        % {
            "error": shown(export.error or "?", _ERROR),
            "rows": looks.rows(export.rows),
            "size": size_in_words(export.size),
        }
    ]
    if export.state != Export.State.FINISHED:
        return words
    if is_expired:
        return [
            _("Its file was kept until %(time)s; export it again.")
            % {"time": _until(export)}
        ]
    words.append(
        _("It is kept until %(time)s, and deleted then.") % {"time": _until(export)}
    )
    if not is_mine:
        words.append(_("Only who has begun the export can download it."))
    return words


def _facts(export: Export) -> list[tuple[str, str]]:
    filters = ", ".join(
        f"{name} = {shown(text)}" if text else _("no %(name)s") % {"name": name}
        for name, text in export.filters.items()
    )
    pairs = [
        (_("processor"), export.processor),
        (_("only"), filters or _("all objects")),
        (_("format"), looks.export_kind(export)),
        (_("filename"), shown(export.filename, 255)),
        (_("begun by"), export.user or _("the site")),
        (_("added"), time_text(export.added)),
        (_("started"), export.started and time_text(export.started)),
        (_("ended"), export.ended and time_text(export.ended)),
        (_("took"), looks.took(export)),
        (_("expires"), _until(export)),
    ]
    return [(label, str(value)) for label, value in pairs if value]


def _until(export: Export) -> str:
    return time_text(export.expires)
