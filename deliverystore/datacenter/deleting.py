"""Files that are deleted: kept in a folder of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deliverystore.datacenter import free_names, logs, naming, pending, permissions
from deliverystore.datacenter.locks import locked
from deliverystore.datacenter.naming import DELETED, LOGS
from deliverystore.datacenter.places import Place
from deliverystore.exceptions import InvalidName, RunBusy
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from deliverystore.models.access import User


def delete(place: Place, relative_path: str, user: User | None) -> str:
    """Move a file to the deleted ones; as DataCenter.delete says."""
    [path] = ask(user, [relative_path])
    # A run that begins meanwhile waits, and finds that the file is gone.
    with locked(naming.file_lock(path)):
        refuse_held(path)
        names = naming.alternatives(f"{DELETED}/{path}")
        deleted = free_names.settle(place, path, names)
    logs.log_event("delete", path, user, to=deleted)
    return deleted


def ask(user: User | None, relative_paths: Sequence[str]) -> list[str]:
    """Return clean paths of files that a user may delete, by one query.

    Who may import may give up what waits; but rows that a run has left, only who may
    import these. Raise NotPermitted, or InvalidName if one cannot be deleted.
    """
    paths = list(map(_deletable, relative_paths))
    left = pending.runs_of(paths)
    for path in paths:
        if path in left:
            what = f"delete the rows in {path!r}"
            pending.ask(user, left[path], what, permissions.DELETE)
        else:
            importing = [permissions.IMPORT] if "/" not in path else []
            what = "delete files of the data center"
            permissions.ask(user, what, permissions.DELETE, *importing)
    return paths


def refuse_held(path: str) -> None:
    """Raise RunBusy if a file has a run that is not over."""
    held = ImportRun.objects.filter(file=path, state__in=ImportRun.HOLDING)
    if (run := held.first()) is not None:
        raise RunBusy(f"{path!r} stays: {run} is not over; cancel it first.")


def _deletable(relative_path: str) -> str:
    path = naming.clean_path(relative_path)
    if path.startswith((f"{DELETED}/", f"{LOGS}/")):
        raise InvalidName(f"{relative_path!r} cannot be deleted.")
    return path
