"""Files to import, and moments at which an import is interrupted."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from deliverystore.datacenter import runs
from deliverystore.models import FailedRow, ImportRun
from tests.datacenter.csvfiles import table
from tests.datacenter.places import Killed, put


def start(center, *rows, name="f.csv", processor="faculty", mode="create", **options):
    put(center, name, table(*rows))
    return runs.start_run(name, processor, mode, enqueue=False, **options)


def expire(run):
    """Let the lease of a dead worker run out."""
    past = timezone.now() - timedelta(hours=1)
    ImportRun.objects.filter(pk=run.pk).update(lease_until=past)


def work_killed(run, *, after, batch_size):
    """Work on a run, and be killed after some batches; return whether that happened."""
    count = 0

    def kill(_run):
        nonlocal count
        count += 1
        if count > after:
            raise Killed

    try:
        runs.work(ImportRun.objects.get(pk=run.pk), batch_size=batch_size, advance=kill)
    except Killed:
        expire(run)
        return True
    return False


def failed_of(run):
    rows = FailedRow.objects.filter(run=run).order_by("number")
    return {row.number: [error["code"] for error in row.errors] for row in rows}
