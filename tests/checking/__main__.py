"""What the quick tests show, in full size.

python -m tests.checking [--damages 1000] [--rows 1000000]

Plants that many damages of every kind in ten times as many files, and says what a
check has found; then shows how much memory a check, a copy into another store, and a
sweep take with a tenth of so many rows, and with all of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from deliverystore.backends import DeliveryStoreInterface

_T = TypeVar("_T")

_DELIVERIES = """
INSERT INTO deliverystore_delivery (id, state, recipient_id, number, created,
    time_of_delivery, recipient_name, user_name, file_count, size, manifest_digest)
SELECT i, 'finished', '', i, '2026-01-01', '2026-01-01', '', '', 1, 1, %s FROM
"""
_FILES = """
INSERT INTO deliverystore_filemeta (id, delivery_id, filename, name_key, size, digest,
    content_type, stored_as, created, completed)
SELECT i, i, 'a.txt', 'a.txt', 1, %s, '', '', '2026-01-01', '2026-01-01' FROM
"""
_REMOVALS = """
INSERT INTO deliverystore_removal (filemeta_id, delivery_id, stored_as, removed_at)
SELECT i + 10000000, i, '', '2026-01-01' FROM
"""
_SERIES = (
    "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s"
    " WHERE i < %s) SELECT i FROM s)"
)


def main() -> int:
    """Do both in processes of their own; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--damages", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--part", choices=["damages", "rows"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        return _in_a_project(options)
    arguments = [
        ["--part=damages", f"--damages={options.damages}"],
        ["--part=rows", f"--rows={options.rows // 10}"],
        ["--part=rows", f"--rows={options.rows}"],
    ]
    command = [sys.executable, "-m", "tests.checking"]
    codes = [subprocess.run([*command, *one], check=False) for one in arguments]
    return max(done.returncode for done in codes)


def _in_a_project(options: argparse.Namespace) -> int:
    import django
    from django.core.management import call_command

    with tempfile.TemporaryDirectory(prefix="deliverystore-check-") as folder:
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.processes.settings"
        os.environ["DELIVERYSTORE_DATABASE"] = json.dumps(database)
        os.environ["DELIVERYSTORE_ROOT"] = str(Path(folder) / "files")
        django.setup()
        call_command("migrate", run_syncdb=True, verbosity=0)
        if options.part == "damages":
            return _find_damages(options.damages)
        return _measure(options.rows)


def _find_damages(count: int) -> int:
    from deliverystore.models import FileMeta
    from tests.checking.conftest import check, found, plant

    planted = plant(count)
    checked = check()
    seen = found(checked)
    _say(f"{FileMeta.objects.count():,} files")
    for kind, number in Counter(kind for kind, *_ in planted).items():
        hits = sum(kind == one[0] for one in planted & seen)
        _say(f"  {kind:<14}{number:>6,} planted{hits:>8,} found")
    _say(f"  reported, but not planted: {len(seen - planted)}")
    return int(seen != planted or checked.found != len(planted))


def _measure(rows: int) -> int:
    from deliverystore.models import FileMeta

    FileMeta.deliverystore = _store_of(rows)
    _fill(rows)
    from tests.checking.conftest import check

    checked = _watched("check", check)
    copied = _watched("copy", partial(_copy_all, rows))
    swept = _watched("sweep", _sweep_all)
    _say(f"{rows:,} files, {checked.names:,} names")
    return int(checked.found != 0 or {checked.files, copied, swept} != {rows})


def _watched(what: str, work: Callable[[], _T]) -> _T:
    before, started = _peak(), time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    _say(
        f"  {what:<6}{seconds:>6.0f} s, peak of {_peak():.0f} MiB, "
        f"{_peak() - before:.1f} MiB more than before"
    )
    return result


def _copy_all(rows: int) -> int:
    """Copy into a store that has all files already; return how many it has."""
    from deliverystore.copying import Copier, Outcome, copy_all
    from deliverystore.models import FileMeta

    copier = Copier(source=FileMeta.deliverystore, target=_store_of(rows))
    outcomes = (copied.outcome for copied in copy_all(copier, jobs=1))
    return sum(outcome is Outcome.PRESENT for outcome in outcomes)


def _sweep_all() -> int:
    """Sweep the bytes of as many deleted files; return how many there were."""
    from deliverystore.models import FileMeta, Removal
    from deliverystore.sweeping import sweep

    _execute(_REMOVALS, FileMeta.objects.count())
    count = Removal.objects.count()
    sweep()
    return count - Removal.objects.count()


def _store_of(rows: int) -> DeliveryStoreInterface:
    """Return a store with so many files, all of one byte, which need no disk."""
    from datetime import UTC, datetime

    from django.core.files.base import ContentFile

    from deliverystore.backends import MemoryDeliveryStore, StoredEntry

    class Uniform(MemoryDeliveryStore):
        def _open(self, name, mode="rb"):
            return ContentFile(b"x", name)

        def size(self, name):
            return 1

        def remove(self, file):
            """Let it go: as for the others, nothing is kept of it."""

        def walk(self, after="", **options):
            start = int(after.partition("/")[0] or 0) + 1
            modified = datetime(2026, 1, 1, tzinfo=UTC)
            for number in range(start, rows + 1):
                yield StoredEntry(name=f"{number}/{number}", size=1, modified=modified)

    return Uniform()


def _fill(rows: int) -> None:
    """Write so many finished deliveries with one file each."""
    from deliverystore.models import FileMeta
    from deliverystore.models.receipt import manifest_digest

    digest = f"sha256:{hashlib.sha256(b'x').hexdigest()}"
    manifest = manifest_digest([FileMeta(filename="a.txt", size=1, digest=digest)])
    _execute(_DELIVERIES, manifest, rows)
    _execute(_FILES, digest, rows)


def _execute(statement: str, *params: str | int) -> None:
    """Execute a statement for each number of a series, the last of the params."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement + _SERIES, params)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _peak() -> float:
    """Return the most memory that this process had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
