"""How fast rows become objects, beside what Django does with objects that are ready.

python -m benchmarks.import_csv [--rows 100000] [--repeat 3] [--postgresql]
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from statistics import median

from benchmarks.admin import databases, using

BATCH = 1000
COLUMNS = ["matric_no", "name", "email", "admitted_on", "fee"]
WITH_KEY = ["number", "email", "faculty", "level", "points"]
Rows = list[tuple[int, list[str]]]


def main() -> None:
    """Measure each way in turn, several times, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3, help="the median counts")
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with databases(postgresql=options.postgresql) as (names, _folder), using(names[0]):
        set_up()
        times = measured(ways(options.rows), options.repeat)
    print(f"\n{'rows per second':<44}{'':>10}{'ratio':>8}")
    first = next(iter(times.values()))
    for name, (wall, cpu) in times.items():
        rate = options.rows / wall
        print(
            f"{name:<44}{rate:>10,.0f}{first[0] / wall:>8.2f}"
            f"   ({options.rows / cpu:,.0f} by CPU time of this process)"
        )


def set_up() -> None:
    """Make the tables, and the faculties that rows name."""
    from django.core.management import call_command

    from tests.school.models import Faculty

    call_command("migrate", run_syncdb=True, verbosity=0)
    Faculty.objects.bulk_create(Faculty(code=f"F{number}") for number in range(50))


def ways(count: int) -> dict[str, tuple[Callable[[], None], Callable[[], None]]]:
    """Return what is measured, each with what is to be done before."""
    from tests.school.models import Member, Student
    from tests.school.processors import MemberProcessor, StudentProcessor

    plain, other = rows(count), rows(count, name="Countess")
    bad = rows(count, bad=100)
    alone, keyed = members(count, faculty=False), members(count, faculty=True)
    without = [name for name in WITH_KEY if name != "faculty"]

    def empty() -> None:
        Member.objects.all().delete()
        Student.objects.all().delete()

    def full() -> None:
        empty()
        run(StudentProcessor, COLUMNS, plain, "create")()

    ready: list[Student] = []

    def make_ready() -> None:
        empty()
        ready[:] = [student(cells) for _number, cells in plain]

    return {
        "bare bulk_create of ready objects": (lambda: bulk_create(ready), make_ready),
        "full_clean() of each, then bulk_create": (lambda: full_clean(plain), empty),
        "create": (run(StudentProcessor, COLUMNS, plain, "create"), empty),
        "update": (run(StudentProcessor, COLUMNS, other, "update"), full),
        "update that changes nothing": (
            run(StudentProcessor, COLUMNS, plain, "update"),
            full,
        ),
        "create, 1 % bad": (run(StudentProcessor, COLUMNS, bad, "create"), empty),
        "create, no foreign key": (
            run(MemberProcessor, without, alone, "create"),
            empty,
        ),
        "create, one foreign key more": (
            run(MemberProcessor, WITH_KEY, keyed, "create"),
            empty,
        ),
    }


def rows(count: int, *, name: str = "Ada", bad: int = 0) -> Rows:
    """Return rows of students; of each so many, one has a date that is none."""
    made = []
    for at in range(count):
        day = f"20{at % 20 + 10}-0{at % 9 + 1}-1{at % 9}"
        if bad and at % bad == 7:
            day = "31.02.2020"
        fee = f"{at % 900}.{at % 90 + 10}"
        mail = f"student{at}@example.org"
        made.append((at + 1, [f"M{at:07}", f"{name} {at}", mail, day, fee]))
    return made


def members(count: int, *, faculty: bool) -> Rows:
    """Return rows of members, with the code of a faculty or without."""
    made = []
    for at in range(count):
        code = [f"F{at % 50}"] if faculty else []
        cells = [f"A{at:07}", f"member{at}@example.org", *code]
        made.append((at + 1, [*cells, str(at % 2 + 1), str(at % 90)]))
    return made


def run(
    processor: Callable, columns: Sequence[str], table: Rows, mode: str
) -> Callable[[], None]:
    """Return what imports a table as a run does: a transaction for each batch."""
    from django.db import transaction

    from deliverystore.datacenter.rows.outcomes import Action, Mode

    def imported() -> None:
        plan = processor().prepare(columns, Mode(mode))
        failed = 0
        for start in range(0, len(table), BATCH):
            with transaction.atomic():
                outcomes = plan.process(table[start : start + BATCH])
            failed += sum(one.action is Action.FAILED for one in outcomes)
        assert failed in (0, len(table) // 100), failed

    return imported


def student(cells: Sequence[str]) -> object:
    """Return an object of a row, without any check."""
    from tests.school.models import Student

    number, name, email, day, fee = cells
    return Student(
        matric_no=number,
        name=name,
        email=email,
        admitted_on=date.fromisoformat(day),
        fee=Decimal(fee),
    )


def bulk_create(objects: Sequence) -> None:
    """Write objects that somebody else has made and checked."""
    from django.db import transaction

    from tests.school.models import Student

    for start in range(0, len(objects), BATCH):
        with transaction.atomic():
            Student.objects.bulk_create(objects[start : start + BATCH])


def full_clean(table: Rows) -> None:
    """Check each object as Django does, and write those of a batch together."""
    from django.db import transaction

    from tests.school.models import Student

    for start in range(0, len(table), BATCH):
        objects = [student(cells) for _number, cells in table[start : start + BATCH]]
        for one in objects:
            one.full_clean()  # type: ignore[attr-defined]
        with transaction.atomic():
            Student.objects.bulk_create(objects)  # type: ignore[arg-type]


def measured(
    found: dict[str, tuple[Callable[[], None], Callable[[], None]]], repeat: int
) -> dict[str, tuple[float, float]]:
    """Return the seconds that each way takes: by the clock, and of this process."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in found}
    for _ in range(repeat):
        for name, (way, before) in found.items():
            before()
            gc.collect()
            start, cpu = time.perf_counter(), time.process_time()
            way()
            times[name].append((time.perf_counter() - start, time.process_time() - cpu))
    return {
        name: (median(wall for wall, _ in each), median(cpu for _, cpu in each))
        for name, each in times.items()
    }


if __name__ == "__main__":
    main()
