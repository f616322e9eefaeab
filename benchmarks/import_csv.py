"""How fast the rows of a file become objects, and back, beside what others do.

python -m benchmarks.import_csv [--rows 100000 …] [--repeat 3] [--postgresql] [words …]

Only ways with one of the words in their names are measured. Each runs in a process of
its own, so that it can be told how much memory it needs. An import of ours is the whole
run: the file is read and checked, every row is committed, and its result files are
written durably; so is the file of an export. "objects", "bare" and "raw" begin with
rows in memory.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import gc
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks.admin import databases, using

if TYPE_CHECKING:
    from tests.school.models import Student

BATCH = 1000
COLUMNS = ["matric_no", "name", "email", "admitted_on", "fee"]
WITHOUT_KEY = ["number", "email", "level", "points"]
WITH_KEY = [*WITHOUT_KEY, "faculty"]
KIB_PER_MIB = 1024
# What takes minutes for 100,000 rows is measured with a tenth, and once.
SLOW = 10
_names = count()


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to bring rows into a table; prepare returns what is measured."""

    prepare: Callable[[Path], Callable[[], object]]
    rows: Callable[[int], Iterator[Sequence[str]]]
    columns: Sequence[str] = tuple(COLUMNS)
    # What is in the table before, by another way.
    after: Way | None = None
    is_slow: bool = False


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a way has taken: seconds, CPU seconds, MiB, and calls of the database."""

    wall: float
    cpu: float
    memory: float
    calls: int


def main() -> None:
    """Measure each way in turn, several times, and print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument("--repeat", type=int, default=3, help="the median counts")
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with databases(postgresql=options.postgresql) as (names, folder):
        with using(names[0]):
            set_up(folder)
            chosen = {
                name: way
                for name, way in ways(postgresql=options.postgresql).items()
                if any(word in name for word in options.words or [""])
            }
        for rows in options.rows:
            report(rows, measured(chosen, rows, options.repeat, folder))


def set_up(folder: Path) -> None:
    """Make the tables, and the faculties that rows name."""
    from django.conf import settings
    from django.core.management import call_command

    from tests.school.models import Faculty

    settings.DELIVERY_STORE_DURABILITY = "full"
    settings.DELIVERY_STORE_DATACENTER_ROOT = folder / "center"
    settings.DELIVERY_STORE_DATACENTER_ROOT.mkdir()
    call_command("migrate", run_syncdb=True, verbosity=0)
    Faculty.objects.bulk_create(Faculty(code=f"F{number}") for number in range(50))


# -- The ways ----------------------------------------------------------------------


def ways(*, postgresql: bool) -> dict[str, Way]:
    """Return what is measured."""
    create = Way(prepare=ours("student", "create"), rows=students)
    raw, text = (copy, "COPY") if postgresql else (execute_many, "executemany")
    keyed = Way(prepare=copy_members, rows=keyed_members, columns=WITH_KEY)
    plain = Way(prepare=copy_members, rows=members, columns=WITHOUT_KEY)
    only = {"raw COPY of members": plain, "raw COPY, one foreign key more": keyed}
    return {
        "bare bulk_create of ready objects": Way(prepare=bulk_create, rows=students),
        f"raw {text} of texts": Way(prepare=raw, rows=students),
        "objects: full_clean of each, bulk_create": Way(
            prepare=full_clean, rows=students, is_slow=True
        ),
        "import-export, models validated": Way(
            prepare=peer(clean_model_instances=True), rows=students, is_slow=True
        ),
        "import-export, use_bulk, models validated": Way(
            prepare=peer(clean_model_instances=True, use_bulk=True),
            rows=students,
            is_slow=True,
        ),
        "import-export, fastest: nothing looked up": Way(
            prepare=peer(use_bulk=True, skip_diff=True, force_init_instance=True),
            rows=students,
            is_slow=True,
        ),
        "create": create,
        "create, 1 % bad": Way(
            prepare=ours("student", "create"), rows=lambda n: students(n, bad=100)
        ),
        "update": Way(
            prepare=ours("student", "update"),
            rows=lambda n: students(n, name="Countess"),
            after=create,
        ),
        "update that changes nothing": Way(
            prepare=ours("student", "update"), rows=students, after=create
        ),
        "create members": Way(
            prepare=ours("member", "create"), rows=members, columns=WITHOUT_KEY
        ),
        "create members, one foreign key more": Way(
            prepare=ours("member", "create"),
            rows=keyed_members,
            columns=WITH_KEY,
        ),
        "export": Way(prepare=export("csv"), rows=students, after=create),
        "export to a workbook": Way(
            prepare=export("xlsx"), rows=students, after=create, is_slow=True
        ),
        "values_list() and csv.writer": Way(
            prepare=write_values, rows=students, after=create
        ),
        "import-export, export": Way(
            prepare=peer_export, rows=students, after=create, is_slow=True
        ),
        **(only if postgresql else {}),
    }


