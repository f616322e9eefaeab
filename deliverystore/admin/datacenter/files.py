"""The lists of files: those that wait, and those in each folder of the data center."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from deliverystore.admin.datacenter import tabs
from deliverystore.admin.datacenter.family import PageFamily
from deliverystore.admin.datacenter.links import RunLinks
from deliverystore.admin.datacenter.looks import badge, problems, run_badge
from deliverystore.datacenter import DataCenter, browsing, naming, pending, permissions
from deliverystore.datacenter.browsing import Query
from deliverystore.datacenter.runs.of_files import last_tries, runs_of
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from django.http import HttpRequest, HttpResponseBase
    from django.utils.functional import _StrPromise

    from deliverystore.datacenter import DataCenterFile
    from deliverystore.views.access import View

COLUMNS = {
    "name": gettext_lazy("Name"),
    "size": gettext_lazy("Size"),
    "records": gettext_lazy("Rows"),
    "date": gettext_lazy("Changed"),
}
# These are more useful the other way round.
_DESCENDING_FIRST = {"date", "size", "records"}
_MAX_PAGE_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class FileList:
    """One of the lists: its folder, and how it is sorted if nobody says."""

    tab: str
    name: str
    folder: str
    title: _StrPromise
    order: str = "-date"


LISTS = (
    FileList(
        tab="pending",
        name="changelist",
        folder=browsing.WAITING,
        title=gettext_lazy("Pending files"),
        order="name",
    ),
    FileList(
        tab="unfinished",
        name="unfinished",
        folder=naming.UNFINISHED,
        title=gettext_lazy("Unfinished files"),
        order="name",
    ),
    FileList(
        tab="finished",
        name="finished",
        folder=naming.FINISHED,
        title=gettext_lazy("Finished files"),
    ),
    FileList(
        tab="deleted",
        name="deleted",
        folder=naming.DELETED,
        title=gettext_lazy("Deleted files"),
    ),
)


def list_of(folder: str) -> FileList:
    """Return the list that shows what is in a folder, or in one below it."""
    top = folder.partition("/")[0]
    return next((one for one in LISTS if one.folder == top), LISTS[0])


@dataclass(frozen=True, kw_only=True)
class Row:
    """A file of a list, with the last import that it belongs to."""

    file: DataCenterFile
    run: ImportRun | None
    run_url: str
    # Whether it has rows of an import which the user may not do.
    is_others: bool = False

    @property
    def badge(self) -> str:
        """The state of the import."""
        return run_badge(self.run) if self.run is not None else ""

    @property
    def problems(self) -> str:
        """What the check at the upload has found, "" if it is nothing."""
        count = self.file.problems
        return badge("bad", problems(count)) if count else ""

    @property
    def is_held(self) -> bool:
        """Whether an import of this file is not over."""
        return self.run is not None and not self.run.is_over

    @property
    def is_text(self) -> bool:
        """Whether a spreadsheet could take its cells for formulas."""
        return not self.file.name.lower().endswith(".xlsx")

    @property
    def folder(self) -> str:
        """Where a deleted file was."""
        path = self.file.relative_path.removeprefix(f"{naming.DELETED}/")
        return path.rpartition("/")[0]


class FileLists(PageFamily):
    """The lists on the tabs Pending, Unfinished, Finished and Deleted."""

    def views(self) -> Iterable[tuple[str, View, str]]:
        for one in LISTS:
            route = "" if one.name == "changelist" else f"{one.name}/"
            yield route, self._view_of(one), one.name

    def _view_of(self, one: FileList) -> View:
        def view(request: HttpRequest) -> HttpResponseBase:
            return self.show_list(request, one)

        return view

    def show_list(self, request: HttpRequest, one: FileList) -> HttpResponseBase:
        """Show a page of a list.

        Who comes by the menu and does not see files is led to what they see.
        """
        if one is LISTS[0] and not tabs.may_see(request.user, one.tab):
            site = self.admin.admin_site.name
            for tab in tabs.tabs_for(request.user, site, current=""):
                return HttpResponseRedirect(str(tab["url"]))
        # Asked first: what is in the folder is not for everybody.
        self.admin.tab_context(request, one.tab)
        order = request.GET.get("o", one.order)
        query = query_of(request, order)
        listing = browsing.page_of(DataCenter().place, one.folder, query)
        is_deleted = one.folder == naming.DELETED
        paths = [] if is_deleted else [file.relative_path for file in listing.files]
        runs = runs_of(paths)
        tries = last_tries(runs.values())
        runs = {path: tries.get(run.pk, run) for path, run in runs.items()}
        return self.show(
            request,
            "files.html",
            str(one.title),
            tab=one.tab,
            where=one.name,
            listing=listing,
            rows=self._rows(request, listing.files, runs),
            headers=list(headers(request, query, one.order)),
            search=query.search,
            order=order,
            pages=pages_of(request, listing),
            **may(request, one),
        )

    def _rows(
        self,
        request: HttpRequest,
        files: Collection[DataCenterFile],
        runs: Mapping[str, ImportRun],
    ) -> list[Row]:
        links = RunLinks(request, self.admin.admin_site.name)
        left = pending.runs_of([file.relative_path for file in files])
        found = [(file, file.relative_path) for file in files]
        return [
            Row(
                file=file,
                run=runs.get(path),
                run_url=links.url(runs.get(path)),
                is_others=path in left and not links.may_import(left[path]),
            )
            for file, path in found
        ]


def query_of(request: HttpRequest, order: str) -> Query:
    """Return what the address of a list asks for; what makes no sense is left out."""
    name = order.removeprefix("-")
    known = name in browsing.ORDERS
    return Query(
        search=request.GET.get("q", "").strip()[: naming.MAX_PATH_BYTES],
        order=name if known else "name",
        descending=known and order.startswith("-"),
        page=page_number(request),
    )


def page_number(request: HttpRequest) -> int:
    """Return the page that is asked for, from 1 on."""
    page = request.GET.get("p", "")
    is_number = page.isascii() and page.isdecimal() and len(page) <= _MAX_PAGE_DIGITS
    return max(1, int(page)) if is_number else 1


def headers(
    request: HttpRequest, query: Query, default: str
) -> Iterator[dict[str, object]]:
    """Yield the columns that sort: label, address, and how it is sorted now."""
    for name, label in COLUMNS.items():
        is_sorted = name == query.order
        descending = not query.descending if is_sorted else name in _DESCENDING_FIRST
        asked = {"q": query.search, "o": f"-{name}" if descending else name}
        if asked["o"] == default:
            del asked["o"]
        yield {
            "name": name,
            "label": label,
            "url": _address(asked),
            "sorted": ("descending" if query.descending else "ascending")
            if is_sorted
            else "",
        }


def pages_of(request: HttpRequest, listing: browsing.Listing) -> dict[str, str]:
    """Return the addresses of the pages before and behind, if there are such."""
    asked = {name: request.GET.get(name, "") for name in ("q", "o")}
    found = {}
    if listing.page > 1:
        found["previous"] = _address({**asked, "p": str(listing.page - 1)})
    if listing.page < listing.pages:
        found["next"] = _address({**asked, "p": str(listing.page + 1)})
    return found


def may(request: HttpRequest, one: FileList) -> dict[str, Any]:
    """Return what is offered to a user on a list; the services ask again."""
    has = request.user.has_perm
    is_waiting = one.folder == browsing.WAITING
    importing = is_waiting and has(permissions.IMPORT)
    is_deleted = one.folder == naming.DELETED
    return {
        "may_upload": is_waiting and has(permissions.UPLOAD),
        "may_download": has(permissions.DOWNLOAD),
        "may_import": importing,
        "may_delete": not is_deleted and (has(permissions.DELETE) or importing),
        "may_delete_all": not is_deleted and has(permissions.DELETE),
        "may_restore": is_deleted,
    }


def _address(asked: dict[str, str]) -> str:
    return "?" + urlencode({name: one for name, one in asked.items() if one})
