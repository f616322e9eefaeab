"""Publications as tasks of Django's tasks framework, or of its backport."""

from __future__ import annotations

import contextlib

from deliverystore.background import as_task, hand_over
from deliverystore.exceptions import RunBusy
from deliverystore.models import Publication, leases
from deliverystore.publishing.pipeline import work


@as_task
def run_publication(publication_id: int) -> None:
    """Do a publication, unless a worker is at it, or it is over or gone."""
    publication = Publication.objects.filter(pk=publication_id).first()
    if publication is not None and leases.is_left(publication):
        with contextlib.suppress(RunBusy):
            work(publication)


def waits_for() -> str:
    """Return what does a publication that waits: without a framework, a command."""
    return "`reprocess --left`" if run_publication is None else "a worker"


def enqueue(publication: Publication) -> None:
    """Hand a publication to a worker, once the transaction is committed."""
    hand_over(
        run_publication,
        publication.pk,
        using=leases.database(Publication),
        otherwise=f"{publication} waits for {waits_for()}",
        done=lambda: _read_anew(publication),
    )


def _read_anew(publication: Publication) -> None:
    # It may be taken off the site already.
    with contextlib.suppress(Publication.DoesNotExist):
        publication.refresh_from_db()
