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
from deliverystore.datacenter.rows.columns import Values
from deliverystore.datacenter.rows.facts import Facts
from deliverystore.datacenter.rows.obstacles import refers_to_itself
from deliverystore.datacenter.rows.outcomes import Action, Outcome, Row
from deliverystore.datacenter.rows.plans import Plan
from deliverystore.datacenter.rows.tasks import OrderMatters

if TYPE_CHECKING:
    from deliverystore.datacenter.modelprocessor import ModelProcessor


class BulkPlan(Plan):
    """Writes a batch as a whole; by_row knows how to do a single row.

    The outcomes are those of by_row. Where the database refuses a batch, what the rows
    name is looked up; if it is refused again, each half is tried by itself, after what
    went in before it, until the bad rows are alone.
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
        # While nothing fails, what is new is written without a look.
        self._trusts = self._facts.is_guarded

    def process(self, rows: Sequence[Row]) -> list[Outcome]:
        self._by_row.judges_at_once = self.judges_at_once
        outcomes: dict[int, Outcome] = {}
        todo: list[tuple[int, Row, Values]] = []
        read = self.columns.read(rows, with_objects=self._facts.needs_objects)
        for place, (row, values) in enumerate(zip(rows, read, strict=True)):
            if not isinstance(values, list):
                todo.append((place, row, values))
                continue
            if self._refers_to_itself and any(one.code == "missing" for one in values):
                # A row before it may make what is missing.
                return self._by_row.process(rows)
            outcomes[place] = self.failed(row, values)
        self._apply(todo, outcomes, trusting=self._trusts)
        self._trusts = self._facts.is_guarded and all(
            outcomes[place].action is not Action.FAILED for place, _row, _values in todo
        )
        return [outcomes[place] for place in range(len(rows))]

    def _apply(
        self,
        todo: list[tuple[int, Row, Values]],
        outcomes: dict[int, Outcome],
        *,
        trusting: bool = False,
    ) -> None:
        if not todo:
            return
        try:
            found = self._run([one[1:] for one in todo], trusting=trusting)
        except OrderMatters:
            found = [self._alone(row) for _place, row, _values in todo]
        except Exception as error:
            if isinstance(error, DatabaseError | InterfaceError) and not isinstance(
                error, IntegrityError | DataError
            ):
                raise
            if trusting:
                self._apply(todo, outcomes)
                return
            if len(todo) > 1:
                half = len(todo) // 2
                self._apply(todo[:half], outcomes)
                self._apply(todo[half:], outcomes)
                return
            found = [self._alone(row) for _place, row, _values in todo]
        places = (place for place, _row, _values in todo)
        outcomes.update(zip(places, found, strict=True))

    def _run(self, rows: list[tuple[Row, Values]], *, trusting: bool) -> list[Outcome]:
        """Do rows together, or raise an error and leave nothing of them."""
        with transaction.atomic(using=self.processor.using):
            found = Batch(self, self._facts, rows).run(trusting=trusting)
            if self.judges_at_once:
                self.processor.judge()
        return found

    def _alone(self, row: Row) -> Outcome:
        return self._by_row.process([row])[0]
