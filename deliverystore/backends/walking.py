"""What a store holds, name by name, in an order in which one can go on later."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from django.utils import timezone

from deliverystore.exceptions import StoreUnavailable
from deliverystore.paths import is_temporary

# So many names of one folder are in memory at once.
_NAMES_AT_ONCE = 50_000
# ext4 makes it at the top of each disk, for root alone.
_OF_THE_FILE_SYSTEM = "lost+found"

_T = TypeVar("_T")

# Is told of each folder, before it is listed and with None, and of each folder or file
# that cannot be looked at, with the error. What it raises ends the walk.
Visit = Callable[[str, OSError | None], object]


@dataclass(frozen=True, kw_only=True)
class StoredEntry:
    """Bytes in a store: under which name, how many, and since when (aware)."""

    name: str
    size: int
    modified: datetime


# Takes a folder and a name in it; yields, from that name on and in order, what is in
# the folder: its name, and whether it is a folder.
Children = Callable[[str, str], Iterator[tuple[str, bool]]]


def pass_by(folder: str, error: OSError | None) -> None:
    """Visit nothing: folders that cannot be listed are left out."""


def walk_names(
    children: Children, after: str = "", *, visit: Visit = pass_by, folder: str = ""
) -> Iterator[str]:
    """Yield the names of the files in a folder and below, sorted by their parts.

    after is relative to the folder; it need not be there any more. Raise OSError if
    the first folder cannot be listed; of others, visit is told.
    """
    first, _, rest = after.partition("/")
    for name, is_folder in _visited(children(folder, first), folder, visit):
        path = f"{folder}/{name}" if folder else name
        if is_folder:
            below = rest if name == first else ""
            yield from walk_names(children, below, visit=visit, folder=path)
        elif name != first:
            yield path


def local_children(root: Path) -> Children:
    """Return how to list the folders below root: few names in memory, however many.

    Temporary files are left out, and so is what is removed meanwhile.
    """

    def children(folder: str, first: str) -> Iterator[tuple[str, bool]]:
        last = ""
        while found := _smallest(root, folder, first, last):
            yield from ((entry.name, _is_folder(entry, root)) for entry in found)
            last = found[-1].name

    return children


def local_leftovers(
    root: Path, before: float, *, visit: Visit = pass_by, folder: str = ""
) -> Iterator[str]:
    """Yield the temporary files below root that were not written to since before.

    before is a Unix time in seconds. Names are relative to root. visit is told as by
    walk_names.
    """
    for entry in _visited(_entries(root, folder), folder, visit):
        path = f"{folder}/{entry.name}" if folder else entry.name
        if _is_folder(entry, root):
            yield from local_leftovers(root, before, visit=visit, folder=path)
        elif is_temporary(entry.name) and _is_older(entry, before):
            yield path


def aware(moment: datetime) -> datetime:
    """Return a moment with its time zone, which storages leave out if USE_TZ is off."""
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _visited(found: Iterator[_T], folder: str, visit: Visit) -> Iterator[_T]:
    """Yield what is found in a folder, until that fails."""
    visit(folder, None)
    try:
        yield from found
    except StoreUnavailable:
        raise
    except OSError as error:
        if not folder:
            raise
        visit(folder, error)


def _entries(root: Path, folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder, in no order."""
    try:
        entries = os.scandir(root / folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if folder or entry.name != _OF_THE_FILE_SYSTEM:
                yield entry


def _smallest(root: Path, folder: str, first: str, last: str) -> list[os.DirEntry[str]]:
    """Return the next entries of a folder: from the name first on, behind last."""
    wanted = (
        entry
        for entry in _entries(root, folder)
        if first <= entry.name > last and not is_temporary(entry.name)
    )
    return heapq.nsmallest(_NAMES_AT_ONCE, wanted, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str], root: Path) -> bool:
    """Tell if an entry is a folder to look into: a link only if it leads elsewhere.

    What can be reached in two ways would be seen twice, or without end.
    """
    if not entry.is_symlink():
        return entry.is_dir()
    try:
        is_folder = entry.is_dir()
    except OSError:
        return False
    return is_folder and _leads_elsewhere(Path(entry.path), root)


def _leads_elsewhere(link: Path, root: Path) -> bool:
    target, top, here = link.resolve(), root.resolve(), link.parent.resolve()
    leads_back = top.is_relative_to(target) or here.is_relative_to(target)
    return not (leads_back or target.is_relative_to(top))


def _is_older(entry: os.DirEntry[str], before: float) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_mtime < before
    except FileNotFoundError:
        return False
