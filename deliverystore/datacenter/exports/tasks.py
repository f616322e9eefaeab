"""Exports as tasks of Django's tasks framework, or of its backport."""

from __future__ import annotations

import contextlib
import logging

from django.db import transaction

from deliverystore.background import as_task
from deliverystore.datacenter.exports.working import work
from deliverystore.exceptions import RunBusy
from deliverystore.models import Export, leases

logger = logging.getLogger(__name__)


@as_task
def run_export(export_id: int) -> None:
    """Do an export, unless a worker is at it, or it is over or gone."""
    export = Export.objects.filter(pk=export_id).first()
    if export is not None and leases.is_left(export):
        with contextlib.suppress(RunBusy):
            work(export)


def enqueue(export: Export) -> None:
    """Hand an export to a worker, once the transaction is committed.

    Without a framework, or if its queue cannot be reached, it waits for a command.
    """
    if run_export is None:
        logger.info("%s waits: `export_csv --resume` does it", export)
        return
    # The export is kept by now, whatever becomes of its task.
    transaction.on_commit(
        lambda: run_export.enqueue(export.pk), using=leases.database(), robust=True
    )
