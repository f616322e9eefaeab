"""The way into an import: a look at the file, what its columns are, and the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from deliverystore.admin.datacenter.family import MAX_SHOWN, PageFamily, named
from deliverystore.admin.datacenter.import_form import ImportForm
from deliverystore.admin.datacenter.layouts import layout_of
from deliverystore.admin.datacenter.links import RunLinks
from deliverystore.admin.datacenter.sample import Sample
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter import DataCenter, permissions, previewing, start_run
from deliverystore.exceptions import (
    ColumnsRefused,
    DeliveryStoreError,
    NotPermitted,
)
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deliverystore.datacenter.previewing import Preview
    from deliverystore.views.access import View


class PreviewPages(PageFamily):
    """The page of a file that waits."""

    def views(self) -> Iterable[tuple[str, View, str]]:
        yield "preview/", self.preview, "preview"

    def preview(self, request: HttpRequest) -> HttpResponseBase:
        """Show a file and what it could become; begin the import of it."""
        path = named(request.GET.get("file", ""))
        if request.method == "POST":
            permissions.ask(request.user, "import files", permissions.IMPORT)
        is_posted = request.method == "POST"
        data = request.POST if is_posted else request.GET
        layout = layout_of(data)
        found = previewing.preview(DataCenter(), path, layout, request.user)
        form = ImportForm(data, found, request.user, is_posted=is_posted)
        if is_posted and form.can_start():
            run = self._started(request, form)
            if run is not None:
                name = f"{self.admin.admin_site.name}:deliverystore_importrun_change"
                return HttpResponseRedirect(reverse(name, args=[run.pk]))
        return self._page(request, found, form)

    def _started(self, request: HttpRequest, form: ImportForm) -> ImportRun | None:
        """Begin the import; return None, with the reason in the form, if it cannot."""
        try:
            return start_run(user=request.user, **form.arguments())
        except NotPermitted:
            raise
        except ColumnsRefused as error:
            form.refuse_columns(error)
        except DeliveryStoreError as error:
            form.refuse(shown(str(error), MAX_SHOWN))
        return None

    def _page(
        self, request: HttpRequest, found: Preview, form: ImportForm
    ) -> HttpResponseBase:
        links = RunLinks(request, self.admin.admin_site.name)
        return self.show(
            request,
            "preview.html",
            found.file.name,
            tab="pending",
            found=found,
            sample=Sample(found.report),
            form=form,
            held=form.held,
            held_url=links.url(form.held),
            parent_url=links.url(form.parent),
            may_import=request.user.has_perm(permissions.IMPORT),
            status=422 if form.errors or form.has_column_errors else 200,
        )
