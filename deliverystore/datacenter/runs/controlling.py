"""Runs that are under way: cancelled, gone on with, looked up."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from deliverystore.datacenter import leases
from deliverystore.datacenter.runs import permissions, tasks
from deliverystore.exceptions import RunRefused
from deliverystore.models import ImportRun
from deliverystore.models.access import User

State = ImportRun.State


def cancel(run: ImportRun, user: User | None = None) -> None:
    """Stop a run at the end of its batch: what is in stays, what is left is pending.

    A run that has read nothing leaves its file as it is. Raise NotPermitted, or
    RunRefused if the run is over, or is one transaction that is under way.
    """
    permissions.ask(user, run.processor, run.mode)
    waiting = ImportRun.objects.filter(pk=run.pk, state=State.WAITING, rows=0)
    over = {"state": State.CANCELLED, "ended": timezone.now()}
    if not waiting.update(**over, skipping=ImportRun.Skipping.CANCELLED):
        if run.is_in_one_go and not leases.is_left(run):
            raise RunRefused(
                f"Import {run.pk} is over, or one transaction: end its worker instead."
            )
        mine = ImportRun.objects.filter(pk=run.pk, state__in=ImportRun.HOLDING)
        if not mine.update(cancelling=True):
            raise RunRefused(f"Import {run.pk} is over.")
        if leases.is_left(run):
            tasks.enqueue(run)
    run.refresh_from_db()


def resume(run: ImportRun, user: User | None = None) -> None:
    """Hand a run that nobody is at to a worker again.

    Raise NotPermitted, or RunRefused if it is over or has a worker.
    """
    permissions.ask(user, run.processor, run.mode)
    if not leases.is_left(run):
        raise RunRefused(f"Import {run.pk} is over, or a worker is at it.")
    tasks.enqueue(run)


def left() -> Iterator[ImportRun]:
    """Yield the runs that are not over and that nobody is at, the oldest first."""
    for run in ImportRun.objects.filter(state__in=ImportRun.HOLDING).order_by("pk"):
        if leases.is_left(run):
            yield run


def unfinished(file: str) -> ImportRun | None:
    """Return the run of a file that is not over, if there is one."""
    return ImportRun.objects.filter(file=file, state__in=ImportRun.HOLDING).first()
