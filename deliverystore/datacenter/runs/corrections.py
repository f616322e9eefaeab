"""What is done about rows that failed: corrected, edited, or given up."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from deliverystore.datacenter import leases, logs
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.naming import FINISHED, UNFINISHED
from deliverystore.datacenter.runs import permissions, valuemaps
from deliverystore.datacenter.runs.sources import dumped
from deliverystore.exceptions import FileNotFound, RunRefused
from deliverystore.models import FailedRow, ImportRun
from deliverystore.models.access import User


def correct_values(
    run: ImportRun, column: str, values: Mapping[str, str], user: User | None = None
) -> None:
    """Read other values of a column instead of wrong ones, in all runs from now on.

    It counts for the processor of this run, and for columns with this header.
    Raise NotPermitted, or RunRefused if the file has no such column.
    """
    permissions.ask(user, run.processor, run.mode)
    if column not in run.header:
        raise RunRefused(f"{run.file!r} has no column {column!r}.")
    with transaction.atomic(using=leases.database()):
        for wrong, right in values.items():
            user_id = user.pk if user else None
            valuemaps.remember(run.processor, column, wrong, right, user_id)


def edit_row(row: FailedRow, cells: Sequence[str], user: User | None = None) -> None:
    """Change the cells with which a row is tried again.

    Raise NotPermitted, or RunRefused if there are not as many as columns, or no rows
    of the run are left.
    """
    with _left_over(row.run, user):
        if len(cells) != len(row.run.header):
            raise RunRefused(
                f"The row needs {len(row.run.header)} cells, not {len(cells)}."
            )
        row.edited_json = dumped(list(cells))
        row.save(update_fields=["edited_json"])


def discard(run: ImportRun, reason: str, user: User | None = None) -> None:
    """Give up the rows of a run that failed: its files are closed.

    The pending file goes to the deleted ones, the original to the finished ones.
    Killed, it can be called again. Raise NotPermitted, RunRefused.
    """
    with _left_over(run, user):
        run.discarded_by_id = user.pk if user else None
        _close_files(run)
        run.discarded_at = timezone.now()
        run.discarded_because = reason
        run.state = ImportRun.State.DISCARDED
        run.save()
        logs.log_event("discard", run.file, run.discarded_by, run=run.pk)


@contextlib.contextmanager
def _left_over(run: ImportRun, user: User | None) -> Iterator[None]:
    """Lock a run with rows that are left while the block changes something."""
    permissions.ask(user, run.processor, run.mode)
    with transaction.atomic(using=leases.database()):
        # As it retries what failed, a run that is not over holds its rows.
        held = run.children.filter(state__in=ImportRun.HOLDING)
        if not _lock(run) or held.exists():
            raise RunRefused(f"No rows of import {run.pk} are left, or they are tried.")
        run.refresh_from_db()
        yield


def _lock(run: ImportRun) -> bool:
    left = ImportRun.objects.filter(pk=run.pk, state__in=ImportRun.LEFT_OVER)
    return bool(left.update(state=F("state")))


def _close_files(run: ImportRun) -> None:
    center = DataCenter()
    # What is not there any more was moved by an earlier call.
    with contextlib.suppress(FileNotFound):
        if run.pending_file:
            center.delete(run.pending_file, user=run.discarded_by)
    first = run.first
    name = first.original_file
    if name.startswith(f"{UNFINISHED}/"):
        new_name = f"{FINISHED}/{name.removeprefix(f'{UNFINISHED}/')}"
        with contextlib.suppress(FileNotFound):
            center.place.move(name, new_name)
        first.original_file = new_name
        ImportRun.objects.filter(pk=first.pk).update(original_file=new_name)
