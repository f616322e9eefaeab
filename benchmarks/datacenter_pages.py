"""Whether the data center is as fast beside 1,000,000 imports as beside 1,000.

python -m benchmarks.datacenter_pages [--runs 1000000] [--repeat 5] [--postgresql]

One import has 100,000 rows that failed, whatever else there is. The time is that of
the server, with the number of queries.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.admin import FEW, SERIES, databases, insert, using

FAILED = 100_000
GROUPS = 100
LIST = "/admin/deliverystore/importrun/"
PAGES = {
    "list": LIST,
    "list, page 5": f"{LIST}?p=5",
    "list, by time": f"{LIST}?o=5",
    "list: one state": f"{LIST}?state__exact=pending",
    "list: one processor": f"{LIST}?processor=faculty",
    "list: dry runs": f"{LIST}?dry_run__exact=1",
    "list: a state that is rare": f"{LIST}?state__exact=broken",
    "list: a number": f"{LIST}?q=777",
    "one import": f"{LIST}1/change/",
    "failed rows": f"{LIST}1/rows/",
    "failed rows, the last ones": f"{LIST}1/rows/?after={FAILED - 60}",
    "one failed row": f"{LIST}1/rows/777/",
    "corrections": f"{LIST}corrections/?processor=faculty",
    "figures": f"{LIST}figures/",
    "exports": "/admin/deliverystore/export/",
}
# One every two minutes, the last one now.
TIME = {
    "sqlite": "datetime('now', (-120 * ({rows} - i)) || ' seconds')",
    "postgresql": "now() - ({rows} - i) * interval '2 minutes'",
}
STATE = "CASE WHEN i % 10 = 1 THEN 'pending' ELSE 'finished' END"
MAX_MILLISECONDS = 100


def main() -> None:
    """Measure each page on both databases in turn, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5, help="the best counts")
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with databases(postgresql=options.postgresql) as (names, folder):
        from django.conf import settings

        settings.DELIVERY_STORE_DATACENTER_ROOT = folder / "center"
        for name, runs in zip(names, (FEW, options.runs), strict=True):
            with using(name):
                fill(runs)
        print(f"\n{'milliseconds':<28}{FEW:>10,}{options.runs:>12,}  queries")
        for page, url in PAGES.items():
            report(page, [measured(url, name, options.repeat) for name in names])


def report(page: str, found: list[tuple[float, int]]) -> None:
    """Print a line of the table."""
    (few, queries), (many, others) = found
    told = f"{queries}" if queries == others else f"{queries} and {others}  <--"
    mark = "  <-- slow" if max(few, many) > MAX_MILLISECONDS else ""
    print(f"{page:<28}{few:>10.1f}{many:>12.1f}  {told}{mark}", flush=True)


def measured(url: str, name: str, repeat: int) -> tuple[float, int]:
    """Return how many milliseconds a page takes at best, and how many queries."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    best = float("inf")
    with using(name):
        client = Client()
        client.force_login(get_user_model().objects.get(username="admin"))
        with CaptureQueriesContext(connection) as queries:
            response = client.get(url)
        asked = len(queries)
        assert response.status_code == 200, (url, response)
        for _ in range(repeat):
            start = time.perf_counter()
            client.get(url)
            best = min(best, time.perf_counter() - start)
    return best * 1000, asked


def fill(runs: int) -> None:
    """Write so many imports and exports, the first with rows that failed."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    from deliverystore.models import Export, ImportRun

    call_command("migrate", run_syncdb=True, verbosity=0)
    get_user_model().objects.create_superuser("admin")
    started = time.perf_counter()
    series = SERIES[connection.vendor].format(rows=runs)
    moment = TIME[connection.vendor].format(rows=runs)
    work = {
        "id": "i",
        "processor": "CASE WHEN i % 5 = 0 THEN 'student' ELSE 'faculty' END",
        "user_id": "1",
        "added": moment,
        "started": moment,
        "ended": moment,
        **dict.fromkeys(("worker", "error"), "''"),
    }
    no, yes = ("false", "true") if connection.vendor == "postgresql" else ("0", "1")
    texts = (
        *("digest", "stamp", "max_failed", "max_removed", "skipping"),
        *("finished_file", "pending_file", "original_file", "discarded_because"),
    )
    insert(
        ImportRun,
        series,
        **work,
        **dict.fromkeys(texts, "''"),
        **dict.fromkeys(("from_parent", "log_changes", "cancelling"), no),
        **dict.fromkeys(("updated", "removed", "unchanged", "blank"), "0"),
        file="'file' || i || '.csv'",
        size="1000",
        state=STATE,
        layout="'{}'",
        header="""'["code", "name"]'""",
        mapping="""'{"code": "code", "name": "name"}'""",
        mode="'create'",
        parent_id="CASE WHEN i % 20 = 11 THEN i - 10 END",
        on_error="'pending'",
        dry_run=f"CASE WHEN i % 50 = 0 THEN {yes} ELSE {no} END",
        is_read=yes,
        differences="'[]'",
        rows=f"CASE WHEN i = 1 THEN {FAILED} ELSE 100 END",
        failed=f"CASE WHEN i = 1 THEN {FAILED} WHEN i % 10 = 1 THEN 10 ELSE 0 END",
        finished="CASE WHEN i = 1 THEN 0 WHEN i % 10 = 1 THEN 90 ELSE 100 END",
        created="CASE WHEN i = 1 THEN 0 WHEN i % 10 = 1 THEN 90 ELSE 100 END",
    )
    finished = {"state": "'finished'", "file": "'f'", "expires": moment}
    insert(Export, series, **columns_of(Export) | work | finished)
    failures()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    seconds = time.perf_counter() - started
    print(f"{runs:,} imports written in {seconds:.0f} s", flush=True)


def columns_of(model: type) -> dict[str, str]:
    """Return what makes a row without facts: each column with its empty value."""
    from django.db import connection, models

    empty = {
        models.BooleanField: "false" if connection.vendor == "postgresql" else "0",
        models.BigIntegerField: "0",
        models.JSONField: "'{}'",
    }
    return {
        one.column: next(
            (text for kind, text in empty.items() if isinstance(one, kind)), "''"
        )
        for one in model._meta.concrete_fields  # type: ignore[attr-defined]
        if not (one.null or one.primary_key)
    }


def failures() -> None:
    """Write the failed rows of the first import, and their groups."""
    from django.db import connection

    from deliverystore.models import FailedRow, FailureGroup, ValueCorrection

    vendor = connection.vendor
    error = """'[{"column": "code", "code": "max_length", "value": "too-long' || i"""
    insert(
        FailedRow,
        SERIES[vendor].format(rows=FAILED),
        run_id="1",
        number="i",
        line="i + 1",
        cells_json="""'["too-long' || i || '", "Name"]'""",
        edited_json="''",
        errors_json=f"""{error} || '", "message": "Too long."}}]'""",
        guess="''",
    )
    insert(
        FailureGroup,
        SERIES[vendor].format(rows=GROUPS),
        run_id="1",
        key="'key' || i",
        column_json="""'"code"'""",
        code="'max_length'",
        value_json="""'"too-long' || i || '"'""",
        message_json="""'"Too long."'""",
        first_number="i",
        count=f"{FAILED // GROUPS}",
    )
    insert(
        ValueCorrection,
        SERIES[vendor].format(rows=1000),
        processor="'faculty'",
        key="'key' || i",
        user_id="1",
        changed=TIME[vendor].format(rows=1000),
        column_json="""'"code"'""",
        wrong_json="""'"w' || i || '"'""",
        right_json="""'"r"'""",
    )


if __name__ == "__main__":
    main()
