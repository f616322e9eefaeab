"""Runs as tasks of Django's tasks framework, or of its backport."""

from __future__ import annotations

import contextlib
import logging

from django.db import transaction

from deliverystore.background import as_task
from deliverystore.datacenter.runs.working import work
from deliverystore.exceptions import RunBusy
from deliverystore.models import ImportRun, leases

logger = logging.getLogger(__name__)


@as_task
def run_import(run_id: int) -> None:
    """Do a run; if another worker is at it, or it is over, there is nothing to do."""
    run = ImportRun.objects.get(pk=run_id)
    if leases.is_left(run):
        with contextlib.suppress(RunBusy):
            work(run)


def enqueue(run: ImportRun) -> None:
    """Hand a run to a worker, once the transaction is committed.

    Without a framework, or if its queue cannot be reached, it waits for a command.
    """
    if run_import is None:
        logger.info("import %s waits: `import_csv --resume` does it", run.pk)
        return
    # The run is kept by now, whatever becomes of its task.
    transaction.on_commit(
        lambda: run_import.enqueue(run.pk), using=leases.database(), robust=True
    )
