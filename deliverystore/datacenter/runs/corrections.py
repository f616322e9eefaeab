"""What is done about rows that failed: corrected, edited, or given up."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import ngettext

from deliverystore.datacenter import importers, logs, registry
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.naming import FINISHED, UNFINISHED
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs import leftovers, valuemaps
from deliverystore.datacenter.runs.own import Own
from deliverystore.datacenter.runs.texts import dumped
from deliverystore.datacenter.words import did_you_mean, listed
from deliverystore.exceptions import FileNotFound, RunRefused
from deliverystore.models import FailedRow, ImportRun, leases
from deliverystore.models.access import User

# What is left of these can be given up.
_GIVEN_UP = (*ImportRun.LEFT_OVER, ImportRun.State.BROKEN)
# Of more values, none is looked for in the database.
_MAX_LOOKED_FOR = 50
# So much of a value is looked for: SQLite takes no longer patterns than 50,000 bytes.
_LOOKED_FOR = 1000


def correct_values(
    run: ImportRun, column: str, values: Mapping[str, str], user: User | None = None
) -> int:
    """Read other values of a column instead of wrong ones, in all runs from now on.

    It counts for the processor of this run, and for columns with this header. A value
    is a whole cell, also where a cell has a list; blanks around it do not count.

    Return how many of the run's failed rows have one of the wrong values: with 0, none
    of them changes, and it is only remembered. Raise NotPermitted, or RunRefused if
    the file has no such column, or it goes to a sensitive field: corrections are a
    list, which can be seen. Or the run removes objects, and it goes to a key: each row
    that names another object than the file does is to be edited by itself.
    """
    remember_values(run, column, values, user)
    return _count_having(run, run.header.index(column), set(map(str.strip, values)))


def remember_values(
    run: ImportRun, column: str, values: Mapping[str, str], user: User | None = None
) -> None:
    """Do the same without counting rows, of which there may be very many."""
    importers.ask(user, run.processor, run.mode)
    if column not in run.header:
        columns = own_columns(run)
        question = did_you_mean(column, columns) or f"it has: {listed(columns)}."
        raise RunRefused(f"{run.file!r} has no column {column!r}; {question}")
    processor, field = registry.get_processor(run.processor), run.mapping.get(column)
    if field in processor.sensitive:
        raise RunRefused(f"{column!r} is kept out of all lists: edit its rows.")
    if names_removed(run, processor, field):
        raise RunRefused(f"{column!r} names what is to be removed: edit its rows.")
    with transaction.atomic(using=leases.database()):
        for wrong, right in values.items():
            user_id = user.pk if user else None
            valuemaps.remember(run.processor, column, wrong, right, user_id)
    logs.log_event(
        "correct", run.file, user, run=run.pk, column=column, values=len(values)
    )


def names_removed(run: ImportRun, processor: BatchProcessor, field: str | None) -> bool:
    """Tell whether a field says which objects a run removes."""
    is_key = field is not None and processor.is_key(field)
    return is_key and Mode(run.mode) is Mode.REMOVE


def own_columns(run: ImportRun) -> list[str]:
    """Return the columns of a run's file, without the one that has the errors."""
    return Own(run.header).columns


def own_cells(row: FailedRow) -> list[str]:
    """Return the cells with which a row is tried again, as edit_row takes them."""
    return Own(row.run.header).cells(row.current_cells)


def edit_row(row: FailedRow, cells: Sequence[str], user: User | None = None) -> None:
    """Change the cells with which a row is tried again: one for each of own_columns.

    Raise NotPermitted, or RunRefused if there are not as many as columns, or no rows
    of the run are left.
    """
    with _left_over(row.run, user):
        own = Own(row.run.header)
        if len(cells) != len(own.columns):
            text = ngettext(
                "The row needs %(wanted)d cell, not %(given)d: %(columns)s.",
                "The row needs %(wanted)d cells, not %(given)d: %(columns)s.",
                len(own.columns),
            )
            counts = {"wanted": len(own.columns), "given": len(cells)}
            raise RunRefused(text % {**counts, "columns": listed(own.columns)})
        row.edited_json = dumped(own.whole(cells))
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


def _count_having(run: ImportRun, place: int, values: Collection[str]) -> int:
    """Return how many failed rows have one of some values at a place."""
    rows = FailedRow.objects.filter(run=run)
    if len(values) <= _MAX_LOOKED_FOR:
        # The database leaves out most; blanks may be around a value.
        parts = [dumped(value)[1:-1][:_LOOKED_FOR] for value in values]
        wanted = (Q(cells_json__contains=part) for part in parts)
        edited = (Q(edited_json__contains=part) for part in parts)
        rows = rows.filter(reduce(or_, [*wanted, *edited], Q(pk__in=[])))
    texts = rows.values_list("cells_json", "edited_json").iterator()
    cells = (json.loads(now or first)[place : place + 1] for first, now in texts)
    return sum(bool(one) and one[0].strip() in values for one in cells)


@contextlib.contextmanager
def _left_over(
    run: ImportRun,
    user: User | None,
    states: Collection[ImportRun.State] = ImportRun.LEFT_OVER,
) -> Iterator[None]:
    """Lock a run with rows that are left while the block changes something."""
    importers.ask(user, run.processor, run.mode)
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
