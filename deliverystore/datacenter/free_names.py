"""Names for what comes into a folder, so that nothing is ever overwritten."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext

from deliverystore.datacenter import naming
from deliverystore.datacenter.naming import Kind
from deliverystore.exceptions import FileExists

if TYPE_CHECKING:
    from deliverystore.datacenter.places import Place
    from deliverystore.models import ImportRun


class OnTaken(StrEnum):
    """What becomes of a file whose name is taken."""

    REFUSE = "refuse"
    RENAME = "rename"
    # Only rows that a run has left make room, and only for these rows, mended.
    REPLACE_PENDING = "replace pending"


def for_upload(
    place: Place, name: str, on_taken: OnTaken, left: ImportRun | None = None
) -> Iterator[str]:
    """Yield the names to try for a new file that waits.

    left is the run of which the file has the rows: under another name, nobody would
    know that it does. Raise FileExists if its own is taken, and is not to be changed.
    """
    if on_taken is OnTaken.RENAME and left is None:
        names = naming.alternatives(name)
        return (free for free in names if not in_the_way(place, free))
    if taken := in_the_way(place, name):
        raise is_taken(name, taken, left)
    return iter([name])


def is_taken(name: str, taken: str, left: ImportRun | None = None) -> FileExists:
    """Return the error that says what is in the way of a new file."""
    facts = {"name": name, "reason": why_taken(name, taken, left)}
    return FileExists(gettext("%(name)r is refused. %(reason)s") % facts)


def why_taken(name: str, taken: str, left: ImportRun | None = None) -> str:
    """Say what is in the way of a new file, and what to do, without naming the file."""
    if left is not None and is_copy(name, left):
        return why_copy(name, left)
    if left is not None:
        return gettext(
            "It waits already, with the rows that import %(number)d has left: put "
            "yours in its place, or delete it first. It is not kept under another "
            "name, by which these rows would not be known."
        ) % {"number": left.pk}
    return gettext(
        "The name is taken: %(state)s. Give yours another name, or have it kept under "
        "a free one."
    ) % {"state": _state_of(name, taken)}


def is_copy(name: str, left: ImportRun) -> bool:
    """Tell whether a file has not quite the name of the rows that a run has left."""
    return name != left.pending_file


def fits(name: str) -> bool:
    """Tell whether a file can take the place of rows that a run has left: as CSV."""
    return name.lower().endswith(".csv")


def why_copy(name: str, left: ImportRun) -> str:
    """Say why a file that seems to be rows that a run has left is no new one."""
    text = (
        gettext(
            "These seem to be the rows that import %(number)d has left, which are "
            "known as %(known)s: put them in place of those. If they are other rows, "
            "give the file a name without “.pending”."
        )
        if fits(name)
        else gettext(
            "These seem to be the rows that import %(number)d has left: save them as "
            "CSV, named %(known)s, and upload that."
        )
    )
    return text % {"number": left.pk, "known": left.pending_file}


def in_the_way(place: Place, name: str) -> str:
    """Return what has the name of a new file, or would be taken for its results."""
    is_pending = naming.parse(name).kind is Kind.PENDING
    names = iter([name]) if is_pending else naming.family(name)
    return next(filter(place.exists, names), "")


def settle(place: Place, path: str, names: Iterator[str]) -> str:
    """Move a file to the first of these names that is free; return it.

    Raise FileExists if all are taken, FileNotFound if there is no file.
    """
    place.entry(path)
    for name in names:
        with contextlib.suppress(FileExists):
            place.move(path, name)
            return name
    raise FileExists(
        gettext("%(path)r stays where it is: its name is taken.") % {"path": path}
    )


def _state_of(name: str, taken: str) -> str:
    folder, _slash, found = taken.rpartition("/")
    if found != name:
        return gettext("rows of an earlier file of this name are in %(taken)r") % {
            "taken": taken
        }
    return {
        naming.UNFINISHED: gettext(
            "a file of this name is unfinished, since some of its rows are not in"
        ),
        naming.FINISHED: gettext("a file of this name is among the finished ones"),
    }.get(folder, gettext("a file of this name waits to be imported"))
