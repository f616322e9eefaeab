"""The folder of the data center compared with its runs, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from deliverystore.datacenter import naming
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.naming import UNFINISHED, Kind
from deliverystore.datacenter.places import Place
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.models import ImportRun, leases


class Disagreement(StrEnum):
    """What can be wrong; the list is complete."""

    # A run has rows left, or is not over, and a file of it is gone.
    MISSING = "missing"
    # A file has rows that are left, and there is no run that knows them.
    STRAY = "stray"
    # A run is not over, and nobody is at it.
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One file, or one run, that is not as it must be. run_id may be None."""

    kind: Disagreement
    name: str
    run_id: int | None = None


def reconcile() -> Iterator[Difference]:
    """Yield where runs and files disagree. It changes nothing."""
    place = DataCenter().place
    yield from _of_active(place)
    yield from _of_left_over(place)
    yield from _of_files(place)


def _of_active(place: Place) -> Iterator[Difference]:
    for run in ImportRun.objects.filter(state__in=ImportRun.HOLDING).order_by("pk"):
        if leases.is_left(run):
            kind = Disagreement.INTERRUPTED
            yield Difference(kind=kind, name=run.file, run_id=run.pk)
        # Once all rows are read, the file may be on its way.
        if not run.is_read and not place.exists(run.file):
            kind = Disagreement.MISSING
            yield Difference(kind=kind, name=run.file, run_id=run.pk)


def _of_left_over(place: Place) -> Iterator[Difference]:
    left = ImportRun.objects.filter(state__in=ImportRun.LEFT_OVER).order_by("pk")
    for run in left:
        # It may be on its way while the run that tries them again ends.
        if run.children.filter(state__in=ImportRun.HOLDING).exists():
            continue
        names = (run.pending_file, run.finished_file, run.first.original_file)
        for name in filter(None, names):
            if not place.exists(name):
                kind = Disagreement.MISSING
                yield Difference(kind=kind, name=name, run_id=run.pk)


def _of_files(place: Place) -> Iterator[Difference]:
    for entry in place.entries():
        is_pending = naming.parse(entry.name).kind is Kind.PENDING
        if is_pending and naming.is_visible(entry.name) and not _known([entry.name]):
            yield Difference(kind=Disagreement.STRAY, name=entry.name)
    for entry in place.entries(UNFINISHED):
        source = entry.name.removeprefix(f"{UNFINISHED}/")
        pending = [naming.pending_name(source, mode) for mode in Mode]
        if naming.is_visible(entry.name) and not _known(pending):
            yield Difference(kind=Disagreement.STRAY, name=entry.name)


def _known(names: Iterable[str]) -> bool:
    """Tell whether a run has rows left in one of some pending files."""
    names = list(names)
    left = ImportRun.objects.filter(state__in=ImportRun.LEFT_OVER)
    held = ImportRun.objects.filter(state__in=ImportRun.HOLDING)
    return (
        left.filter(pending_file__in=names).exists()
        or held.filter(file__in=names).exists()
    )
