"""All imports of the same rows: the first one, and each that tried what was left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deliverystore.models import ImportRun, lineage

# It takes patience to have more.
MAX_TRIES = 20
# What is large, and not asked for.
_LARGE = ("header", "mapping", "differences")
_NOTHING_DONE = (ImportRun.State.CANCELLED, ImportRun.State.FAILED)


@dataclass(frozen=True, kw_only=True)
class Together:
    """What has become of the rows of some tries.

    rows = finished + left + blank + gone. Those that are gone had failed, and did not
    come back in the file that was tried again; new ones are among the rows.
    is_given_up says that nobody is to try what is left.
    """

    rows: int
    finished: int
    left: int
    blank: int
    gone: int
    new: int
    is_given_up: bool


def tries_of(run: ImportRun) -> list[ImportRun]:
    """Return the imports of a run's rows in their order, the run among them.

    Dry runs, and those that did nothing, are left out; of very many, some are.
    """
    if run.dry_run:
        return [run]
    using = ImportRun.objects.db
    before = lineage.above(run.parent_id, using) if run.parent_id else ()
    above = [one.id for one in before[: MAX_TRIES - 1]]
    below = lineage.below(run.pk, using, 2 * MAX_TRIES)
    if not (above or below):
        return [run]
    wanted = ImportRun.objects.filter(pk__in=[*above, *below]).defer(*_LARGE)
    known = {one.pk: one for one in wanted}
    later = _newest(one for one in known.values() if one.pk in set(below))
    found = [known[pk] for pk in reversed(above) if pk in known] + [run]
    while (latest := later.get(found[-1].pk)) and len(found) < 2 * MAX_TRIES:
        found.append(latest)
    return found


def together(tries: Sequence[ImportRun]) -> Together | None:
    """Return what has become of all rows; None if that cannot be told now.

    In a pending file, rows may have been added or left out.
    """
    first, last = tries[0], tries[-1]
    if first.parent_id is not None or not last.is_over:
        return None
    done = [one for one in tries if one is first or not _read_nothing(one)]
    last = done[-1]
    changes = [new.rows - old.failed for old, new in pairwise(done)]
    is_given_up = last.state == ImportRun.State.DISCARDED
    # What it has not read is given up, too.
    unread = -changes.pop() if is_given_up and changes and not last.is_read else 0
    added = sum(one for one in changes if one > 0)
    return Together(
        rows=first.rows + added,
        finished=sum(one.finished for one in tries),
        left=last.failed + unread,
        blank=sum(one.blank for one in tries),
        gone=-sum(one for one in changes if one < 0),
        new=added,
        is_given_up=is_given_up,
    )


def _read_nothing(one: ImportRun) -> bool:
    """Tell whether an import that is over has read no row, though there were some."""
    given_up = one.state == ImportRun.State.DISCARDED
    return not one.rows and (given_up or one.state in _NOTHING_DONE)


def _newest(tries: Iterable[ImportRun]) -> dict[int | None, ImportRun]:
    """Return by each import the last one that has tried what it had left."""
    return {
        one.parent_id: one
        for one in sorted(tries, key=lambda one: one.pk)
        if not one.dry_run and (one.rows or one.state not in _NOTHING_DONE)
    }
