"""Removing from the public store what nobody is to see any more."""

from __future__ import annotations

from django.db import transaction
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from deliverystore.models import Publication, PublishedFile
from deliverystore.publishing import placing

_BATCH = 500


@receiver(pre_delete, sender=Publication, dispatch_uid="deliverystore.publishing")
def take_off(
    sender: type[Publication], instance: Publication, using: str, **kwargs: object
) -> None:
    """Remove what is public of a file as soon as its publication is deleted.

    So it is with the file itself, and with its delivery. What was replaced goes, too.
    """
    # A worker that makes something public this very moment has locked the row.
    list(Publication.objects.using(using).select_for_update().filter(pk=instance.pk))
    files = PublishedFile.objects.using(using).filter(filemeta=instance.filemeta_id)
    files.public().retire()
    removed = files.filter(state=PublishedFile.State.REMOVED)
    if gone := list(removed.values_list("pk", flat=True)):
        files = PublishedFile.objects.filter(pk__in=gone)
        # Not a partial, whose name Django could not log if it fails.
        transaction.on_commit(
            lambda: placing.take_down(files), using=using, robust=True
        )


def sweep() -> int:
    """Remove what was replaced, deleted or left by killed workers; return how many.

    What was replaced is kept for DELIVERY_STORE_GRACE.
    """
    count = last = 0
    files = PublishedFile.objects.filter(placing.due()).order_by("pk")
    keys = files.values_list("pk", flat=True)
    while batch := list(keys.filter(pk__gt=last)[:_BATCH]):
        last = batch[-1]
        count += placing.remove(PublishedFile.objects.filter(pk__in=batch))
    return count


def count_due() -> int:
    """Return how many files sweep() would remove now."""
    return PublishedFile.objects.filter(placing.due()).count()
