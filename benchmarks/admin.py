"""Whether the admin is as fast beside 1,000,000 deliveries as beside 1,000.

python -m benchmarks.admin [--rows 1000000] [--repeat 7] [--postgresql]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import django

FEW = 1000
RECIPIENTS = 50
USERS = 20
LIST = "/admin/deliverystore/delivery/"
MONTH = f"{LIST}?time_of_delivery__year=2024&time_of_delivery__month=5"
PAGES = {
    "list": LIST,
    "list, page 5": f"{LIST}?p=5",
    "list, by time": f"{LIST}?o=7",
    "filter: open": f"{LIST}?state=open",
    "filter: finished": f"{LIST}?state=finished",
    "filter: kind of recipient": f"{LIST}?kind={{kind}}",
    "filter: no recipient": f"{LIST}?kind=none",
    "filter: handed in this year": f"{LIST}?time_of_delivery__gte=2024-01-01%2000:00Z",
    "date: year": f"{LIST}?time_of_delivery__year=2024",
    "date: month": MONTH,
    "date: day": f"{MONTH}&time_of_delivery__day=9",
    "date: year, finished": f"{LIST}?time_of_delivery__year=2024&state=finished",
    "search: one filename": f"{LIST}?q=file777.",
    "search: all filenames": f"{LIST}?q=file",
    "search: a user": f"{LIST}?q=user7@",
    "search: a digest": f"{LIST}?q=sha256:777",
    "search: an id": f"{LIST}?q=777",
    "search: nothing": f"{LIST}?q=nothing",
    "detail": f"{LIST}777/change/",
}

SERIES = {
    "sqlite": "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s"
    " WHERE i < {rows}) SELECT i FROM s) AS s",
    "postgresql": "generate_series(1, {rows}) AS s(i)",
}
# One a minute.
TIME = {
    "sqlite": "datetime('2024-05-09', (60 * i) || ' seconds')",
    "postgresql": "timestamptz '2024-05-09 00:00Z' + i * interval '1 minute'",
}


def main() -> None:
    """Measure each page on both databases in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=7, help="the best counts")
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with databases(postgresql=options.postgresql) as (names, _):
        kind = 0
        for name, rows in zip(names, (FEW, options.rows), strict=True):
            with using(name):
                kind = fill(rows)
        print(f"\n{'milliseconds':<28}{FEW:>12,}{options.rows:>12,}{'ratio':>8}")
        for page, url in PAGES.items():
            few, many = measured(url.format(kind=kind), names, options.repeat)
            mark = "  <-- more than 1.5" if many / few > 1.5 else ""
            print(f"{page:<28}{few:>12.1f}{many:>12.1f}{many / few:>8.2f}{mark}")