def students(
    number: int, *, name: str = "Ada", bad: int = 0
) -> Iterator[Sequence[str]]:
    """Yield rows of students; of each so many, one has a date that is none."""
    for at in range(number):
        day = f"20{at % 20 + 10}-0{at % 9 + 1}-1{at % 9}"
        if bad and at % bad == 7:
            day = "31.02.2020"
        fee = f"{at % 900}.{at % 90 + 10}"
        yield f"M{at:07}", f"{name} {at}", f"student{at}@example.org", day, fee


def members(number: int) -> Iterator[Sequence[str]]:
    """Yield rows of members."""
    for at in range(number):
        points = str(at % 90)
        yield f"A{at:07}", f"member{at}@example.org", str(at % 2 + 1), points


def keyed_members(number: int) -> Iterator[Sequence[str]]:
    """Yield rows of members, each with a faculty."""
    return ([*row, f"F{at % 50}"] for at, row in enumerate(members(number)))


def ours(processor: str, mode: str) -> Callable[[Path], Callable[[], object]]:
    """Import the file as a worker does."""

    def prepare(path: Path) -> Callable[[], object]:
        from deliverystore.datacenter import DataCenter, runs

        name = f"rows{next(_names)}-{time.time_ns()}.csv"
        with path.open("rb") as file:
            DataCenter().place.replace(name, iter(lambda: file.read(1024**2), b""))

        def run() -> None:
            run = runs.start_run(name, processor, mode, enqueue=False)
            done = runs.work(run)
            assert done.state in {"finished", "pending"}, done.error
            assert done.failed in {0, done.rows // 100}, done.counts

        return run

    return prepare


def peer(**options: object) -> Callable[[Path], Callable[[], object]]:
    """Import the file with django-import-export."""

    def prepare(path: Path) -> Callable[[], object]:
        from import_export import resources
        from tablib import Dataset

        from tests.school.models import Student

        meta = {"model": Student, "fields": COLUMNS, "import_id_fields": ["matric_no"]}
        kind = type("Meta", (), {**meta, **options})
        resource = type("Students", (resources.ModelResource,), {"Meta": kind})()

        def run() -> None:
            data = Dataset().load(path.read_text(), format="csv")
            assert not resource.import_data(data).has_errors()

        return run

    return prepare


def export(file_format: str) -> Callable[[Path], Callable[[], object]]:
    """Export all students as a worker does."""

    def prepare(path: Path) -> Callable[[], object]:
        from deliverystore.datacenter import exports

        def run() -> None:
            begun = exports.start_export(
                "student", file_format=file_format, enqueue=False
            )
            done = exports.work(begun)
            assert done.rows, done.error

        return run

    return prepare


def write_values(path: Path) -> Callable[[], object]:
    """Write the columns of all students past their objects."""
    from tests.school.models import Student

    def run() -> None:
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            found = Student.objects.order_by("pk").values_list(*COLUMNS)
            writer.writerows(found.iterator())

    return run


def peer_export(path: Path) -> Callable[[], object]:
    """Export all students with django-import-export."""
    from import_export import resources

    from tests.school.models import Student

    meta = type("Meta", (), {"model": Student, "fields": COLUMNS})
    resource = type("Students", (resources.ModelResource,), {"Meta": meta})()

    def run() -> None:
        path.write_text(resource.export().csv)

    return run


def bulk_create(path: Path) -> Callable[[], object]:
    """Write objects that somebody else has made and checked."""
    from django.db import transaction

    from tests.school.models import Student

    objects = [student(row) for row in rows_of(path)]

    def run() -> None:
        for start in range(0, len(objects), BATCH):
            with transaction.atomic():
                Student.objects.bulk_create(objects[start : start + BATCH])

    return run


def full_clean(path: Path) -> Callable[[], object]:
    """Check each object as Django does, and write those of a batch together."""
    from django.db import transaction

    from tests.school.models import Student

    def run() -> None:
        rows = rows_of(path)
        while batch := [student(row) for row in islice(rows, BATCH)]:
            for one in batch:
                one.full_clean()
            with transaction.atomic():
                Student.objects.bulk_create(batch)

    return run


def execute_many(path: Path) -> Callable[[], object]:
    """Write texts past Django's models; nothing is checked."""
    from django.db import connection, transaction

    rows = list(rows_of(path))
    names = ", ".join(COLUMNS)
    into = f"INSERT INTO school_student ({names}) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608

    def run() -> None:
        for start in range(0, len(rows), BATCH):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(into, rows[start : start + BATCH])

    return run


def copy(path: Path) -> Callable[[], object]:
    """Write texts past Django's models; nothing is checked."""
    return copying("school_student", COLUMNS, list(rows_of(path)))


def copy_members(path: Path) -> Callable[[], object]:
    """Write texts past Django's models: what a foreign key costs the database."""
    from tests.school.models import Faculty

    names = [*WITHOUT_KEY, "nickname", "changed_at", "added_at"]
    rows = [[*row[:4], "", *["2026-01-01"] * 2, *row[4:]] for row in rows_of(path)]
    if len(rows[0]) > len(names):
        names.append("faculty_id")
        pks = {code: str(pk) for pk, code in Faculty.objects.values_list("pk", "code")}
        rows = [[*row[:-1], pks[row[-1]]] for row in rows]
    return copying("school_member", names, rows)


def copying(
    table: str, names: Sequence[str], rows: Sequence[Sequence[str]]
) -> Callable[[], object]:
    """Return what copies rows into a table, a thousand in each transaction."""
    from django.db import connection, transaction

    into = f"COPY {table} ({', '.join(names)}) FROM STDIN"

    def run() -> None:
        for start in range(0, len(rows), BATCH):
            with (
                transaction.atomic(),
                connection.cursor() as cursor,
                cursor.copy(into) as copying,
            ):
                for row in rows[start : start + BATCH]:
                    copying.write_row(row)

    return run


def rows_of(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a file without its header."""
    with path.open(newline="") as file:
        yield from islice(csv.reader(file), 1, None)


def student(row: Sequence[str]) -> Student:
    """Return an object of a row, without any check."""
    from tests.school.models import Student

    number, name, email, day, fee = row
    return Student(
        matric_no=number,
        name=name,
        email=email,
        admitted_on=date.fromisoformat(day),
        fee=Decimal(fee),
    )


# -- Measuring ---------------------------------------------------------------------


def measured(
    chosen: dict[str, Way], rows: int, repeat: int, folder: Path
) -> dict[str, tuple[int, Taken]]:
    """Return of each way how many rows it had, and what it took."""
    found: dict[str, list[Taken]] = {name: [] for name in chosen}
    numbers = {
        name: rows // SLOW if way.is_slow else rows for name, way in chosen.items()
    }
    for turn in range(repeat):
        for name, way in chosen.items():
            if turn == 0 or not way.is_slow:
                apart(empty)
                if way.after:
                    apart(run_once, way.after, numbers[name], folder)
                found[name].append(apart(run_once, way, numbers[name], folder))
    return {name: (numbers[name], middle(each)) for name, each in found.items()}


def middle(each: Sequence[Taken]) -> Taken:
    """Return the median of all that several turns have taken."""
    return Taken(
        wall=median(one.wall for one in each),
        cpu=median(one.cpu for one in each),
        memory=median(one.memory for one in each),
        calls=each[0].calls,
    )


def apart(function: Callable, *arguments: object) -> Taken:
    """Call a function in a process of its own, and return its result."""
    fork = get_context("fork")
    here, there = fork.Pipe()
    process = fork.Process(target=_send, args=(there, function, *arguments))
    process.start()
    there.close()
    try:
        result: Taken = here.recv()
    except EOFError:
        raise SystemExit("What was to be measured has failed.") from None
    process.join()
    return result


def _send(there: Connection, function: Callable, *arguments: object) -> None:
    there.send(function(*arguments))


def empty() -> None:
    """Empty the tables."""
    from tests.school.models import Member, Student

    for model in (Student, Member):
        model.objects.all()._raw_delete(using="default")  # noqa: SLF001 - at once


def run_once(way: Way, rows: int, folder: Path) -> Taken:
    """Write the file, and measure one way."""
    path = folder / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(way.columns)
        writer.writerows(way.rows(rows))
    run = way.prepare(path)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = mebibytes("VmRSS")
    with counted() as calls:
        start, cpu = time.perf_counter(), time.process_time()
        run()
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    memory = mebibytes("VmHWM") - before
    return Taken(wall=wall, cpu=cpu, memory=memory, calls=calls())


@contextlib.contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Count the calls of the database, while a block runs."""
    import psycopg
    from django.db import connection

    calls = 0

    def counting(function: Callable, *args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        return function(*args, **kwargs)

    copy = psycopg.Cursor.copy

    def counting_copy(*args: object, **kwargs: object) -> object:
        return counting(copy, *args, **kwargs)

    with (
        connection.execute_wrapper(counting),
        # It goes past Django's own hook.
        patch.object(psycopg.Cursor, "copy", counting_copy),
    ):
        yield lambda: calls


def mebibytes(what: str) -> float:
    """Return a figure of /proc/self/status in MiB."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"{what}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / KIB_PER_MIB


def report(rows: int, found: dict[str, tuple[int, Taken]]) -> None:
    """Print a table; the ratios are to the first way in it."""
    first = next(number / taken.wall for number, taken in found.values())
    print(
        f"\n{f'{rows:,} rows':<44}{'rows/s':>9}{'ratio':>8}{'CPU s':>8}{'MiB':>6}"
        f"{'calls/1,000':>13}"
    )
    for name, (number, taken) in found.items():
        rate = number / taken.wall
        print(
            f"{name:<44}{rate:>9,.0f}{rate / first:>8.2f}{taken.cpu:>8.2f}"
            f"{taken.memory:>6.0f}{taken.calls * BATCH / number:>13.1f}"
        )


if __name__ == "__main__":
    main()
