"""Lists of what the data center has done, for any number of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from deliverystore.admin.datacenter.base import DataCenterPages
from deliverystore.admin.ids import id_of
from deliverystore.admin.readonly import BoundedAdmin
from deliverystore.datacenter import exports, registry, runs

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from deliverystore.models.access import User


class Pages(Protocol):
    """Views that belong to an admin."""

    def urls(self) -> list[URLPattern]:
        """Return the URLs of the views."""


class WorkAdmin(BoundedAdmin, DataCenterPages):
    """A list of runs or exports, the newest first, and what leads to one of them."""

    change_list_template = "admin/deliverystore/datacenter/work_list.html"
    ordering = ("-pk",)
    actions = None
    # The views beyond those that Django has.
    pages: tuple[Callable[[DataCenterPages], Pages], ...] = ()

    class Media:
        css = {"all": ("deliverystore/datacenter-runs.css",)}

    def get_urls(self) -> list[URLPattern]:
        # They go before Django's, which take every path.
        own = [url for pages in self.pages for url in pages(self).urls()]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if (pk := id_of(object_id)) is None:
            raise Http404(object_id)
        try:
            return self.show(request, pk)
        except ObjectDoesNotExist as error:
            raise Http404(str(error)) from error

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the page of one. Raise DoesNotExist if the user sees no such one."""
        raise NotImplementedError


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
