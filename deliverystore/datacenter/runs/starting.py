"""Runs that begin: whether they may is asked, and what cannot work is said at once."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import asdict
from pathlib import Path

from django.db import IntegrityError, transaction

from deliverystore.datacenter import (
    importers,
    logs,
    naming,
    pending,
    permissions,
    registry,
)
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.journal import stamp
from deliverystore.datacenter.locks import locked
from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.reader import open_table
from deliverystore.datacenter.rows.arranging import Mapped
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs import (
    hidden,
    leftovers,
    limits,
    mappings,
    refusals,
    results,
    tasks,
)
from deliverystore.datacenter.tables import OUR_OWN, Layout
from deliverystore.exceptions import (
    ColumnsRefused,
    FileExists,
    RunBusy,
    RunRefused,
    TableUnreadable,
)
from deliverystore.models import ImportRun, leases
from deliverystore.models.access import User
from deliverystore.streams import chunks_of

OnError = ImportRun.OnError


def start_run(
    file: str,
    processor: str = "",
    mode: str = "",
    mapping: Mapped | None = None,
    user: User | None = None,
    *,
    on_error: str = OnError.PENDING,
    max_failed: int | str | None = None,
    max_removed: int | str | None = None,
    dry_run: bool = False,
    layout: Layout | None = None,
    log_changes: bool | None = None,
    enqueue: bool = True,
) -> ImportRun:
    """Begin the import of a file that waits in the data center; return its run.

    Of a pending file, processor, mode, mapping and limits are those of the run that
    left it, if they are not given; "" is no limit. Columns of which mapping says
    nothing go where suggested_mapping has them; what it does say is remembered.

    max_failed and max_removed are numbers or shares ("5%"). layout says how the file
    is written, if that cannot be found out. Changes are logged if there is a user,
    unless log_changes says otherwise. A worker does the run once the transaction is
    committed, unless enqueue says that the caller will.

    Raise NotPermitted, FileNotFound, TableUnreadable, ColumnsRefused,
    ProcessorNotFound; InvalidName if there is no room for the names of its results;
    RunRefused if something does not fit; RunBusy if the file has a run that is not
    over.
    """
    parent = pending.run_of(file)
    if parent is not None:
        what = f"import the rows in {file!r}"
        pending.ask(user, parent, what, permissions.DOWNLOAD)
    processor = processor or (parent.processor if parent else "")
    mode = mode or (parent.mode if parent else "")
    inherited = parent.mapping if parent and mapping is None else {}
    run = ImportRun(
        file=file,
        processor=processor,
        mode=mode,
        mapping=dict(mapping or {}),
        user_id=user.pk if user else None,
        parent=parent,
        on_error=_known(on_error),
        **limits.of_try(parent, max_failed, max_removed),
        dry_run=dry_run,
        log_changes=user is not None if log_changes is None else log_changes,
    )
    check(run, user)
    naming.check_results(run.file, run.mode)
    _look_at(run, layout or Layout(), inherited)
    if parent is not None:
        hidden.check(run, parent, user)
    with transaction.atomic(using=leases.database()):
        if parent is not None:
            _hold(parent)
        begin(run, enqueue=enqueue)
        # Only what somebody has said, and not just tried out.
        if mapping and not dry_run:
            mappings.remember(run.processor, run.header, run.mapping, run.user_id)
    return run


def retry(
    run: ImportRun,
    user: User | None = None,
    *,
    max_failed: int | str | None = None,
    max_removed: int | str | None = None,
    enqueue: bool = True,
) -> ImportRun:
    """Try the rows again that failed in a run, edited and corrected as they are now.

    The limits are those of the run, if no others are given; "" is no limit. Return the
    new run, which ends as one of the pending file would. Raise NotPermitted, RunBusy,
    or RunRefused if no rows are left.
    """
    with transaction.atomic(using=leases.database()):
        _hold(run)
        if not run.failed:
            raise RunRefused(f"No rows of import {run.pk} are left to be tried again.")
        new = _another_try(run, user, limits.of_try(run, max_failed, max_removed))
        check(new, user)
        center = DataCenter()
        _put_back(center, run)
        entry = center.place.entry(new.file)
        new.stamp, new.size = stamp(entry), entry.size
        new.digest = center.place.digest(new.file)
        begin(new, enqueue=enqueue)
    return new


def _hold(run: ImportRun) -> None:
    """Keep others from the rows that a run has left, which may be tried by now."""
    leftovers.lock(run)
    if leftovers.are_tried(run):
        raise RunBusy(f"{run.pending_file!r} has an import that is not over.")


def _another_try(
    run: ImportRun, user: User | None, limited: dict[str, str]
) -> ImportRun:
    return ImportRun(
        file=run.pending_file,
        layout=asdict(OUR_OWN),
        header=run.header,
        processor=run.processor,
        mode=run.mode,
        mapping=run.mapping,
        user_id=user.pk if user else None,
        parent=run,
        from_parent=True,
        on_error=run.on_error,
        **limited,
        log_changes=user is not None,
    )


def _put_back(center: DataCenter, run: ImportRun) -> None:
    """Write the pending file of a run again, if somebody took it away.

    What is in it is in the database; the end of a run goes by its name.
    """
    if center.place.exists(run.pending_file):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pending.csv")
        results.write_pending(run, path)
        with path.open("rb") as file, contextlib.suppress(FileExists):
            center.place.create([run.pending_file], chunks_of(file))


def check(run: ImportRun, user: User | None) -> None:
    """Raise what is wrong with a run's processor, its mode, or its user's rights."""
    modes = [one.value for one in Mode]
    if run.mode not in modes:
        raise RunRefused(f"{run.mode!r} is no mode; choose one of {', '.join(modes)}.")
    importers.ask(user, run.processor, run.mode)
    processor = registry.get_processor(run.processor)
    if Mode(run.mode) not in processor.modes:
        raise RunRefused(f"{run.processor!r} does not {run.mode}.")
    if isinstance(processor, ModelProcessor) and processor.using != leases.database():
        raise RunRefused(
            f"{run.processor!r} writes to the database {processor.using!r}, but runs "
            f"are kept in {leases.database()!r}: rows and what is known of them must "
            "be in one."
        )
    undoes = run.is_in_one_go or run.on_error == OnError.STOP or run.max_removed
    if (undoes or run.max_failed) and not processor.can_be_undone:
        raise RunRefused(
            f"What {run.processor!r} does cannot be undone: there is no dry run of it, "
            "nor can bad rows or a limit stop it."
        )


def begin(run: ImportRun, *, enqueue: bool) -> None:
    """Store a new run, and hand it to a worker once that is committed.

    Raise FileNotFound if the file was deleted meanwhile; from here on it cannot be.
    """
    using = leases.database()
    with locked(naming.file_lock(run.file)):
        DataCenter().place.entry(run.file)
        try:
            with transaction.atomic(using=using):
                run.save(force_insert=True)
        except IntegrityError as error:
            raise RunBusy(f"{run.file!r} has an import that is not over.") from error
    facts = {"processor": run.processor, "mode": run.mode, "run": run.pk}
    logs.log_event("import", run.file, run.user, **facts)
    if enqueue:
        tasks.enqueue(run)


def _look_at(run: ImportRun, layout: Layout, inherited: Mapped) -> None:
    """Fill in what the file says of itself, and try its columns on the processor.

    Of an inherited mapping counts what is about columns that the file still has.
    """
    center = DataCenter()
    entry = center.place.entry(naming.clean_path(run.file))
    if "/" in entry.name:
        raise RunRefused(f"{run.file!r} does not wait to be imported.")
    run.size, run.stamp = entry.size, stamp(entry)
    run.digest = center.place.digest(entry.name)
    with center.open(run.file) as file:
        table = open_table(file, name=run.file, **layout.declared)
        if table.problems:
            raise TableUnreadable(table.problems[0])
        run.header = list(table.header)
        run.layout = asdict(table.layout)
    kept = {one: inherited[one] for one in run.header if one in inherited}
    suggestion = mappings.suggested_mapping(
        run.header, run.processor, run.mode, mapping=run.mapping or kept
    )
    run.mapping |= suggestion.mapping
    processor = registry.get_processor(run.processor)
    try:
        processor.prepare(run.header, Mode(run.mode), mapping=run.mapping)
    except ColumnsRefused as error:
        raise refusals.explained(error, processor, run.mapping) from error


def _known(on_error: str) -> str:
    if on_error not in OnError.values:
        known = ", ".join(OnError.values)
        raise RunRefused(f"{on_error!r} is no choice; there are: {known}.")
    return on_error
