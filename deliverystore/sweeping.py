"""Removing what nobody needs: deliveries given up, bytes whose rows are gone."""

from __future__ import annotations

from dataclasses import dataclass

from deliverystore.exceptions import DeliveryNotOpen
from deliverystore.models import Delivery, FileMeta, Removal


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """How many deliveries were abandoned, and of how many files the bytes removed."""

    deliveries: int
    files: int


def sweep() -> Sweep:
    """Abandon open deliveries that are too old; remove bytes after the grace period.

    The times are DELIVERY_STORE_ABANDON_AFTER and DELIVERY_STORE_GRACE. Safe beside
    running uploads, and safe to interrupt and repeat.
    """
    abandoned = sum(_abandon(delivery) for delivery in Delivery.objects.stale())
    removed = Removal.objects.due().carry_out(FileMeta.deliverystore)
    return Sweep(deliveries=abandoned, files=removed)


def preview() -> Sweep:
    """Return what sweep() would do now."""
    return Sweep(
        deliveries=Delivery.objects.stale().count(),
        files=Removal.objects.due().count(),
    )


def _abandon(delivery: Delivery) -> bool:
    try:
        delivery.abandon()
    except DeliveryNotOpen:
        # Finished, or abandoned by its owner, since the list was made.
        return False
    return True
