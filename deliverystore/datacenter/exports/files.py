"""The files of exports: for their owners, and for some time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import BinaryIO

from django.utils import timezone

from deliverystore.conf import conf
from deliverystore.datacenter import logs
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.exports.permissions import ask_owner
from deliverystore.datacenter.places import Place
from deliverystore.exceptions import ExportRefused
from deliverystore.models import Export, leases
from deliverystore.models.access import User

# In the data center, but none of the folders that its lists show.
FOLDER = "exports"


def new_name(export: Export) -> str:
    """Return where a new file of an export is to be, which is nowhere twice."""
    return f"{FOLDER}/{uuid.uuid4().hex}.{export.format}"


def open_export(export: Export, user: User | None = None) -> BinaryIO:
    """Return the file of an export, open for reading bytes; the caller closes it.

    Raise NotPermitted unless the user has begun it, and may still export; raise
    ExportRefused if there is no file yet, or no longer.
    """
    ask_owner(user, export)
    if export.state != Export.State.FINISHED:
        raise ExportRefused(f"{export} has no file: {export.get_state_display()}.")
    if export.expires <= timezone.now():
        until = timezone.localtime(export.expires)
        raise ExportRefused(f"The file of {export} was kept until {until:%Y-%m-%d}.")
    file = DataCenter().place.read_open(export.file)
    logs.log_event("download", export.processor, user, export=export.pk)
    return file


def delete_export(export: Export, user: User | None = None) -> None:
    """Delete an export and its file; a worker that is at it leaves off.

    Raise NotPermitted unless the user has begun it.
    """
    ask_owner(user, export)
    _delete(DataCenter().place, export)
    logs.log_event("delete", export.processor, user, export=export.pk)


def left() -> Iterator[Export]:
    """Yield the exports that are not over and that nobody is at, the oldest first."""
    for export in Export.objects.filter(state__in=Export.HOLDING).order_by("pk"):
        if leases.is_left(export):
            yield export


def sweep() -> int:
    """Delete the exports that are expired, with their files; return how many.

    Files that killed workers have left go, too, after DELIVERY_STORE_GRACE.
    """
    if not _has_center():
        return 0
    place = DataCenter().place
    expired = list(_expired())
    for export in expired:
        _delete(place, export)
    for name in list(_strays(place)):
        place.delete(name)
    return len(expired)


def count_expired() -> int:
    """Return how many exports sweep() would delete now."""
    return sum(1 for _ in _expired()) if _has_center() else 0


def _expired() -> Iterator[Export]:
    due = Export.objects.filter(expires__lte=timezone.now()).order_by("pk")
    return (one for one in due if one.is_over or leases.is_left(one))


def _delete(place: Place, export: Export) -> None:
    """Delete the row, then the file: killed between, it is a stray."""
    name = export.file
    export.delete()
    if name:
        place.delete(name)


def _strays(place: Place) -> Iterator[str]:
    """Yield files that no export has, and that are older than one that begins."""
    before = timezone.now() - conf.DELIVERY_STORE_GRACE
    for entry in place.entries(FOLDER):
        is_old = entry.modified < before
        if is_old and not Export.objects.filter(file=entry.name).exists():
            yield entry.name


def _has_center() -> bool:
    return bool(
        conf.DELIVERY_STORE_DATACENTER_ROOT or conf.DELIVERY_STORE_DATACENTER_STORAGE
    )
