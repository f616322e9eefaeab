"""Try what a power cut, a kill and a failing disk can do; print a table.

    python -m tests.durability [--every N] [--json] [part of a name …]

The tables compare this app with Django's FileSystemStorage. With --every, only each
N-th fault is tried, and an N-th of the states where there are very many. The exit code
is 1 if this app breaks a promise, or if nothing is seen where something is known to
break.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context

import psycopg

from tests.durability import environment
from tests.durability.groups import GROUPS, is_as_promised, prove_one, scenarios
from tests.durability.report import Report, as_table
from tests.durability.tracing import knows_this_machine
from tests.settings import POSTGRESQL


def prove_all(
    words: list[str], every: int, database: dict[str, object] | None
) -> dict[str, list[Report]]:
    """Prove what the words choose, in several processes at once."""
    futures: dict[str, list[Future[Report]]] = {}
    spawn = get_context("spawn")
    with contextlib.ExitStack() as stack:
        common = stack.enter_context(ProcessPoolExecutor(2, spawn, environment.set_up))
        # Its database is one, and it is its process's alone.
        alone = stack.enter_context(
            ProcessPoolExecutor(1, spawn, environment.set_up, (database,))
        )
        for group, position, _name in _chosen(words):
            on_server = group.endswith("postgresql")
            if on_server and database is None:
                continue
            pool = alone if on_server else common
            task = pool.submit(prove_one, group, position, every)
            futures.setdefault(group, []).append(task)
        return {
            group: [_said(future.result()) for future in found]
            for group, found in futures.items()
        }


def _chosen(words: list[str]) -> list[tuple[str, int, str]]:
    """Return group, position and name of each scenario that the words choose."""
    named = [
        (group, position, f"{group}: {scenario.name}, {scenario.variant}")
        for group in GROUPS
        for position, scenario in enumerate(scenarios(group))
    ]
    return [one for one in named if not words or any(word in one[2] for word in words)]


def _said(report: Report) -> Report:
    """Tell that a scenario is done, since all of them take minutes."""
    counts = f"{report.states} power cuts, {report.faults} faults"
    what = f"{report.name}, {report.variant}: {counts}, {len(report.problems)} problems"
    sys.stderr.write(f"{what}\n")
    return report


@contextlib.contextmanager
def postgresql() -> Iterator[dict[str, object] | None]:
    """Make a database of its own, if there is a server."""
    name = f"durability_{uuid.uuid4().hex}"
    try:
        connection = psycopg.connect(
            host=POSTGRESQL["HOST"],
            port=POSTGRESQL["PORT"],
            user=POSTGRESQL["USER"],
            password=POSTGRESQL["PASSWORD"],
            dbname="postgres",
            autocommit=True,
        )
    except psycopg.OperationalError:
        yield None
        return
    with connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        # The server is not killed here, so that it need not wait for its disk.
        quick = f'ALTER DATABASE "{name}" SET synchronous_commit = off'
        connection.execute(quick.encode())
        try:
            yield {**POSTGRESQL, "NAME": name}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.durability")
    parser.add_argument("words", nargs="*", help="a part of a name")
    parser.add_argument("--every", type=int, default=1, help="try each N-th fault")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not knows_this_machine():
        parser.error("only Linux on x86-64 is known")
    start = time.monotonic()
    with postgresql() as database, environment.scratch():
        environment.set_up()
        if not _chosen(options.words):
            names = "\n  ".join(name for _group, _position, name in _chosen([]))
            parser.error(f"nothing is called so. There are:\n  {names}")
        found = prove_all(options.words, options.every, database)
    if options.json:
        every = [
            {"group": group, **asdict(report)}
            for group, reports in found.items()
            for report in reports
        ]
        sys.stdout.write(json.dumps(every))
        return 0
    for group, reports in found.items():
        sys.stdout.write(f"\n{GROUPS[group]}\n\n{as_table(reports)}\n")
        for report in reports:
            if not is_as_promised(group, report):
                problems = report.problems or ["NOTHING WAS SEEN"]
                lines = [f"  {report.name}, {report.variant}: {p}" for p in problems]
                sys.stdout.write("\n".join(lines[:10]) + "\n")
    sys.stdout.write(f"\n{time.monotonic() - start:.0f} seconds\n")
    if database is None:
        sys.stdout.write("PostgreSQL was not there, and not tried.\n")
    return not all(
        is_as_promised(group, report)
        for group, reports in found.items()
        for report in reports
    )


if __name__ == "__main__":
    sys.exit(main())
