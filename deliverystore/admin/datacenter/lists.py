"""Lists of what the data center has done, for any number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db import DataError
from django.utils.translation import gettext_lazy as _

from deliverystore.admin.changelist import PER_PAGE, BoundedPaginator
from deliverystore.admin.datacenter.base import DataCenterPages
from deliverystore.datacenter import exports, registry, runs

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from deliverystore.models.access import User


class BoundedChangeList(ChangeList):
    """Counts no further than it lists."""

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except (OverflowError, DataError) as error:
            # A number in the URL that no column can hold.
            raise IncorrectLookupParameters(error) from error
        if self.paginator.is_cut or not (self.query or self.has_active_filters):
            # Hides a number of results that says nothing, or too little.
            self.full_result_count = self.result_count


class WorkAdmin(DataCenterPages):
    """A list of runs or exports, the newest first, and what leads to one of them."""

    change_list_template = "admin/deliverystore/datacenter/work_list.html"
    ordering = ("-pk",)
    list_max_show_all = PER_PAGE
    paginator = BoundedPaginator
    show_facets = admin.ShowFacets.NEVER
    actions = None
    # What the list is called, as a title.
    list_title: Any = ""
    # Shown below the field, whose only label it would be as Django's search_help_text.
    search_help: Any = ""

    class Media:
        css = {"all": ("deliverystore/datacenter-runs.css",)}

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[BoundedChangeList]:
        return BoundedChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {"title": self.list_title, "search_help": self.search_help}
        return super().changelist_view(request, {**context, **(extra_context or {})})


class ProcessorFilter(admin.SimpleListFilter):
    """Offers the processors that a user may use; the table is not asked."""

    title = _("processor")
    parameter_name = "processor"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, str]]:
        return [(name, name) for name in usable(request.user)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name = self.value()
        return queryset.filter(processor=name) if name else queryset


def usable(user: User) -> list[str]:
    """Return the processors with which a user may do something."""
    mine = {*runs.processors_for(user), *exports.exporters_for(user)}
    return [name for name in registry.get_processors() if name in mine]
