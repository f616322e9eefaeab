"""Runs that are under way: cancelled, gone on with, looked up."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.utils import timezone

from deliverystore.datacenter import importers, naming
from deliverystore.datacenter.naming import Kind
from deliverystore.datacenter.rows.arranging import Mapped
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs import limits, tasks
from deliverystore.datacenter.runs.sources import layout_of
from deliverystore.datacenter.tables import Layout
from deliverystore.exceptions import RunRefused
from deliverystore.models import ImportRun, leases
from deliverystore.models.access import User

State = ImportRun.State


def go_on(
    file: str,
    processor: str = "",
    mode: str = "",
    mapping: Mapped | None = None,
    user: User | None = None,
    *,
    on_error: str = "",
    max_failed: int | str | None = None,
    max_removed: int | str | None = None,
    dry_run: bool = False,
    layout: Layout | None = None,
) -> ImportRun | None:
    """Return the run of a file that is not over, if there is one, to be gone on with.

    It takes what start_run takes, and what is given has to be what the run was begun
    with: else somebody tries out what is then done. Raise NotPermitted, RunRefused.
    """
    run = unfinished(file)
    if run is None:
        return None
    importers.ask(user, run.processor, run.mode)
    asked: dict[str, object] = {
        "processor": processor,
        "mode": mode,
        "user": user,
        "on_error": on_error,
        "max_failed": limits.cleaned(max_failed),
        "max_removed": limits.cleaned(max_removed),
    }
    other = [name for name, one in asked.items() if one and one != getattr(run, name)]
    if mapping and not mapping.items() <= run.mapping.items():
        other.append("mapping")
    if layout and layout_of(run, layout) != Layout(**run.layout):
        other.append("layout")
    # Nothing said stands for the real thing.
    if dry_run != run.dry_run:
        other.append("dry_run")
    if other:
        raise RunRefused(
            f"{file!r} has import {run.pk}, which is not over, and was begun with "
            f"another {', '.join(other)}: go on with that one first, or cancel it."
        )
    return run


def cancel(run: ImportRun, user: User | None = None) -> None:
    """Stop a run at the end of its batch: what is in stays, what is left is pending.

    A run that has read nothing leaves its file as it is. Raise NotPermitted, or
    RunRefused if the run is over, or is one transaction that is under way.
    """
    importers.ask(user, run.processor, run.mode)
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
    """Hand a run that nobody is at to a worker again, also one that was to stop.

    Raise NotPermitted, or RunRefused if it is over or has a worker.
    """
    importers.ask(user, run.processor, run.mode)
    if not leases.is_left(run):
        raise RunRefused(f"Import {run.pk} is over, or a worker is at it.")
    ImportRun.objects.filter(pk=run.pk).update(cancelling=False)
    tasks.enqueue(run)


def left() -> Iterator[ImportRun]:
    """Yield the runs that are not over and that nobody is at, the oldest first."""
    for run in ImportRun.objects.filter(state__in=ImportRun.HOLDING).order_by("pk"):
        if leases.is_left(run):
            yield run


def unfinished(file: str) -> ImportRun | None:
    """Return the run of a file that is not over, if there is one."""
    return ImportRun.objects.filter(file=file, state__in=ImportRun.HOLDING).first()


def unsettled() -> Iterator[ImportRun]:
    """Yield the runs that are not over or have rows left, the oldest first."""
    # What was cancelled before a row was read has none left.
    left = Q(state__in=ImportRun.LEFT_OVER, failed__gt=0)
    held = Q(state__in=ImportRun.HOLDING)
    yield from ImportRun.objects.filter(held | left).order_by("pk")


def left_over_of(file: str) -> ImportRun | None:
    """Return the newest run that has rows left of a file, or of its pending file.

    Of N.csv it is the one whose rows wait in N.create.pending.csv, for example.
    """
    is_pending = naming.parse(file).kind is Kind.PENDING
    names = (
        [naming.spelled(file)]
        if is_pending
        else [naming.pending_name(file, one) for one in Mode]
    )
    # An earlier file of the name may have left these names to itself.
    mine = Q(pending_file__in=names) | Q(file=file)
    left = ImportRun.objects.filter(mine, state__in=ImportRun.LEFT_OVER, failed__gt=0)
    return left.order_by("-pk").first()
