"""The logs of the data center: what happened, found by a regular expression."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.family import MAX_SHOWN, PageFamily
from deliverystore.admin.datacenter.files import page_number
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter import DataCenter, permissions
from deliverystore.exceptions import MissingExtra, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.http import HttpRequest, HttpResponseBase

    from deliverystore.datacenter import DataCenterFile
    from deliverystore.views.access import View

LINES_PER_PAGE = 100
# Of a longer line, the file itself has the rest.
MAX_LINE = 1000
_ROTATED = re.compile(r"[.-]\d[\w.-]*\Z")


class LogPages(PageFamily):
    """The tab Logs."""

    home = "logs"

    def views(self) -> Iterable[tuple[str, View, str]]:
        yield "logs/", self.logs, "logs"

    def logs(self, request: HttpRequest) -> HttpResponseBase:
        """Show the logs, and the lines that match."""
        if not request.user.has_perm(permissions.VIEW_LOGS):
            raise NotPermitted(f"{request.user} may not see the logs.")
        center = DataCenter()
        files = center.get_log_files()
        names = basenames(files)
        log = request.GET.get("log") or next(iter(names), "")
        query, page = request.GET.get("q", ""), page_number(request)
        is_asked = "q" in request.GET and bool(names)
        lines: list[str] = []
        problem = ""
        if is_asked:
            try:
                start = (page - 1) * LINES_PER_PAGE
                found = center.query_logfiles(
                    log, query, limit=LINES_PER_PAGE + 1, start=start, user=request.user
                )
                lines = [shown(line, MAX_LINE) for line in found]
            except (ValueError, MissingExtra, FileNotFoundError) as error:
                problem = shown(str(error), MAX_SHOWN)
        return self.show(
            request,
            "logs.html",
            _("Logs"),
            tab="logs",
            files=files,
            names=names,
            log=log,
            query=query,
            is_asked=is_asked,
            problem=problem,
            lines=list(islice(lines, LINES_PER_PAGE)),
            first=(page - 1) * LINES_PER_PAGE + 1,
            previous=_address(log, query, page - 1) if page > 1 else "",
            next=_address(log, query, page + 1) if len(lines) > LINES_PER_PAGE else "",
        )


def basenames(files: Sequence[DataCenterFile]) -> list[str]:
    """Return the logs without those of their backups that were rotated away."""
    names = {file.name for file in files}
    bases = {_ROTATED.sub("", name) or name for name in names}
    return sorted(bases)


def _address(log: str, query: str, page: int) -> str:
    return "?" + urlencode({"log": log, "q": query, "p": str(page)})
