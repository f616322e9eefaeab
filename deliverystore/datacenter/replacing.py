"""Pending files that were mended elsewhere, and take the place of those that wait."""

from __future__ import annotations

import contextlib
import secrets

from deliverystore.datacenter import deleting, journal, logs, naming, pending
from deliverystore.datacenter.locks import locked
from deliverystore.datacenter.naming import DELETED, Kind
from deliverystore.datacenter.places import Place
from deliverystore.exceptions import FileNotFound, RunRefused
from deliverystore.models.access import User


def staged_name() -> str:
    """Return where a file waits until it takes the place of another.

    What a kill leaves there is removed after a day, with what distributions leave.
    """
    return journal.staged_name(secrets.token_hex(8), Kind.PENDING)


def replace(place: Place, staged: str, name: str, user: User | None) -> None:
    """Put a staged file in the place of a pending one, which goes to the deleted ones.

    Killed at any moment, one of the two waits, and the old one is not lost. Raise
    RunBusy, or RunRefused if its rows are not left any more; then nothing has changed.
    """
    try:
        put_in_place(place, staged, name, user)
    except BaseException:
        place.delete(staged)
        raise


def put_in_place(place: Place, path: str, name: str, user: User | None) -> None:
    """Move a file into the place of a pending one, which goes to the deleted ones."""
    deleted = ""
    # A run that begins meanwhile waits, and so does who deletes.
    with locked(naming.file_lock(name)):
        _refuse_late(name)
        with contextlib.suppress(FileNotFound):
            deleted = _copy_to_deleted(place, name)
        place.move_over(path, name)
    if deleted:
        logs.log_event("delete", name, user, to=deleted)


def _refuse_late(name: str) -> None:
    deleting.refuse_held(name)
    if pending.run_of(name) is None:
        raise RunRefused(f"The rows of {name!r} are not left any more.")


def _copy_to_deleted(place: Place, name: str) -> str:
    """Keep a copy of a file: it stays where it is until the other one is there."""
    entry = place.entry(name)
    names = naming.alternatives(f"{DELETED}/{name}")
    deleted = place.create(names, place.chunks(name))
    place.set_time(deleted, entry.modified)
    return deleted
