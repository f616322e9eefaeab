"""The values of key-value stores in the admin: found, looked at, downloaded."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseServerError,
)
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from deliverystore.admin.changelist import MAX_LISTED
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.admin.display import time_text
from deliverystore.admin.readonly import BoundedAdmin
from deliverystore.admin.storedvalue_filters import (
    MetadataFilter,
    StoreFilter,
    few_or_all,
)
from deliverystore.exceptions import FileNotFound, KeyNotFound
from deliverystore.kvstore import DatabaseStore
from deliverystore.kvstore.finding import beginning_with
from deliverystore.models import StoredValue
from deliverystore.views.streaming import FileChunks, protect, stream

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

_KEY = 100
# Of a value in the metadata so much is shown: in the list, on its own page.
_IN_LIST, _ON_PAGE = 120, 5000


@admin.register(StoredValue)
class StoredValueAdmin(BoundedAdmin):
    list_display = ("short_key", "store", "metadata_text", "human_size", "modified")
    list_filter = (StoreFilter, MetadataFilter)
    # The second input of the filter of metadata.
    lookups = ("value",)
    ordering = ("-pk",)
    sortable_by = ()
    search_fields = ("key_start",)
    search_help = _("The beginning of a key; upper and lower case differ.")

    def has_delete_permission(
        self, request: HttpRequest, obj: StoredValue | None = None
    ) -> bool:
        return False

    # -- The list -----------------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        if not search_term:
            return queryset, False
        hits = beginning_with(search_term).values_list("pk", flat=True)
        return queryset.filter(few_or_all(hits)), False

    @admin.display(description=_("key"))
    def short_key(self, value: StoredValue) -> str:
        """Return what leads to the page of the value."""
        return shown(value.plain_key, _KEY) or "“”"

    @admin.display(description=_("metadata"))
    def metadata_text(self, value: StoredValue) -> str:
        """Return the beginning of the metadata."""
        # Databases give them back in orders of their own.
        found = sorted(value.metadata.items())
        pairs = (f"{name}: {_text(one)}" for name, one in found)
        return shown(", ".join(pairs), _IN_LIST) or "-"

    @admin.display(description=_("size"))
    def human_size(self, value: StoredValue) -> str:
        """Return the size of the data."""
        return filesizeformat(value.size)

    # -- One value ----------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        download = self.admin_site.admin_view(require_safe(self.download))
        name = "deliverystore_storedvalue_download"
        return [path("<int:pk>/download/", download, name=name), *super().get_urls()]

    def has_download_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may have the data."""
        return request.user.has_perm("deliverystore.download_storedvalue")

    def download(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Send the data, so that no browser runs it."""
        if not self.has_download_permission(request):
            raise PermissionDenied
        row = get_object_or_404(StoredValue, pk=pk)
        try:
            value = DatabaseStore(name=row.store).get(row.plain_key)
        except KeyNotFound as error:
            raise Http404 from error
        response: HttpResponseBase
        if request.method == "HEAD":
            response = HttpResponse(content_type="application/octet-stream")
        else:
            try:
                chunks = FileChunks(value.data, value.size)
            except OSError as error:
                logger.exception("The data of %s cannot be downloaded.", row.pk)
                return _not_given_out(error)
            response = stream(request, chunks, "application/octet-stream")
        response.headers["Content-Length"] = str(value.size)
        protect(response, _filename(row.plain_key))
        return response

    def context_of(self, request: HttpRequest, obj: StoredValue) -> dict[str, Any]:
        return {
            "subtitle": shown(obj.plain_key, _KEY),
            "facts": _facts(obj),
            "metadata": [
                (shown(name, _KEY), shown(_text(one), _ON_PAGE), self._same(name, one))
                for name, one in sorted(obj.metadata.items())
            ],
            "may_download": self.has_download_permission(request),
        }

    def _same(self, name: str, value: object) -> str:
        """Return the address of the list of what has the same; "" if it is too long."""
        query = urlencode({"name": name, "value": json.dumps(value)})
        if len(query) > MAX_LISTED:
            return ""
        site = self.admin_site.name
        return f"{reverse(f'{site}:deliverystore_storedvalue_changelist')}?{query}"


def _not_given_out(error: OSError) -> HttpResponse:
    """Answer as for any fault of the site: this is none of the person who asks."""
    if isinstance(error, FileNotFound):
        text = _("The data is missing in the storage.")
    else:
        text = _("The data cannot be read at the moment.")
    advice = _("Please tell the people who run this site.")
    return HttpResponseServerError(
        f"{text} {advice}", content_type="text/plain; charset=utf-8"
    )


def _facts(row: StoredValue) -> list[tuple[object, object]]:
    key = row.plain_key
    return [
        (_("key"), shown(key, _ON_PAGE) or "“”"),
        (_("store"), row.store),
        # Without data, it is in none.
        (_("storage"), row.storage or "-"),
        (_("size"), filesizeformat(row.size)),
        (_("created"), time_text(row.created)),
        (_("modified"), time_text(row.modified)),
    ]


def _text(value: object) -> str:
    """Return a value as a person reads it: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _filename(key: str) -> str:
    """Return what the data is called when it is saved: the end of its key."""
    return shown(key.rstrip("/").rpartition("/")[2], _KEY) or "data"
