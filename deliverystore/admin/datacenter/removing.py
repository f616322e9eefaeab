"""Imports that remove objects begin after a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import looks
from deliverystore.admin.datacenter.layouts import layout_of, said
from deliverystore.admin.datacenter.preview import PreviewPages
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs.of_files import last_tried
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from deliverystore.admin.datacenter.import_form import ImportForm
    from deliverystore.datacenter.previewing import Preview

# What a form says beside how the import is to be done.
_ANSWERS = {"csrfmiddlewaretoken", "confirmed", "dry_run"}


class AskingPreviewPages(PreviewPages):
    """The way into an import; where objects are to be removed, it asks first."""

    def _started(self, request: HttpRequest, form: ImportForm) -> ImportRun | None:
        return (
            None if _is_to_be_asked(request, form) else super()._started(request, form)
        )

    def _page(
        self, request: HttpRequest, found: Preview, form: ImportForm
    ) -> HttpResponseBase:
        is_refused = form.errors or form.has_column_errors
        if request.method != "POST" or is_refused or not _is_to_be_asked(request, form):
            return super()._page(request, found, form)
        tried = _tried(form, found)
        count = _count(found)
        values = request.POST.items()
        return self.show(
            request,
            "remove.html",
            _("Remove objects?"),
            tab="pending",
            form=form,
            rows="" if count is None else looks.rows(count),
            values=[(name, value) for name, value in values if name not in _ANSWERS],
            tried=tried,
            tried_url=self._links(request).url(tried),
            removed="" if tried is None else looks.number(tried.removed),
            here=self.url("preview", [("file", form.file)]),
            back=self.url(
                "preview",
                {
                    "file": form.file,
                    "use": form.use,
                    **said(layout_of(request.POST)),
                }.items(),
            ),
        )


def _is_to_be_asked(request: HttpRequest, form: ImportForm) -> bool:
    is_real = "dry_run" not in request.POST
    return form.mode is Mode.REMOVE and is_real and "confirmed" not in request.POST


def _tried(form: ImportForm, found: Preview) -> ImportRun | None:
    """Return the dry run of just this, if it was the last that was done."""
    tried = last_tried(form.file)
    asked = (ImportRun.State.TRIED, form.name, Mode.REMOVE, found.file.size)
    if tried is None or asked != (tried.state, tried.processor, tried.mode, tried.size):
        return None
    return tried


def _count(found: Preview) -> int | None:
    """Return how many rows there are, if that is known."""
    if found.is_whole:
        return found.report.records - found.report.blank
    return found.file.records
