"""Deliveries in the admin: to be looked at, never to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from deliverystore.admin import actions, display
from deliverystore.admin.changelist import DeliveryChangeList
from deliverystore.admin.check import damage_of, last_check
from deliverystore.admin.filters import (
    CheckFilter,
    RecipientKindFilter,
    StateFilter,
)
from deliverystore.admin.pages import DeliveryPages
from deliverystore.admin.readonly import BoundedAdmin
from deliverystore.models import Delivery, Publication
from deliverystore.models.access import may
from deliverystore.publishing.registry import is_taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet
    from django.urls import URLPattern
    from django.utils.functional import _StrPromise

    from deliverystore.models.queryset import DeliveryQuerySet

FILES_PER_PAGE = 100


@admin.register(Delivery)
class DeliveryAdmin(BoundedAdmin):
    list_display = (
        "number_or_open",
        "to",
        "delivered_by",
        "state_badge",
        "file_count",
        "human_size",
        "time_of_delivery",
    )
    list_display_links = ("number_or_open", "to")
    list_filter = (
        StateFilter,
        RecipientKindFilter,
        CheckFilter,
        ("time_of_delivery", admin.DateFieldListFilter),
    )
    date_hierarchy = "time_of_delivery"
    lookups = (
        *(
            f"time_of_delivery__{name}"
            for name in ("gte", "lt", "isnull", "year", "month", "day")
        ),
        # In links from other pages of a site, to what one recipient or user has.
        *("recipient_type", "recipient_id", "delivered_by", "number", "state"),
        *("recipient_type__exact", "recipient_id__exact", "delivered_by__exact"),
        *("recipient_type__id__exact", "delivered_by__id__exact", "state__exact"),
    )
    # Only what has an index.
    sortable_by = ("time_of_delivery",)
    search_fields = ("pk",)
    search_help = _(
        "The beginning of a user name or a filename, a whole digest, or an id."
    )
    actions = (actions.verify, actions.download_zip, actions.abandon)

    # -- Who may ------------------------------------------------------------------

    def has_view_permission(
        self, request: HttpRequest, obj: Delivery | None = None
    ) -> bool:
        return may(request.user, "view", obj)

    def has_download_permission(self, request: HttpRequest) -> bool:
        """Tell whether the action download_zip is offered."""
        return may(request.user, "download")

    def has_verify_permission(self, request: HttpRequest) -> bool:
        """Tell whether the action verify is offered."""
        return may(request.user, "verify")

    def has_abandon_permission(self, request: HttpRequest) -> bool:
        """Tell whether the action abandon is offered."""
        return may(request.user, "abandon")

    # -- The list -----------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> DeliveryQuerySet:
        deliveries = Delivery.objects.visible_to(request.user)
        return deliveries.select_related("delivered_by", "recipient_type")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Newest first, by the index that also finds what is chosen.
        by_time = any(name.startswith("time_of_delivery__") for name in request.GET)
        return ("-time_of_delivery", "-pk") if by_time else ("-pk",)

    def changelist_view(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "last_check": last_check(request)}
        return super().changelist_view(request, context)

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[DeliveryChangeList]:
        return DeliveryChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        deliveries = cast("DeliveryQuerySet", queryset)
        found = deliveries.search(search_term) if search_term.strip() else deliveries
        return found, False

    @admin.display(description=_("number"))
    def number_or_open(self, delivery: Delivery) -> str | _StrPromise:
        """Return what leads to the page of the delivery."""
        return _("open") if delivery.number is None else str(delivery.number)

    @admin.display(description=_("recipient"))
    def to(self, delivery: Delivery) -> str | None:
        """Return the recipient."""
        return display.recipient_text(delivery) or None

    @admin.display(description=_("state"))
    def state_badge(self, delivery: Delivery) -> str:
        """Return the state."""
        return display.state_badge(delivery)

    @admin.display(description=_("size"))
    def human_size(self, delivery: Delivery) -> str:
        """Return the size."""
        return filesizeformat(delivery.size)

    # -- One delivery -------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        return [*DeliveryPages(self).urls(), *super().get_urls()]

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: int
    ) -> HttpResponse:
        # Django goes to the index, since nobody may change deliveries.
        super().response_delete(request, obj_display, obj_id)
        name = f"{self.admin_site.name}:deliverystore_delivery_changelist"
        return HttpResponseRedirect(reverse(name))

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        # It goes with its file, and nobody may delete it alone.
        name = Publication._meta.verbose_name
        return found, counts, {one for one in lacking if one != name}, protected

    def context_of(self, request: HttpRequest, obj: Delivery) -> dict[str, Any]:
        files = Paginator(obj.files.select_related("publication"), FILES_PER_PAGE)
        permitted = {
            action: obj.permits(request.user, action)
            for action in ("download", "verify", "abandon")
        }
        page = files.get_page(request.GET.get("page"))
        can_publish = obj.number and may(request.user, "publish", obj)
        return {
            "in_words": display.in_words(obj),
            "facts": display.facts(request, self.admin_site, obj),
            "damage": damage_of(request, obj),
            "files": page,
            "publishable": [file.pk for file in page if can_publish and is_taken(file)],
            "may": {
                **permitted,
                "see_publications": may(request.user, "publish"),
            },
        }
