"""Downloads of files of the data center."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from deliverystore.admin.datacenter.family import PageFamily, named
from deliverystore.datacenter import DataCenter, spreadsheets
from deliverystore.datacenter.naming import LOGS
from deliverystore.views.streaming import FileChunks, protect, stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deliverystore.views.access import View

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".xlsx": _WORKBOOK,
}


class DownloadPages(PageFamily):
    """Files as they are, or so that a spreadsheet takes no cell for a formula."""

    def views(self) -> Iterable[tuple[str, View, str]]:
        yield "download/", self.download, "download"

    def download(self, request: HttpRequest) -> HttpResponseBase:
        """Send a file; its permission and its journal are the service's."""
        path = named(request.GET.get("file", ""))
        center = DataCenter()
        opened = center.open(path, user=request.user)
        file = center.get_file(path)
        suffix = PurePosixPath(file.name).suffix.lower()
        content_type = _TYPES.get(suffix, "text/plain; charset=utf-8")
        is_data = suffix in _TYPES and not file.relative_path.startswith(f"{LOGS}/")
        response: HttpResponseBase
        if request.method == "HEAD":
            opened.close()
            response = HttpResponse(content_type=content_type)
        elif request.GET.get("for") == "spreadsheet" and is_data:
            chunks = spreadsheets.chunks(opened, file.name)
            response = stream(request, chunks, "text/csv; charset=utf-8")
        else:
            response = stream(request, FileChunks(opened, file.size), content_type)
            response.headers["Content-Length"] = str(file.size)
        protect(response, file.name)
        return response
