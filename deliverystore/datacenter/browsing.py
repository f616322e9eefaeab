"""Lists of files a page at a time: searched, sorted, and never read."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from deliverystore.backends import StoredEntry
from deliverystore.datacenter import files, naming
from deliverystore.datacenter.files import DataCenterFile
from deliverystore.datacenter.naming import DELETED, FINISHED, UNFINISHED
from deliverystore.datacenter.places import Place
from deliverystore.models import DataFileInfo

PER_PAGE = 100
# Those behind are found by a search: memory has no more than these.
MAX_LISTED = 10_000
# So many names are asked for by one query, when a list is sorted by records.
_NAMES_AT_ONCE = 5000

WAITING = ""
FOLDERS = {
    WAITING: ("",),
    UNFINISHED: (UNFINISHED,),
    FINISHED: (FINISHED,),
    DELETED: (DELETED, f"{DELETED}/{FINISHED}", f"{DELETED}/{UNFINISHED}"),
}

_Key = tuple[Any, ...]
_KEYS: dict[str, Callable[[StoredEntry], _Key]] = {
    "name": lambda entry: (entry.name,),
    "size": lambda entry: (entry.size, entry.name),
    "date": lambda entry: (entry.modified, entry.name),
}
ORDERS = (*_KEYS, "records")


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a list is asked for: a part of the name, an order, a page from 1 on."""

    search: str = ""
    order: str = "name"
    descending: bool = False
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of a list; count is that of all files which match."""

    files: list[DataCenterFile]
    count: int
    page: int

    @property
    def pages(self) -> int:
        """The number of pages, at least one."""
        return max(1, -(-min(self.count, MAX_LISTED) // PER_PAGE))

    @property
    def is_cut(self) -> bool:
        """Whether there are files that no page has."""
        return self.count > MAX_LISTED


def page_of(place: Place, where: str, query: Query) -> Listing:
    """Return a page of the files that wait, or of those in a folder of the center."""
    count = 0

    def counted() -> Iterator[StoredEntry]:
        nonlocal count
        for entry in _matching(place, where, query.search):
            count += 1
            yield entry

    wanted = min(max(query.page, 1), MAX_LISTED // PER_PAGE)
    choose = heapq.nlargest if query.descending else heapq.nsmallest
    keyed = _keyed(counted(), query)
    chosen = choose(wanted * PER_PAGE, keyed, key=lambda one: one[0])
    listing = Listing(files=[], count=count, page=wanted)
    page = min(wanted, listing.pages)
    entries = [entry for _, entry in chosen[(page - 1) * PER_PAGE : page * PER_PAGE]]
    return Listing(files=files.files_of(entries), count=count, page=page)


def _matching(place: Place, where: str, search: str) -> Iterator[StoredEntry]:
    sought = search.strip().casefold()
    for folder in FOLDERS[where]:
        for entry in place.entries(folder):
            name = entry.name.rpartition("/")[2]
            is_listed = naming.is_visible(entry.name) and naming.is_data(name)
            if is_listed and sought in name.casefold():
                yield entry


def _keyed(
    entries: Iterator[StoredEntry], query: Query
) -> Iterator[tuple[_Key, StoredEntry]]:
    if key := _KEYS.get(query.order):
        return ((key(entry), entry) for entry in entries)
    return _by_records(entries, descending=query.descending)


def _by_records(
    entries: Iterator[StoredEntry], *, descending: bool
) -> Iterator[tuple[_Key, StoredEntry]]:
    """Yield entries with what sorts them by records, the unknown ones last."""
    unknown = -1.0 if descending else float("inf")
    while some := list(islice(entries, _NAMES_AT_ONCE)):
        known = _known(some)
        for entry in some:
            info = known.get(PurePosixPath(entry.name).name)
            is_same = info and info[:2] == (entry.size, entry.modified)
            records = info[2] if info and is_same else unknown
            yield (records, entry.name), entry


def _known(entries: Iterable[StoredEntry]) -> dict[str, tuple[int, object, int]]:
    names = {PurePosixPath(entry.name).name for entry in entries}
    found = DataFileInfo.objects.filter(name__in=names)
    rows = found.values_list("name", "size", "modified", "records")
    return {name: (size, modified, records) for name, size, modified, records in rows}
