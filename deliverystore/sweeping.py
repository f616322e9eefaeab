"""Removing what nobody needs: what was given up, and bytes whose rows are gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from deliverystore import fsops
from deliverystore.conf import conf
from deliverystore.exceptions import DeliveryNotOpen
from deliverystore.models import Delivery, FileMeta, Removal, Upload
from deliverystore.models.access import User
from deliverystore.models.upload import orphans, partial_files_policy


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """How many deliveries were abandoned, and uploads and bytes of files removed."""

    deliveries: int
    uploads: int
    files: int


def sweep() -> Sweep:
    """Abandon what is open for too long; remove bytes after the grace period.

    The times are DELIVERY_STORE_ABANDON_AFTER and DELIVERY_STORE_GRACE. Safe beside
    running uploads, and safe to interrupt and repeat.
    """
    abandoned = sum(_abandon(delivery) for delivery in Delivery.objects.stale())
    uploads, partial_files = _expired()
    expired = sum(map(_expire, uploads)) + sum(map(_remove_orphan, partial_files))
    removed = Removal.objects.due().carry_out(FileMeta.deliverystore)
    return Sweep(deliveries=abandoned, uploads=expired, files=removed)


def preview() -> Sweep:
    """Return what sweep() would do now."""
    uploads, partial_files = _expired()
    return Sweep(
        deliveries=Delivery.objects.stale().count(),
        uploads=sum(1 for _ in chain(uploads, partial_files)),
        files=Removal.objects.due().count(),
    )


def abandon(deliveries: Iterable[Delivery], user: User) -> list[Delivery]:
    """Abandon open deliveries and return them; finished ones stay.

    Raise NotPermitted, before any is abandoned, unless the user may.
    """
    deliveries = list(deliveries)
    for delivery in deliveries:
        delivery.check_permission(user, "abandon")
    return [delivery for delivery in deliveries if _abandon(delivery)]


def _abandon(delivery: Delivery) -> bool:
    try:
        delivery.abandon()
    except DeliveryNotOpen:
        # Finished, or abandoned by its owner, since the list was made.
        return False
    return True


def _expired() -> tuple[Iterable[Upload], Iterable[Path]]:
    """Return uploads without news for too long, and partial files without a row."""
    if not conf.DELIVERY_STORE_UPLOAD_ROOT:
        return [], []
    return Upload.objects.stale(), orphans()


def _expire(upload: Upload) -> bool:
    try:
        with fsops.exclusive(upload.path):
            # It may have gone on since the list was made.
            if stale := Upload.objects.stale().filter(pk=upload.pk).first():
                stale.discard()
            return stale is not None
    except BlockingIOError:
        return False
    except FileNotFoundError:
        # The file was handed in; only the row was left, for clients that ask.
        upload.delete()
        return True


def _remove_orphan(path: Path) -> bool:
    policy = partial_files_policy()
    try:
        with fsops.exclusive(path):
            fsops.remove(path, policy)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True
