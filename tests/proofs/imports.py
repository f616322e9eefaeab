"""Kill an import at random moments, and go on with it each time, in full size.

    python -m tests.proofs.imports [--rows 100000] [--kills 50] [--seed 1]

On SQLite and on PostgreSQL. It ends with an error if anything is
not as an undisturbed import leaves it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.processes.conftest import Project, postgresql_database, sqlite_database
from tests.processes.killing import Killing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _prove("SQLite", sqlite_database(Path(folder)), Path(folder), options)
    with tempfile.TemporaryDirectory() as folder, postgresql_database() as database:
        _prove("PostgreSQL", database, Path(folder), options)


def _prove(
    name: str, database: dict, folder: Path, options: argparse.Namespace
) -> None:
    begun = time.monotonic()
    project = Project(database, folder / "files")
    project.migrate()
    killing = Killing(project, options.rows, 500)
    killed = killing.run(options.kills, options.seed)
    killing.check()
    sys.stdout.write(
        f"{name}: {options.rows:,} rows, {killed} kills, "
        f"{time.monotonic() - begun:,.0f} s: table, counts and files are the same\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
