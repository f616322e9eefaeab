"""Imports in numbers: how many a day, how fast, how much fails; for any history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

from django.db.models import Count, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from deliverystore.datacenter import naming
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.runs.visibility import visible_runs
from deliverystore.models import ImportRun
from deliverystore.models.access import User

# Of the first, so many days; of the others, so many imports, the newest ones.
DAYS = 30
SPEEDS = 30
RECENT = 1000
# Of the files that wait, so many are counted, so that no folder is too large.
WAITING = 1000
_DAY = timedelta(days=1)
_AGES = (timedelta(hours=1), _DAY, 7 * _DAY, 30 * _DAY, timedelta.max)


@dataclass(frozen=True, kw_only=True)
class Day:
    """How many imports were begun on a day of this time zone."""

    day: date
    runs: int


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast an import was, in rows a second."""

    run: int
    file: str
    rows: int
    rate: float


@dataclass(frozen=True, kw_only=True)
class Failures:
    """How many rows of a processor failed when they were tried for the first time."""

    processor: str
    runs: int
    rows: int
    failed: int

    @property
    def percent(self) -> float:
        """How many of a hundred rows failed."""
        return 100 * self.failed / self.rows if self.rows else 0.0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many files of a data center wait that were changed less than age ago.

    They do not count again with a greater age; the last one has all that are older.
    """

    age: timedelta
    files: int


def files_waiting(center: DataCenter) -> list[Waiting]:
    """Return how many files wait, by age, the youngest first.

    If all together are more than WAITING, there may be others.
    """
    waiting = (
        entry
        for entry in center.place.entries()
        if naming.is_visible(entry.name) and naming.is_data(entry.name)
    )
    now, counts = timezone.now(), dict.fromkeys(_AGES, 0)
    for entry in islice(waiting, WAITING + 1):
        counts[next(one for one in _AGES if now - entry.modified < one)] += 1
    return [Waiting(age=age, files=count) for age, count in counts.items()]


def runs_per_day(user: User) -> list[Day]:
    """Return the last days, each with its imports; today is the last one.

    One query that counts in the index of the time, day by day: an expression for the
    day would be evaluated for every row.
    """
    today = timezone.localdate()
    days = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    runs = visible_runs(user).order_by()
    counts = [
        runs.filter(added__gte=_midnight(day), added__lt=_midnight(day + _DAY))
        .values_list(Value(at))
        .annotate(count=Count("pk"))
        for at, day in enumerate(days)
    ]
    found = dict(counts[0].union(*counts[1:], all=True))
    return [Day(day=day, runs=found.get(at, 0)) for at, day in enumerate(days)]


def last_speeds(user: User) -> list[Speed]:
    """Return how fast the last imports were that have read rows, the oldest first."""
    runs = visible_runs(user).filter(
        rows__gt=0, started__isnull=False, ended__isnull=False
    )
    fields = ("pk", "file", "rows", "started", "ended")
    found = [
        Speed(run=pk, file=file, rows=rows, rate=rows / seconds)
        for pk, file, rows, started, ended in _newest(runs.values_list(*fields), SPEEDS)
        if (seconds := (ended - started).total_seconds()) > 0
    ]
    return found[::-1]


def failure_rates(user: User) -> Sequence[Failures]:
    """Return for each processor how much of its last files failed at first.

    Dry runs count, too: what fails in one is as wrong. Later tries do not.
    """
    first = visible_runs(user).filter(parent=None, rows__gt=0)
    newest = _newest(first.values("pk"), RECENT)
    by_processor = (
        ImportRun.objects.filter(pk__in=newest)
        .order_by("processor")
        .values_list("processor")
        .annotate(
            runs=Count("pk"),
            rows=Coalesce(Sum("rows"), 0) - Coalesce(Sum("blank"), 0),
            failed=Coalesce(Sum("failed"), 0),
        )
    )
    return [
        Failures(processor=name, runs=runs, rows=rows, failed=failed)
        for name, runs, rows, failed in by_processor
    ]


def _newest(runs: QuerySet, count: int) -> QuerySet:
    return runs.order_by("-pk")[:count]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
