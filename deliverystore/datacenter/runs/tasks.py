"""Runs as tasks of Django's tasks framework, or of its backport."""

from __future__ import annotations

import contextlib

from deliverystore.background import as_task, hand_over
from deliverystore.datacenter.runs.working import work
from deliverystore.exceptions import RunBusy
from deliverystore.models import ImportRun, leases


@as_task
def run_import(run_id: int) -> None:
    """Do a run; if another worker is at it, or it is over, there is nothing to do."""
    run = ImportRun.objects.get(pk=run_id)
    if leases.is_left(run):
        with contextlib.suppress(RunBusy):
            work(run)


def enqueue(run: ImportRun) -> None:
    """Hand a run to a worker, once the transaction is committed."""
    hand_over(
        run_import,
        run.pk,
        using=leases.database(),
        otherwise=f"import {run.pk} waits: `import_csv --resume` does it",
    )