@contextlib.contextmanager
def databases(*, postgresql: bool) -> Iterator[tuple[list[str], Path]]:
    """Set Django up; give the names of two databases, and a folder, for a while."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from tests import settings

    with tempfile.TemporaryDirectory(prefix="deliverystore-bench-") as folder:
        names = [f"deliverystore_bench_{os.getpid()}_{n}" for n in ("few", "many")]
        if postgresql:
            settings.DATABASES["default"] = settings.POSTGRESQL
            for name in names:
                administer(settings.POSTGRESQL, f"CREATE DATABASE {name}")
        else:
            settings.DATABASES["default"] = settings.SQLITE
            names = [str(Path(folder) / name) for name in names]
        django.setup()
        try:
            yield names, Path(folder)
        finally:
            if postgresql:
                for name in names:
                    administer(settings.POSTGRESQL, f"DROP DATABASE {name}")


@contextlib.contextmanager
def using(name: str) -> Iterator[None]:
    """Let Django use one of the databases."""
    from django.db import connection

    connection.settings_dict["NAME"] = name
    connection.ensure_connection()
    try:
        yield
    finally:
        connection.close()


def administer(server: dict[str, str], statement: str) -> None:
    """Execute one statement outside a transaction."""
    import psycopg

    with psycopg.connect(
        dbname="postgres",
        host=server["HOST"],
        port=server["PORT"],
        user=server["USER"],
        password=server["PASSWORD"],
        autocommit=True,
    ) as connection:
        connection.execute(statement.encode())


def measured(url: str, names: list[str], repeat: int) -> list[float]:
    """Return how many milliseconds a page takes at best, on each database.

    They take turns, so that whatever else the machine does slows down both.
    """
    from django.contrib.auth import get_user_model
    from django.test import Client

    best = [float("inf")] * len(names)
    for _ in range(repeat):
        for number, name in enumerate(names):
            with using(name):
                client = Client()
                client.force_login(get_user_model().objects.get(username="admin"))
                client.get(LIST)  # warms the connection
                start = time.perf_counter()
                response = client.get(url)
                seconds = time.perf_counter() - start
            assert response.status_code == 200, (url, response)
            best[number] = min(best[number], seconds * 1000)
    return best


def prepare() -> None:
    """Make users and recipients."""
    from django.contrib.auth import get_user_model

    from tests.recipients.models import Department

    users = get_user_model().objects
    users.create_superuser("admin")
    users.bulk_create(
        users.model(username=f"user{number}@example.org") for number in range(USERS)
    )
    Department.objects.bulk_create(
        Department(name=f"Department {number}") for number in range(RECIPIENTS)
    )


def fill(rows: int) -> int:
    """Write so many deliveries with one file each, every tenth of them open.

    Return the id of the kind of their recipients.
    """
    from django.contrib.contenttypes.models import ContentType
    from django.core.management import call_command
    from django.core.management.color import no_style
    from django.db import connection

    from deliverystore.models import Delivery, FileMeta
    from tests.recipients.models import Department

    call_command("migrate", run_syncdb=True, verbosity=0)
    prepare()
    series = SERIES[connection.vendor].format(rows=rows)
    moment = TIME[connection.vendor]
    kind = ContentType.objects.get_for_model(Department).pk
    started = time.perf_counter()
    insert(
        Delivery,
        series,
        id="i",
        state="CASE WHEN i % 10 = 0 THEN 'open' ELSE 'finished' END",
        recipient_type_id=f"CASE WHEN i % 10 = 1 THEN NULL ELSE {kind} END",
        recipient_id=f"CASE WHEN i % 10 = 1 THEN ''"
        f" ELSE CAST(i % {RECIPIENTS} + 1 AS varchar) END",
        number="CASE WHEN i % 10 = 0 THEN NULL ELSE i END",
        delivered_by_id=f"i % {USERS} + 2",
        created=moment,
        time_of_delivery=f"CASE WHEN i % 10 = 0 THEN NULL ELSE {moment} END",
        file_count="1",
        size="i",
        manifest_digest="CASE WHEN i % 10 = 0 THEN '' ELSE 'sha256:0' END",
        recipient_name="''",
        user_name="''",
    )
    insert(
        FileMeta,
        series,
        id="i",
        delivery_id="i",
        filename="'file' || i || '.txt'",
        name_key="'file' || i || '.txt'",
        size="i",
        digest="'sha256:' || i",
        content_type="'text/plain'",
        stored_as="''",
        created=moment,
        completed=moment,
    )
    with connection.cursor() as cursor:
        # The ids were given by hand.
        for reset in connection.ops.sequence_reset_sql(
            no_style(), [Delivery, FileMeta]
        ):
            cursor.execute(reset)
        cursor.execute("ANALYZE")
    seconds = time.perf_counter() - started
    print(f"{rows:,} deliveries written in {seconds:.0f} s")
    return kind


def insert(model: type, series: str, **columns: str) -> None:
    """Write one row for each number i of a series."""
    from django.db import connection

    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - our own
            f" SELECT {', '.join(columns.values())} FROM {series}"
        )


if __name__ == "__main__":
    main()
