"""Many rows at a time: a few statements for each batch, whatever it has in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    transaction,
)

from deliverystore.datacenter.rows.batch import Batch
from deliverystore.datacenter.rows.columns import Read, Values
from deliverystore.datacenter.rows.creating import create
from deliverystore.datacenter.rows.facts import Facts
from deliverystore.datacenter.rows.obstacles import refers_to_itself
from deliverystore.datacenter.rows.outcomes import Action, Mode, Outcome, Row
from deliverystore.datacenter.rows.plans import Plan
from deliverystore.datacenter.rows.tasks import OrderMatters
from deliverystore.datacenter.rows.updating import update

if TYPE_CHECKING:
    from deliverystore.datacenter.modelprocessor import ModelProcessor


class BulkPlan(Plan):
    """Writes a batch as a whole; by_row knows how to do a single row.

    The outcomes are those of by_row. Objects are made or changed at once where nothing
    speaks against it. Else what others have is looked up; where the database refuses a
    batch all the same, each half is tried by itself, after what went in before it,
    until the bad rows are alone.
    """

    processor: ModelProcessor

    def __init__(
        self, processor: ModelProcessor, base: type[ModelProcessor], by_row: Plan
    ) -> None:
        super().__init__(
            processor, by_row.columns, by_row.mode, with_changes=by_row.with_changes
        )
        self._by_row = by_row
        self._facts = Facts(processor, base)
        self._refers_to_itself = refers_to_itself(processor)
        self._can_trust = (
            self.mode is Mode.CREATE and self._facts.is_plain and not self.with_changes
        )
        # While nothing fails, new objects are made without a look at the others.
        self._trusts = self._can_trust
        self._updates = (
            self.mode is Mode.UPDATE
            and self._facts.is_plain
            and len(self._facts.keys) == 1
            and not self.with_changes
        )

    def process(self, rows: Sequence[Row]) -> list[Outcome]:
        self._by_row.judges_at_once = self.judges_at_once
        read = self.columns.read(rows, with_objects=self._facts.needs_objects)
        if self._refers_to_itself and _miss_something(read):
            # A row before it may make what is missing.
            return self._by_row.process(rows)
        found = {
            place: self.failed(rows[place], errors)
            for place, errors in read.faults.items()
        }
        done = self._done([rows[place] for place in read.places], read)
        found.update(zip(read.places, done, strict=True))
        return [found[place] for place in range(len(rows))]

    def _done(self, rows: list[Row], read: Read) -> list[Outcome]:
        """Do the rows that have no fault in their cells."""
        if not rows:
            return []
        if self._trusts and not self.judges_at_once:
            done = create(self._facts, self.columns, rows, read)
            if done is not None:
                return done
        if self._updates and not self.judges_at_once:
            changed = update(self._facts, self.columns, rows, read)
            if changed is not None:
                return self._with_others(rows, read, changed)
        done = self._apply(list(zip(rows, read.rows(), strict=True)))
        failed = any(outcome.action is Action.FAILED for outcome in done)
        self._trusts = self._can_trust and not failed
        return done

    def _with_others(
        self, rows: list[Row], read: Read, done: dict[int, Outcome]
    ) -> list[Outcome]:
        """Do the rows that have no outcome yet; return all outcomes."""
        if len(done) < len(rows):
            left = [place for place in range(len(rows)) if place not in done]
            values = read.rows()
            others = self._apply([(rows[place], values[place]) for place in left])
            done |= dict(zip(left, others, strict=True))
        return [done[place] for place in range(len(rows))]

    def _apply(self, rows: list[tuple[Row, Values]]) -> list[Outcome]:
        try:
            return self._run(rows)
        except OrderMatters:
            return [self._alone(row) for row, _values in rows]
        except Exception as error:
            if isinstance(error, DatabaseError | InterfaceError) and not isinstance(
                error, IntegrityError | DataError
            ):
                raise
            if len(rows) == 1:
                return [self._alone(rows[0][0])]
        half = len(rows) // 2
        return [*self._apply(rows[:half]), *self._apply(rows[half:])]

    def _run(self, rows: list[tuple[Row, Values]]) -> list[Outcome]:
        """Do rows together, or raise an error and leave nothing of them."""
        with transaction.atomic(using=self.processor.using):
            found = Batch(self, self._facts, rows).run()
            if self.judges_at_once:
                self.processor.judge()
        return found

    def _alone(self, row: Row) -> Outcome:
        return self._by_row.process([row])[0]


def _miss_something(read: Read) -> bool:
    return any(
        error.code == "missing" for errors in read.faults.values() for error in errors
    )
