"""Publications that begin, begin again, or end."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from deliverystore.exceptions import NotPermitted, PublishingRefused, RunBusy
from deliverystore.models import FileMeta, Publication, leases
from deliverystore.models.access import User, may
from deliverystore.publishing import registry, tasks

_State = Publication.State


def publish(
    filemeta: FileMeta,
    user: User | None = None,
    *,
    processor: str = "",
    enqueue: bool = True,
) -> Publication:
    """Publish what a media processor makes of a file; return the publication.

    It can be called again: after a failure, or to have everything made anew, which
    then takes the place of what is public. Without a name, it is the first processor
    that takes the file. A worker does it once the transaction is committed, unless
    enqueue says that the caller will. If it is done at once, the publication says so.

    Raise NotPermitted, DeliveryNotFinished, PublishingRefused if no processor takes
    the file or it was deleted, ProcessorNotFound, RunBusy if a worker is at it.
    """
    ask(user, filemeta)
    filemeta.delivery.check_finished()
    values = {
        "processor": registry.choose(filemeta, processor),
        "user_id": None if user is None else user.pk,
    }
    with transaction.atomic(using=leases.database(Publication)):
        if not FileMeta.objects.filter(pk=filemeta.pk).exists():
            raise PublishingRefused(f"File {filemeta.pk} was deleted.")
        publication, is_new = Publication.objects.get_or_create(
            filemeta=filemeta, defaults=values
        )
        if not is_new:
            _begin_again(publication, values)
    if enqueue:
        tasks.enqueue(publication)
    return publication


def unpublish(filemeta: FileMeta, user: User | None = None) -> None:
    """Take away from visitors what is public of a file, at once.

    A worker that is at it leaves off. Raise NotPermitted.
    """
    ask(user, filemeta)
    for publication in Publication.objects.filter(filemeta=filemeta):
        publication.delete()


def left() -> Iterator[Publication]:
    """Yield the publications that wait or broke off, the oldest first."""
    for one in Publication.objects.filter(state__in=Publication.HOLDING).order_by("pk"):
        if leases.is_left(one):
            yield one


def may_publish(user: User, filemeta: FileMeta) -> bool:
    """Tell whether a user may decide what visitors see of a file.

    That takes deliverystore.publish_delivery, for all deliveries or for this one.
    """
    return may(user, "publish", filemeta.delivery)


def ask(user: User | None, filemeta: FileMeta) -> None:
    """Raise NotPermitted unless a user, or the site itself, may publish a file."""
    if user is not None and not may_publish(user, filemeta):
        raise NotPermitted(f"{user} may not publish file {filemeta.pk}.")


def _begin_again(publication: Publication, values: dict[str, object]) -> None:
    if not publication.is_over and not leases.is_left(publication):
        raise RunBusy(f"A worker is at {publication}; try again when it is done.")
    if publication.is_over:
        values = {**values, "attempts": 0}
    # If one has taken it this very moment, the publication is its own.
    seen = Publication.objects.filter(pk=publication.pk, worker=publication.worker)
    begun = seen.update(
        **values,
        state=_State.UNPROCESSED,
        worker="",
        lease_until=None,
        added=timezone.now(),
        started=None,
        ended=None,
        progress=0.0,
        error="",
        error_class="",
        error_metadata={},
    )
    if not begun:
        raise RunBusy(f"A worker is at {publication}; try again when it is done.")
    publication.refresh_from_db()
