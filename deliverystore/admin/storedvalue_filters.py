"""The filters of the list of values of key-value stores."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from deliverystore.admin.changelist import MAX_LISTED
from deliverystore.kvstore.finding import ids_with, stores
from deliverystore.kvstore.metadata import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest


class StoreFilter(admin.SimpleListFilter):
    """Offers the stores that have values."""

    title = _("store")
    parameter_name = "store"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, str]]:
        return [(name, name) for name in stores()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(store=self.value())


class MetadataFilter(admin.SimpleListFilter):
    """Asks for a name in the metadata, and the value it must have.

    A value is taken for text, and for JSON too if it is JSON: 1 finds 1 and "1".
    """

    title = _("metadata")
    parameter_name = "name"
    template = "admin/deliverystore/storedvalue/metadata_filter.html"

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: admin.ModelAdmin,
    ) -> None:
        super().__init__(request, params, model, model_admin)
        wanted = params.pop("value", [""])
        self.wanted = str(wanted[-1] if isinstance(wanted, list) else wanted)

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name, "value"]

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, str]]:
        # Else Django would not show it.
        return [("", "")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield what the form needs: what is asked for, and the other parameters."""
        others = changelist.get_filters_params()
        yield {
            "name": self.value() or "",
            "value": self.wanted,
            "others": [
                (name, one)
                for name, found in others.items()
                if name not in self.expected_parameters()
                for one in (found if isinstance(found, list) else [found])
            ],
            "query": changelist.query,
            "remove": changelist.get_query_string(remove=["name", "value", "p"]),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not (name := self.value()):
            return queryset
        hits = ids_with(name, _meant(self.wanted))
        return queryset.filter(few_or_all(hits))


def few_or_all(hits: QuerySet) -> Q:
    """Return the condition that a row is one of these ids.

    Looks up the hits at once, up to a bound, since no plan suits both few and many.
    """
    found = list(hits[: MAX_LISTED + 1])
    return Q(pk__in=hits.order_by() if len(found) > MAX_LISTED else found)


def _meant(text: str) -> list[object]:
    """Return what a person may mean by a text."""
    meant = []
    for read in (str, json.loads):
        with suppress(ValueError, RecursionError):
            meant.append(checked({"value": read(text)})["value"])
    return meant
