"""Files that came before with the same bytes as another one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from deliverystore.datacenter.naming import DELETED, FINISHED, UNFINISHED
from deliverystore.datacenter.places import Place
from deliverystore.exceptions import FileNotFound
from deliverystore.models import DataFileInfo, ImportRun

_FOLDERS = (
    *("", f"{UNFINISHED}/", f"{FINISHED}/", f"{DELETED}/"),
    *(f"{DELETED}/{UNFINISHED}/", f"{DELETED}/{FINISHED}/"),
)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What the same bytes were called when they came before, and when that was.

    relative_path is where they are now, "" if they are gone or have another name.
    """

    name: str
    date: datetime
    relative_path: str

    def __str__(self) -> str:
        return gettext("The same bytes came before, on %(date)s, as %(name)r.") % {
            "date": date_format(timezone.localtime(self.date), "DATETIME_FORMAT"),
            "name": self.name,
        }


def find(place: Place, stored: str, size: int, digest: str) -> Earlier | None:
    """Return the last file with these bytes that was uploaded, or else imported.

    stored is where they are for the second time.
    """
    came = _uploaded(digest) or _imported(digest)
    if came is None:
        return None
    name, date = came
    paths = (f"{folder}{name}" for folder in _FOLDERS)
    there = (path for path in paths if path != stored)
    where = next((p for p in there if _is_same(place, p, size, digest)), "")
    return Earlier(name=name, date=date, relative_path=where)


def _uploaded(digest: str) -> tuple[str, datetime] | None:
    info = DataFileInfo.objects.filter(digest=digest).order_by("-uploaded").first()
    return (info.name, info.uploaded) if info and info.uploaded else None


def _imported(digest: str) -> tuple[str, datetime] | None:
    """Look also among the runs: of a name, only the last file is known."""
    known = ImportRun.objects.filter(digest=digest)
    return known.order_by("-added").values_list("file", "added").first()


def _is_same(place: Place, path: str, size: int, digest: str) -> bool:
    with contextlib.suppress(FileNotFound):
        return place.entry(path).size == size and place.digest(path) == digest
    return False
