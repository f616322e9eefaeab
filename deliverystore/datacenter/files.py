"""A file in a data center, as lists and pages show it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from deliverystore.backends import StoredEntry
from deliverystore.datacenter import naming
from deliverystore.datacenter.places import Place
from deliverystore.models import DataFileInfo

Sort = Literal["name", "date"]
# How many files a list has, unless it is asked for another number.
LIMIT = 1000

_UNITS = ("KB", "MB", "GB", "TB")


@dataclass(frozen=True, kw_only=True)
class DataCenterFile:
    """What is known of a file without reading it.

    relative_path is that from the data center on, such as "finished/N.csv"; size is in
    bytes; date, aware, is when it was last changed. records is None as long as
    nobody has counted them, problems as long as nobody has looked for them.
    """

    relative_path: str
    size: int
    date: datetime
    records: int | None = None
    problems: int | None = None

    @property
    def name(self) -> str:
        """The name without its folder."""
        return PurePosixPath(self.relative_path).name

    def get_size(self) -> str:
        """Return the size in words, such as "13 bytes" or "1.50 MB"."""
        return in_words(self.size)

    def get_date(self) -> str:
        """Return the date as YYYY-MM-DD HH:MM:SS in the current time zone."""
        return f"{timezone.localtime(self.date):%Y-%m-%d %H:%M:%S}"


def in_words(size: int) -> str:
    """Return a number of bytes as people say it in the active language."""
    if size < 1024:
        return ngettext("%(size)d byte", "%(size)d bytes", size) % {"size": size}
    share = float(size)
    for unit in _UNITS:
        share /= 1024
        # What would be rounded to 1024.00 is one of the next unit.
        if round(share, 2) < 1024 or unit == _UNITS[-1]:
            break
    return gettext("%(size)s %(unit)s") % {
        "size": number_format(round(share, 2), 2),
        "unit": unit,
    }


def listed(
    place: Place,
    folders: Iterable[str],
    sort: Sort,
    limit: int,
    *,
    is_wanted: Callable[[str], bool] = naming.is_data,
) -> list[DataCenterFile]:
    """Return the first files of some folders: by name, or the newest by date."""
    entries = (
        entry
        for folder in folders
        for entry in place.entries(folder)
        if naming.is_visible(entry.name) and is_wanted(entry.name)
    )
    if sort == "date":
        return files_of(
            heapq.nlargest(limit, entries, key=lambda one: (one.modified, one.name))
        )
    return files_of(heapq.nsmallest(limit, entries, key=lambda one: one.name))


def files_of(entries: Iterable[StoredEntry]) -> list[DataCenterFile]:
    """Return files with their remembered numbers of records, by one query."""
    entries = list(entries)
    names = {PurePosixPath(entry.name).name for entry in entries}
    infos = {info.name: info for info in DataFileInfo.objects.filter(name__in=names)}
    return [_file(entry, infos) for entry in entries]


def remember_records(file: DataCenterFile, records: int, digest: str = "") -> None:
    """Remember the number of records of a file as it is now, and its problems.

    The digest is of one that was just uploaded.
    """
    info = DataFileInfo(
        name=file.name,
        size=file.size,
        modified=file.date,
        records=records,
        problems=file.problems,
        digest=digest,
        uploaded=timezone.now() if digest else None,
    )
    DataFileInfo.objects.bulk_create(
        [info],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=[
            *("size", "modified", "records", "problems", "digest", "uploaded")
        ],
    )


def _file(entry: StoredEntry, infos: dict[str, DataFileInfo]) -> DataCenterFile:
    info = infos.get(PurePosixPath(entry.name).name)
    # A file that is moved stays the same; one with other bytes does not.
    if info and (info.size, info.modified) != (entry.size, entry.modified):
        info = None
    return DataCenterFile(
        relative_path=entry.name,
        size=entry.size,
        date=entry.modified,
        records=info.records if info else None,
        problems=info.problems if info else None,
    )
