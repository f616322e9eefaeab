"""Downloads of files of the data center."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from deliverystore.admin.datacenter.family import PageFamily, named
from deliverystore.datacenter import DataCenter, naming, spreadsheets
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
        name = PurePosixPath(file.name)
        content_type = _TYPES.get(name.suffix.lower(), "text/plain; charset=utf-8")
        is_data = naming.is_data(file.name) and not path.startswith(f"{LOGS}/")
        for_spreadsheet = request.GET.get("for") == "spreadsheet" and is_data
        if for_spreadsheet:
            content_type, name = "text/csv; charset=utf-8", name.with_suffix(".csv")
        response: HttpResponseBase
        if request.method == "HEAD":
            opened.close()
            response = HttpResponse(content_type=content_type)
        elif for_spreadsheet:
            chunks = spreadsheets.chunks(opened, file.name)
            response = stream(request, chunks, content_type)
        else:
            response = stream(request, FileChunks(opened, file.size), content_type)
            response.headers["Content-Length"] = str(file.size)
        protect(response, str(name))
        return response
