"""What is done about rows that failed: corrected, edited, or given up."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from deliverystore.datacenter import leases, logs, registry
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.naming import FINISHED, UNFINISHED
from deliverystore.datacenter.runs import leftovers, permissions, valuemaps
from deliverystore.datacenter.runs.texts import dumped
from deliverystore.exceptions import FileNotFound, RunRefused
from deliverystore.models import FailedRow, ImportRun
from deliverystore.models.access import User

# What is left of these can be given up.
_GIVEN_UP = (*ImportRun.LEFT_OVER, ImportRun.State.BROKEN)


def correct_values(
    run: ImportRun, column: str, values: Mapping[str, str], user: User | None = None
) -> None:
    """Read other values of a column instead of wrong ones, in all runs from now on.

    It counts for the processor of this run, and for columns with this header.
    Raise NotPermitted, or RunRefused if the file has no such column, or it goes to a
    sensitive field: corrections are a list, which can be seen.
    """
    permissions.ask(user, run.processor, run.mode)
    if column not in run.header:
        raise RunRefused(f"{run.file!r} has no column {column!r}.")
    if run.mapping.get(column) in registry.get_processor(run.processor).sensitive:
        raise RunRefused(f"{column!r} is kept out of all lists: edit its rows.")
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

    The pending file goes to the deleted ones, the original to the finished ones. Of a
    run that broke off, what was not read is given up, too: its file goes to the
    deleted ones, unless nothing of it was read.

    Killed, it can be called again. Raise NotPermitted, RunRefused.
    """
    with _left_over(run, user, _GIVEN_UP):
        file = run.pending_file
        if run.state == ImportRun.State.BROKEN:
            file = run.file if run.rows else ""
            # Nobody holds it any more.
            ImportRun.objects.filter(pk=run.pk).update(state=ImportRun.State.DISCARDED)
            if run.parent is not None and run.rows:
                leftovers.end(run.parent)
        run.discarded_by_id = user.pk if user else None
        _close_files(run, file)
        run.discarded_at = timezone.now()
        run.discarded_because = reason
        run.state = ImportRun.State.DISCARDED
        run.save()
        logs.log_event("discard", run.file, run.discarded_by, run=run.pk)


@contextlib.contextmanager
def _left_over(
    run: ImportRun,
    user: User | None,
    states: Collection[ImportRun.State] = ImportRun.LEFT_OVER,
) -> Iterator[None]:
    """Lock a run with rows that are left while the block changes something."""
    permissions.ask(user, run.processor, run.mode)
    with transaction.atomic(using=leases.database()):
        leftovers.lock(run, states)
        if leftovers.are_tried(run):
            raise RunRefused(f"The rows of import {run.pk} are being tried again.")
        yield


def _close_files(run: ImportRun, file: str) -> None:
    center = DataCenter()
    # What is not there any more was moved by an earlier call.
    with contextlib.suppress(FileNotFound):
        if file:
            center.delete(file, user=run.discarded_by)
    if run.parent is not None and run.parent.state in ImportRun.LEFT_OVER:
        # It has the rows now that were to be tried again.
        return
    first = run.first
    name = first.original_file
    if name.startswith(f"{UNFINISHED}/"):
        new_name = f"{FINISHED}/{name.removeprefix(f'{UNFINISHED}/')}"
        with contextlib.suppress(FileNotFound):
            center.place.move(name, new_name)
        first.original_file = new_name
        ImportRun.objects.filter(pk=first.pk).update(original_file=new_name)
