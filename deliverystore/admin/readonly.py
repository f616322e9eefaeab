"""Pages on which nothing is added or changed, for any number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.text import capfirst

from deliverystore.admin.changelist import (
    MAX_LISTED,
    PER_PAGE,
    BoundedChangeList,
    BoundedPaginator,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse


class ReadOnlyAdmin(admin.ModelAdmin):
    """What all our pages have in common."""

    list_per_page = PER_PAGE
    show_full_result_count = False
    # What an address may ask of columns; Django lets it ask anything of our own ones,
    # also with expressions that take minutes.
    lookups: tuple[str, ...] = ()

    class Media:
        css = {"all": ("deliverystore/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        named = (getattr(one, "parameter_name", None) for one in self.list_filter)
        return lookup in self.lookups or lookup in named

    def changelist_view(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(
            request, {"title": title, **(extra_context or {})}
        )

    def context_of(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what the page of one object shows beside its fields."""
        return {}

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 - Django's
        change: bool = False,  # noqa: FBT001, FBT002 - Django's
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= self.context_of(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False


class BoundedAdmin(ReadOnlyAdmin):
    """A list of which only the first rows are counted, and can be paged through.

    Its template extends admin/deliverystore/bounded_list.html.
    """

    list_max_show_all = PER_PAGE
    paginator = BoundedPaginator
    show_facets = admin.ShowFacets.NEVER
    # Shown below the field, whose only label it would be as Django's search_help_text.
    search_help: Any = ""

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[BoundedChangeList]:
        return BoundedChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        context = {"search_help": self.search_help, **(extra_context or {})}
        return super().changelist_view(request, context)

    def response_action(
        self,
        request: HttpRequest,
        queryset: QuerySet,
        *args: Any,
        **kwargs: Any,
    ) -> HttpResponse | None:
        if request.POST.get("select_across") == "1":
            # "All" are those that the list counts.
            listed = list(queryset.values_list("pk", flat=True)[:MAX_LISTED])
            queryset = queryset.filter(pk__in=listed)
        return super().response_action(request, queryset, *args, **kwargs)
