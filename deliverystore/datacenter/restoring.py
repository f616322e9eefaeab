"""Deleted files that go back to where they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext

from deliverystore.datacenter import (
    free_names,
    logs,
    naming,
    pending,
    permissions,
    replacing,
)
from deliverystore.datacenter.free_names import OnTaken
from deliverystore.datacenter.naming import DELETED, Kind
from deliverystore.datacenter.places import Place
from deliverystore.exceptions import FileExists, InvalidName
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from deliverystore.models.access import User


def restore(
    place: Place, relative_path: str, on_taken: OnTaken, user: User | None
) -> str:
    """Move a deleted file back; as DataCenter.restore says."""
    path = naming.clean_path(relative_path)
    if not path.startswith(f"{DELETED}/"):
        raise InvalidName(f"{relative_path!r} is not deleted.")
    permissions.ask(user, "restore files of the data center", permissions.DELETE)
    left = left_by(path)
    if left is None:
        origin = path.removeprefix(f"{DELETED}/")
        restored = free_names.settle(place, path, _origins(origin, on_taken))
    else:
        restored = _restore_rows(place, path, left, on_taken, user)
    logs.log_event("restore", path, user, to=restored)
    return restored


def left_by(deleted: str) -> ImportRun | None:
    """Return the run of which a deleted file has the rows that are left.

    Where several of them were deleted, all but one have got a number.
    """
    origin = deleted.removeprefix(f"{DELETED}/")
    if "/" in origin or naming.parse(origin).kind is not Kind.PENDING:
        return None
    if (left := pending.run_of(origin)) is not None:
        return left
    if ImportRun.objects.filter(pending_file=origin).exists():
        # The number is its own, and all its rows are in, or given up.
        return None
    return pending.run_of(naming.unnumbered(origin))


def _restore_rows(
    place: Place, path: str, left: ImportRun, on_taken: OnTaken, user: User | None
) -> str:
    """Move rows that a run has left back under the one name by which they are known."""
    name = left.pending_file
    if on_taken is OnTaken.REPLACE_PENDING:
        place.entry(path)
        replacing.put_in_place(place, path, name, user)
        return name
    try:
        return free_names.settle(place, path, iter([name]))
    except FileExists as error:
        raise FileExists(
            gettext(
                "%(path)r stays where it is: rows of import %(number)d wait already, "
                "as %(name)r. Put it in their place, or delete them first."
            )
            % {"path": path, "number": left.pk, "name": name}
        ) from error


def _origins(origin: str, on_taken: OnTaken) -> Iterator[str]:
    if on_taken is OnTaken.RENAME:
        return naming.alternatives(origin)
    return iter([origin])
