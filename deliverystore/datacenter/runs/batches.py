"""What a batch of records comes to, before it is written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.outcomes import Action, CellError, Outcome
from deliverystore.datacenter.rows.plans import Plan
from deliverystore.datacenter.runs.failing import Failure
from deliverystore.datacenter.runs.sources import Rows
from deliverystore.datacenter.tables import Record, is_blank
from deliverystore.models import ImportRun
from deliverystore.models.imports import COUNTS

_COUNTED = {
    Action.CREATED: "created",
    Action.UPDATED: "updated",
    Action.REMOVED: "removed",
    Action.UNCHANGED: "unchanged",
}
_LEFT = {
    ImportRun.Skipping.CANCELLED: _("Not tried: the import was cancelled."),
    ImportRun.Skipping.STOPPED: _("Not tried: a row before it failed."),
    ImportRun.Skipping.TOO_MANY_FAILED: _("Not tried: too many rows failed."),
    ImportRun.Skipping.TOO_MANY_REMOVED: _(
        "Not tried: too many objects would be removed."
    ),
}


@dataclass(kw_only=True)
class Done:
    """What became of some records: outcomes of those that went in, and failures."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def fail(self, record: Record, errors: Sequence[CellError]) -> None:
        """Add a record that failed."""
        self.failures.append((record, errors))
        self.counts["failed"] += 1
        self.counts["rows"] += 1

    def blank(self, records: int) -> None:
        """Add records without anything in them."""
        self.counts["blank"] += records
        self.counts["rows"] += records


def process(plan: Plan, rows: Rows) -> Done:
    """Do what the records say; what was wrong with them in the file is not tried."""
    done = Done()
    todo: list[Record] = []
    for record in rows.records:
        # What could not be read may look blank.
        if record.number in rows.faults:
            done.fail(record, rows.faults[record.number])
        elif is_blank(record.cells):
            done.blank(1)
        else:
            todo.append(record)
    outcomes = plan.process([(record.number, record.cells) for record in todo])
    if _hides_its_keys(plan.processor):
        outcomes = [one._replace(label="") for one in outcomes]
    for record, outcome in zip(todo, outcomes, strict=True):
        if outcome.action is Action.FAILED:
            done.fail(record, outcome.errors)
        else:
            done.outcomes.append(outcome)
            done.counts[_COUNTED[outcome.action]] += 1
    done.counts["rows"] += len(done.outcomes)
    done.counts["finished"] = len(done.outcomes)
    done.failures.sort(key=lambda failure: failure[0].number)
    return done


def _hides_its_keys(processor: BatchProcessor) -> bool:
    """Tell whether what an object is called is to be kept out of lists and logs."""
    return any(map(processor.is_key, processor.sensitive))


def leave(rows: Rows, why: CellError, known: Sequence[Failure] = ()) -> Done:
    """Fail all records: those known to have errors with these, the others with why."""
    done = Done()
    errors = {record.number: errors for record, errors in known}
    for record in rows.records:
        found = errors.get(record.number) or rows.faults.get(record.number)
        if not found and is_blank(record.cells):
            done.blank(1)
        else:
            done.fail(record, found or [why])
    return done


def added(one: Done, other: Done) -> Done:
    """Return what two parts of a batch come to."""
    return Done(
        counts={name: one.counts[name] + other.counts[name] for name in COUNTS},
        outcomes=[*one.outcomes, *other.outcomes],
        failures=[*one.failures, *other.failures],
    )


def left_out(skipping: ImportRun.Skipping) -> CellError:
    """Return the error of a row that was not tried."""
    return CellError(code=f"left.{skipping.value}", message=str(_LEFT[skipping]))


def held_back() -> CellError:
    """Return the error of a row that would have gone in, had no other one failed."""
    message = gettext("Not kept: other rows failed, and all or none was to go in.")
    return CellError(code="left.held_back", message=message)
