"""The exports of the data center."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deliverystore.admin.datacenter import looks, progress
from deliverystore.admin.datacenter.export_new import NewExport
from deliverystore.admin.datacenter.export_page import ExportPages
from deliverystore.admin.datacenter.lists import ProcessorFilter, WorkAdmin
from deliverystore.datacenter import exports
from deliverystore.datacenter.exports.visibility import visible_exports
from deliverystore.models import Export

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


@admin.register(Export)
class ExportAdmin(WorkAdmin):
    """The list of exports, and a page for each."""

    tabs = ("exports",)
    pages = (NewExport, ExportPages)
    list_display = (
        "export_number",
        "processor",
        "kind",
        "state_badge",
        "all_rows",
        "begun",
        "until",
    )
    list_display_links = ("export_number", "processor")
    list_filter = ("state", ProcessorFilter)
    lookups = ("state__exact",)
    # Only what has an index.
    sortable_by = ("export_number", "begun", "until")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        return visible_exports(request.user).select_related("user")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        # Only who may export something can begin.
        may_begin = bool(exports.exporters_for(request.user))
        context = {"new_url": self.url("new") if may_begin else ""}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        return ExportPages(self).show(request, pk)

    # -- The columns ----------------------------------------------------------------

    @admin.display(description=_("number"), ordering="pk")
    def export_number(self, export: Export) -> str:
        """Return what leads to the page of the export."""
        return str(export.pk)

    @admin.display(description=_("format"))
    def kind(self, export: Export) -> str:
        """Return what kind of file it becomes."""
        return looks.export_kind(export)

    @admin.display(description=_("state"))
    def state_badge(self, export: Export) -> SafeString:
        """Return the state and, as long as it is not over, how far it is."""
        expired = export.expires <= timezone.now()
        badge = looks.export_badge(export, is_expired=expired)
        share = None if export.is_over else progress.share(export)
        return looks.with_progress(badge, share, _("rows written"))

    @admin.display(description=_("rows"))
    def all_rows(self, export: Export) -> str:
        """Return how many rows were written."""
        return looks.number(export.rows)

    @admin.display(description=_("begun"), ordering="added")
    def begun(self, export: Export) -> SafeString:
        """Return when it was begun, and by whom."""
        return looks.begun(export)

    @admin.display(description=_("expires"), ordering="expires")
    def until(self, export: Export) -> str:
        """Return how long its file is kept."""
        return looks.moment(export.expires)
