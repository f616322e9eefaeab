"""The way into an import: a look at the file, what its columns are, and the start."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import removing
from deliverystore.admin.datacenter.family import MAX_SHOWN, PageFamily, named
from deliverystore.admin.datacenter.import_form import ImportForm
from deliverystore.admin.datacenter.layouts import PARTS, layout_of
from deliverystore.admin.datacenter.links import RunLinks
from deliverystore.admin.datacenter.sample import Sample
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter import (
    DataCenter,
    Layout,
    permissions,
    previewing,
    start_run,
)
from deliverystore.datacenter.runs.of_files import last_tried
from deliverystore.exceptions import (
    ColumnsRefused,
    DeliveryStoreError,
    FileNotFound,
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
        layout, tried = layout_of(data), last_tried(path)
        if tried is not None and not is_posted and PARTS.isdisjoint(data):
            # Tried as another kind of file, it would be another file.
            layout = Layout(**tried.layout)
        try:
            found = previewing.preview(DataCenter(), path, layout, request.user)
            form = ImportForm(
                data, found, request.user, is_posted=is_posted, tried=tried
            )
            # Whoever goes back from a question finds what was said before.
            if is_posted and "look" not in data and form.can_start():
                if removing.is_to_be_asked(data, form):
                    return self._question(request, found, form)
                run = self._started(request, form)
                if run is not None:
                    return HttpResponseRedirect(self._links(request).url(run))
        except FileNotFound:
            return self._gone(request, path)
        return self._page(request, found, form)

    def _gone(self, request: HttpRequest, path: str) -> HttpResponseBase:
        """Lead to the last import of a file that does not wait any more."""
        run = ImportRun.objects.filter(file=path).order_by("-pk").first()
        address = self._links(request).url(run)
        if not address:
            raise FileNotFound(f"There is no {path!r}.")
        text = _("“%(name)s” does not wait any more: this was its last import.")
        messages.warning(request, text % {"name": shown(path, MAX_SHOWN)})
        return HttpResponseRedirect(address)

    def _links(self, request: HttpRequest) -> RunLinks:
        return RunLinks(request, self.admin.admin_site.name)

    def _started(self, request: HttpRequest, form: ImportForm) -> ImportRun | None:
        """Begin the import; return None, with the reason in the form, if it cannot."""
        try:
            return start_run(user=request.user, **form.arguments())
        except (FileNotFound, NotPermitted):
            raise
        except ColumnsRefused as error:
            form.refuse_columns(error)
        except DeliveryStoreError as error:
            form.refuse(shown(str(error), MAX_SHOWN))
        return None

    def _question(
        self, request: HttpRequest, found: Preview, form: ImportForm
    ) -> HttpResponseBase:
        links = self._links(request)
        return self.show(
            request,
            "remove.html",
            _("Remove objects?"),
            tab="pending",
            **removing.question(request.POST, form, found, links=links, url=self.url),
        )

    def _page(
        self, request: HttpRequest, found: Preview, form: ImportForm
    ) -> HttpResponseBase:
        links = self._links(request)

        def with_header_in(line: int) -> str:
            asked = {"file": form.file, **form.layout.read_from(line)}
            return f"?{urlencode(asked)}"

        address = None if form.parent else with_header_in
        return self.show(
            request,
            "preview.html",
            found.file.name,
            tab="pending",
            found=found,
            sample=Sample(form.report, address),
            form=form,
            held=form.held,
            held_url=links.url(form.held),
            parent_url=links.url(form.parent),
            may_import=request.user.has_perm(permissions.IMPORT),
            status=422 if form.errors or form.has_column_errors else 200,
        )
