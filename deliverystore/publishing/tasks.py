"""Publications as tasks of Django's tasks framework, or of its backport."""

from __future__ import annotations

import contextlib
import logging

from django.db import transaction

from deliverystore.background import as_task
from deliverystore.exceptions import RunBusy
from deliverystore.models import Publication, leases
from deliverystore.publishing.pipeline import work

logger = logging.getLogger(__name__)


@as_task
def run_publication(publication_id: int) -> None:
    """Do a publication, unless a worker is at it, or it is over or gone."""
    publication = Publication.objects.filter(pk=publication_id).first()
    if publication is not None and leases.is_left(publication):
        with contextlib.suppress(RunBusy):
            work(publication)


def enqueue(publication: Publication) -> None:
    """Hand a publication to a worker, once the transaction is committed.

    Without a framework, or if its queue cannot be reached, it waits for a command.
    """
    if run_publication is None:
        logger.info("%s waits: `reprocess --left` does it", publication)
        return
    # The publication is kept by now, whatever becomes of its task.
    transaction.on_commit(
        lambda: run_publication.enqueue(publication.pk),
        using=leases.database(Publication),
        robust=True,
    )
