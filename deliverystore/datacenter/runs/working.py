"""Doing a run: batch by batch, each in one transaction with what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from django.db import IntegrityError, transaction

from deliverystore.datacenter import registry
from deliverystore.datacenter.logentries import log_changes
from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.rows.plans import Plan
from deliverystore.datacenter.runs import (
    batches,
    breaking,
    failing,
    finishing,
    limits,
    valuemaps,
    whole,
)
from deliverystore.datacenter.runs.batches import Done
from deliverystore.datacenter.runs.sources import (
    Rows,
    Source,
    open_source,
    position_of,
)
from deliverystore.datacenter.tables import BATCH_SIZE
from deliverystore.exceptions import RunBusy
from deliverystore.models import ImportRun, leases
from deliverystore.models.leases import Lease

Advance = Callable[[ImportRun], object]


def work(
    run: ImportRun,
    *,
    batch_size: int = BATCH_SIZE,
    advance: Advance = lambda _run: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> ImportRun:
    """Do a run, or go on with it where it was interrupted, until it is over.

    advance is called after each batch. Once is_stopped says so, the run is left at
    the end of a batch, and can be gone on with. Raise RunBusy if another worker is at
    it; what else is raised is in the run's error, too.
    """
    lease = leases.take(run)
    try:
        if _read_all(run, lease, batch_size, advance, is_stopped):
            finishing.finish(run, lease)
        else:
            lease.release(state=ImportRun.State.WAITING)
    except RunBusy:
        raise
    except Exception as error:
        breaking.break_off(run, lease, error)
        raise
    run.refresh_from_db()
    return run


def _read_all(
    run: ImportRun,
    lease: Lease,
    batch_size: int,
    advance: Advance,
    is_stopped: Callable[[], bool],
) -> bool:
    """Read the rows that are left; return whether all are read now."""
    if run.is_read:
        return True
    with open_source(run, position_of(run)) as source:
        worker = Worker(run, lease, source, batch_size)
        if run.is_in_one_go:
            if skipping := worker.skipping():
                lease.write(is_read=True, skipping=skipping)
            else:
                try:
                    whole.import_whole(worker)
                except IntegrityError:
                    _judge_whole(run, lease, batch_size)
            return True
        while not is_stopped():
            if not worker.step():
                return True
            advance(run)
    return False


def _judge_whole(run: ImportRun, lease: Lease, batch_size: int) -> None:
    """Do all rows again, each judged by rules that the database asks at the commit."""
    with open_source(run) as source:
        worker = Worker(run, lease, source, batch_size)
        worker.plan.judges_at_once = True
        whole.import_whole(worker)


class Worker:
    """Brings the rows of one run into the database; the caller has its lease."""

    def __init__(
        self, run: ImportRun, lease: Lease, source: Source, batch_size: int
    ) -> None:
        self.run = run
        self.lease = lease
        self._source = source
        self._batch_size = batch_size
        self.using = leases.database()
        self.plan = _plan(run)
        if run.max_removed.endswith("%") and run.objects_before is None:
            run.objects_before = _count_objects(self.plan)

    def read(self) -> Rows:
        """Return the next batch; without records, there are no more."""
        return self._source.read(self._batch_size)

    def step(self) -> bool:
        """Do a batch, and write down in the same transaction that it is done.

        Return whether there was one.
        """
        rows = self.read()
        if not rows.records:
            self.lease.write(is_read=True)
        elif skipping := self.skipping():
            self._leave(rows, skipping)
        else:
            self._do(rows)
        return bool(rows.records)

    def _do(self, rows: Rows) -> None:
        try:
            self._try(rows)
        except IntegrityError:
            if not self.plan.processor.can_be_undone:
                raise
            # A rule that the database judges at the commit: it has to say which rows.
            self.plan.judges_at_once = True
            self._try(rows)
            self.plan.judges_at_once = False

    def _try(self, rows: Rows) -> None:
        try:
            with transaction.atomic(using=self.using):
                self.lease.write()
                done = self._checked(rows, batches.process(self.plan, rows))
                new = self._write(rows, done)
        except TooMuch as stop:
            self._stop(rows, stop)
        else:
            self._adopt(new)

    def _checked(self, rows: Rows, done: Done) -> Done:
        """Return what was done. Raise TooMuch if the run has to stop at it."""
        run = self.run
        if run.on_error == ImportRun.OnError.STOP and done.failures:
            number = done.failures[0][0].number
            keep = next(n for n, one in enumerate(rows.records) if one.number == number)
            raise TooMuch(ImportRun.Skipping.STOPPED, done, keep)
        counts = _sum(run.counts, done.counts)
        if reason := limits.exceeded(run, counts, at_end=rows.is_last):
            raise TooMuch(reason, done, 0)
        return done

    def _write(self, rows: Rows, done: Done, **more: object) -> dict[str, object]:
        """Write down, in the transaction of the rows, what was done and where to go on.

        Return the run's new values, which are true once that is committed.
        """
        failing.write_failures(self.run, done.failures)
        self.log(done)
        position = asdict(rows.next)
        new: dict[str, object] = {**_sum(self.run.counts, done.counts), **position}
        new["objects_before"] = self.run.objects_before
        new.update(more)
        self.lease.write(**new)
        return new

    def log(self, done: Done) -> None:
        """Log the changes of objects, if the run asks for it."""
        processor = self.plan.processor
        if not self.run.log_changes or self.run.user_id is None:
            return
        if isinstance(processor, ModelProcessor):
            log_changes(
                done.outcomes,
                model=processor.model,
                user_id=self.run.user_id,
                using=self.using,
            )

    def _stop(self, rows: Rows, stop: TooMuch) -> None:
        """Do a batch again, but only the rows before the one that stops the run."""
        keep, rest = rows.records[: stop.keep], rows.records[stop.keep :]
        with transaction.atomic(using=self.using):
            self.lease.write()
            done = batches.added(
                batches.process(self.plan, replace(rows, records=keep)),
                batches.leave(
                    replace(rows, records=rest),
                    batches.left_out(stop.reason),
                    stop.done.failures,
                ),
            )
            new = self._write(rows, done, skipping=stop.reason)
        self._adopt(new)

    def _leave(self, rows: Rows, skipping: ImportRun.Skipping) -> None:
        if not self.run.rows:
            # Nothing came of it: the file can stay as it is.
            self.lease.write(is_read=True, skipping=skipping)
            return
        done = batches.leave(rows, batches.left_out(skipping))
        with transaction.atomic(using=self.using):
            self.lease.write()
            new = self._write(rows, done, skipping=skipping)
        self._adopt(new)

    def skipping(self) -> ImportRun.Skipping | None:
        """Return why rows are left from here on, if they are."""
        run = self.run
        if not run.skipping:
            mine = ImportRun.objects.filter(pk=run.pk, cancelling=True)
            if not mine.exists():
                return None
            run.skipping = ImportRun.Skipping.CANCELLED
        return ImportRun.Skipping(run.skipping)

    def _adopt(self, new: Mapping[str, object]) -> None:
        for name, value in new.items():
            setattr(self.run, name, value)


class TooMuch(Exception):
    """The run stops in this batch: why, what was found, how many rows may go in."""

    def __init__(self, reason: ImportRun.Skipping, done: Done, keep: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.done = done
        self.keep = keep


def _plan(run: ImportRun) -> Plan:
    processor = registry.get_processor(run.processor)
    return processor.prepare(
        run.header,
        Mode(run.mode),
        mapping=run.mapping,
        value_maps=valuemaps.value_maps(run.processor),
        with_changes=run.dry_run,
    )


def _count_objects(plan: Plan) -> int | None:
    processor = plan.processor
    if isinstance(processor, ModelProcessor):
        return int(processor.get_queryset().using(processor.using).count())
    return None


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one[name] + other[name] for name in one}
