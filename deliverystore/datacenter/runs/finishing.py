"""The end of a run: its files are where they belong, and its state says how it is."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from deliverystore.datacenter import files, naming
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.distribution import RESULTS_PREFIX
from deliverystore.datacenter.journal import Distribution
from deliverystore.datacenter.naming import FINISHED, UNFINISHED, Kind
from deliverystore.datacenter.runs import leftovers, results
from deliverystore.datacenter.runs.sources import is_unchanged
from deliverystore.exceptions import FileNotFound
from deliverystore.models import ImportRun, leases
from deliverystore.models.leases import Lease

State = ImportRun.State


def finish(run: ImportRun, lease: Lease) -> None:
    """Distribute the files of a run that has read all its rows, and end it.

    Killed, it can be called again.
    """
    run.refresh_from_db()
    where = None
    if run.dry_run or (run.skipping and not run.rows):
        # Nothing came of it, so the file stays where it is.
        _end(run, lease, where)
        return
    center = DataCenter()
    center.finish_distribution(run.file)
    earlier = _earlier(center, run)
    with tempfile.TemporaryDirectory(prefix=RESULTS_PREFIX) as folder:
        finished, pending = Path(folder, "finished.csv"), Path(folder, "pending.csv")
        waits = _waits(center, run)
        if waits:
            results.write_finished(run, finished)
            if run.failed:
                results.write_pending(run, pending)
        with transaction.atomic(using=leases.database()):
            # As long as the row is locked, nobody else distributes the same files.
            lease.write()
            if waits:
                where = center.distribute_processed_files(
                    not run.failed,
                    run.file,
                    finished,
                    pending if run.failed else None,
                    run.mode,
                    user=run.user,
                )
            _end(run, lease, where or _found(center, run))
    if where is not None:
        _remember(center, run, where, earlier=earlier)


def end_state(run: ImportRun) -> ImportRun.State:
    """Return the state of a run that has read all its rows."""
    if run.dry_run:
        return State.TRIED
    if run.skipping == ImportRun.Skipping.CANCELLED:
        # Cancelled too late if nothing was left.
        return State.CANCELLED if run.failed or not run.rows else State.FINISHED
    if not run.failed:
        return State.FINISHED
    return State.STOPPED if run.skipping else State.PENDING


def _end(run: ImportRun, lease: Lease, where: Distribution | None) -> None:
    names = {}
    if where is not None:
        names = {
            "finished_file": where.finished,
            "pending_file": where.pending or "",
            "original_file": (where.original or "") if _is_first(run) else "",
        }
    with transaction.atomic(using=leases.database()):
        lease.write(state=end_state(run), ended=timezone.now(), **names)
        lease.release()
        if where is not None and run.parent is not None:
            _end_parent(run.parent, where)


def _earlier(center: DataCenter, run: ImportRun) -> int | None:
    """Return how many rows of earlier tries are in the finished file, if known."""
    if run.parent is None:
        return 0
    family = naming.parse(run.file).source
    name = f"{FINISHED}/{naming.finished_name(family, run.mode)}"
    try:
        return center.get_file(name).records
    except FileNotFound:
        return 0


def _remember(
    center: DataCenter, run: ImportRun, where: Distribution, *, earlier: int | None
) -> None:
    """Let lists say how many rows the files have that were just made."""
    counts = {where.pending: run.failed}
    if earlier is not None:
        counts[where.finished] = earlier + run.finished
    for path, count in counts.items():
        # Somebody may have taken the file already.
        with contextlib.suppress(FileNotFound):
            if path:
                files.remember_records(center.get_file(path), count)


def _end_parent(parent: ImportRun, where: Distribution) -> None:
    """Write down that what failed in a run was tried again."""
    leftovers.end(parent)
    if where.original:
        ImportRun.objects.filter(pk=parent.first.pk).update(
            original_file=where.original
        )


def _is_first(run: ImportRun) -> bool:
    """Tell whether the file of a run is no pending file."""
    return naming.parse(run.file).kind is not Kind.PENDING


def _waits(center: DataCenter, run: ImportRun) -> bool:
    """Tell whether the file is still where it was when the run began."""
    try:
        return is_unchanged(center.place, run)
    except FileNotFound:
        return False


def _found(center: DataCenter, run: ImportRun) -> Distribution:
    """Return where the files are that were distributed before an interruption."""
    folder = UNFINISHED if run.failed else FINISHED
    family = naming.parse(run.file).source
    original: str | None = None
    if _is_first(run):
        names = naming.alternatives(f"{folder}/{run.file}")
        original = next(name for name in names if _is_source(center, run, name))
        family = original.rpartition("/")[2]
    elif not run.failed:
        original = f"{FINISHED}/{family}"
    pending = naming.pending_name(family, run.mode) if run.failed else None
    return Distribution(
        finished=f"{FINISHED}/{naming.finished_name(family, run.mode)}",
        pending=pending,
        original=original,
    )


def _is_source(center: DataCenter, run: ImportRun, name: str) -> bool:
    """Tell whether a file has the bytes that were imported."""
    same_size = center.place.entry(name).size == run.size
    return same_size and center.place.digest(name) == run.digest
