"""Doing all rows of a run in one transaction: to keep all or none, or to try it out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import IO, TYPE_CHECKING

from django.db import transaction

from deliverystore.datacenter.rows.outcomes import Action, CellError, Outcome
from deliverystore.datacenter.runs import batches, failing, limits
from deliverystore.datacenter.runs.batches import Done
from deliverystore.datacenter.runs.failing import Failure
from deliverystore.datacenter.runs.sources import open_source
from deliverystore.datacenter.runs.texts import dumped
from deliverystore.datacenter.tables import Record
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from deliverystore.datacenter.runs.working import Worker

# So many changes are shown of a dry run.
MAX_DIFFERENCES = 200
_BATCH = 1000


def import_whole(worker: Worker) -> None:
    """Do all rows. Of a dry run nothing stays; else nothing if one of them fails."""
    run = worker.run
    with _Tape() as tape:
        with transaction.atomic(using=worker.using):
            # Nobody takes the run over as long as its row is locked.
            worker.lease.write()
            tried = _do_all(worker, tape)
            # What is rolled back never comes to the commit.
            worker.plan.processor.judge()
            reason = limits.exceeded(run, tried.counts, at_end=True)
            is_undone = bool(run.dry_run or tried.counts["failed"] or reason)
            worker.lease.write(**tried.counts, is_read=True)
            transaction.set_rollback(is_undone, using=worker.using)
        if is_undone:
            with transaction.atomic(using=worker.using):
                worker.lease.write()
                if run.dry_run:
                    _report(worker, tried, tape, reason)
                else:
                    _hold_back(worker, tape, reason)
    run.refresh_from_db()


def _do_all(worker: Worker, tape: _Tape) -> Done:
    """Return the counts of all rows, and the first outcomes that change something."""
    total = Done()
    while (rows := worker.read()).records:
        done = batches.process(worker.plan, rows)
        worker.log(done)
        for failure in done.failures:
            tape.write(failure)
        left = MAX_DIFFERENCES - len(total.outcomes)
        changes = (one for one in done.outcomes if one.action is not Action.UNCHANGED)
        done.outcomes, done.failures = list(islice(changes, left)), []
        total = batches.added(total, done)
    return total


def _report(
    worker: Worker, tried: Done, tape: _Tape, reason: ImportRun.Skipping | None
) -> None:
    """Write down what a dry run has found."""
    failures = tape.read()
    while some := list(islice(failures, _BATCH)):
        failing.write_failures(worker.run, some)
    worker.lease.write(
        **tried.counts,
        is_read=True,
        skipping=reason or "",
        differences=dumped([_difference(one) for one in tried.outcomes]),
    )


def _hold_back(worker: Worker, tape: _Tape, reason: ImportRun.Skipping | None) -> None:
    """Write down that no row went in: some failed, the others were not to stay."""
    run = worker.run
    why = batches.left_out(reason) if reason else batches.held_back()
    failures = tape.read()
    known = next(failures, None)
    total = Done()
    with open_source(run) as source:
        for rows in source.all():
            mine: list[Failure] = []
            while known and known[0].number <= rows.records[-1].number:
                mine.append(known)
                known = next(failures, None)
            done = batches.leave(rows, why, mine)
            failing.write_failures(run, done.failures)
            done.failures = []
            total = batches.added(total, done)
    skipping = reason or ImportRun.Skipping.STOPPED
    worker.lease.write(**total.counts, is_read=True, skipping=skipping)


def _difference(outcome: Outcome) -> dict[str, object]:
    return {
        "number": outcome.number,
        "action": outcome.action.value,
        "label": outcome.label,
        "changes": [asdict(change) for change in outcome.changes],
    }


class _Tape:
    """Failures that outlive the transaction in which they were found."""

    def __init__(self) -> None:
        self._file: IO[str] = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115

    def __enter__(self) -> _Tape:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()

    def write(self, failure: Failure) -> None:
        record, errors = failure
        line = [*record, [asdict(error) for error in errors]]
        self._file.write(dumped(line) + "\n")

    def read(self) -> Iterator[Failure]:
        self._file.seek(0)
        for line in self._file:
            *record, errors = json.loads(line)
            yield Record(*record), [CellError(**one) for one in errors]
