"""Exports as tasks of Django's tasks framework, or of its backport."""

from __future__ import annotations

import contextlib

from deliverystore.background import as_task, hand_over
from deliverystore.datacenter.exports.working import work
from deliverystore.exceptions import RunBusy
from deliverystore.models import Export, leases


@as_task
def run_export(export_id: int) -> None:
    """Do an export, unless a worker is at it, or it is over or gone."""
    export = Export.objects.filter(pk=export_id).first()
    if export is not None and leases.is_left(export):
        with contextlib.suppress(RunBusy):
            work(export)


def enqueue(export: Export) -> None:
    """Hand an export to a worker, once the transaction is committed."""
    hand_over(
        run_export,
        export.pk,
        using=leases.database(),
        otherwise=f"{export} waits: `export_csv --resume` does it",
    )
