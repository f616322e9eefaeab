"""The imports of the data center."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from deliverystore.admin.datacenter import looks, progress
from deliverystore.admin.datacenter.correction_pages import CorrectionPages
from deliverystore.admin.datacenter.figures_page import FigurePages
from deliverystore.admin.datacenter.lists import ProcessorFilter, WorkAdmin
from deliverystore.admin.datacenter.row_pages import RowPages
from deliverystore.admin.datacenter.run_actions import RunActions
from deliverystore.admin.datacenter.run_base import LARGE
from deliverystore.admin.datacenter.run_page import RunPage
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.admin.ids import id_of
from deliverystore.datacenter.runs.visibility import visible_runs
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


@admin.register(ImportRun)
class ImportRunAdmin(WorkAdmin):
    """The list of imports, and a page for each."""

    tabs = ("runs", "figures")
    pages = (RunActions, RowPages, FigurePages, CorrectionPages)
    list_display = (
        "run_number",
        "file_name",
        "state_badge",
        "all_rows",
        "begun",
    )
    list_display_links = ("run_number", "file_name")
    list_filter = ("state", ProcessorFilter, "dry_run")
    lookups = ("state__exact", "dry_run__exact")
    # Only what has an index.
    sortable_by = ("run_number", "begun")
    search_fields = ("file",)
    search_help = _("A part of the name of a file, or the number of an import.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        runs = visible_runs(request.user).select_related("user", "parent")
        return runs.defer(*LARGE, *(f"parent__{name}" for name in LARGE))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        condition = Q(file__icontains=text.replace("\0", ""))
        if (pk := id_of(text)) is not None:
            condition |= Q(pk=pk)
        return queryset.filter(condition), False

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        return RunPage(self).show(request, pk)

    # -- The columns ----------------------------------------------------------------

    @admin.display(description=_("number"), ordering="pk")
    def run_number(self, run: ImportRun) -> str:
        """Return what leads to the page of the import."""
        return str(run.pk)

    @admin.display(description=_("file"))
    def file_name(self, run: ImportRun) -> SafeString:
        """Return the name of the file, and what is done with it."""
        what = [run.processor, run.mode, *([_("dry run")] if run.dry_run else [])]
        return format_html(
            '<bdi>{}</bdi> <span class="quiet">{}</span>',
            *(looks.breakable(shown(run.file, 255)), ", ".join(map(str, what))),
        )

    @admin.display(description=_("state"))
    def state_badge(self, run: ImportRun) -> SafeString:
        """Return the state and, as long as it is not over, how far it is."""
        share = None if run.is_over else progress.share(run)
        return looks.with_progress(looks.counted_badge(run), share, _("rows read"))

    @admin.display(description=_("rows"))
    def all_rows(self, run: ImportRun) -> SafeString:
        """Return how many rows were read, and what became of them."""
        return looks.counted(run)

    @admin.display(description=_("begun"), ordering="added")
    def begun(self, run: ImportRun) -> SafeString:
        """Return when it was begun, and by whom."""
        return looks.begun(run)
