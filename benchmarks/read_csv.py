"""How fast a CSV file is read with lines and offsets, beside bare csv.reader.

python -m benchmarks.read_csv [--rows 1000000] [--repeat 5]
"""

from __future__ import annotations

import argparse
import csv
import gc
import resource
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.project import project

KIB_PER_MIB = 1024


def main() -> None:
    """Measure and print a table a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5, help="the best one counts")
    options = parser.parse_args()
    with project() as folder:
        # What Django has made is not looked through again by the garbage collector.
        gc.collect()
        gc.freeze()
        for title, note in (
            ("5 columns", "Science"),
            ("5 columns, one in quotes", "Science, Arts"),
            ("5 columns, one with a line end", "Science\nArts"),
            ("5 columns, one with an umlaut", "Künste"),
        ):
            path = Path(folder, "rows.csv")
            write(path, options.rows, note)
            measure(title, path, options.rows, options.repeat)


def write(path: Path, rows: int, note: str) -> None:
    """Write a file of students."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["matric_no", "first_name", "email", "faculty", "admitted_on"])
        for row in range(rows):
            email = f"student{row}@example.org"
            writer.writerow([f"M{row:07}", "Firstname", email, note, "2024-01-31"])


def measure(title: str, path: Path, rows: int, repeat: int) -> None:
    """Print how many rows a second each way reads, and its share of the first."""
    ways = {
        "csv.reader, rows thrown away": bare,
        "csv.reader, lists of 1,000": kept,
        "csv.DictReader": dicts,
        "batches of 1,000: lines, offsets, widths": batches,
        "one Record at a time": records,
        "check(): all problems": checked,
    }
    print(f"\n{title}: {rows:,} rows, {path.stat().st_size:,} bytes")
    best = fastest({name: partial(way, path) for name, way in ways.items()}, repeat)
    first = next(iter(best.values()))
    for name, seconds in best.items():
        print(f"  {name:42} {rows / seconds:>12,.0f} rows/s {first / seconds:6.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB
    print(f"  peak memory of the process: {peak:.0f} MiB")


def bare(path: Path) -> None:
    """Read with csv.reader, and nothing else."""
    with path.open(newline="", encoding="utf-8") as file:
        for _row in csv.reader(file, strict=True):
            pass


def kept(path: Path) -> None:
    """Read with csv.reader, and keep 1,000 rows at a time."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file, strict=True)
        while list(islice(reader, 1000)):
            pass


def dicts(path: Path) -> None:
    """Read with csv.DictReader."""
    with path.open(newline="", encoding="utf-8") as file:
        for _row in csv.DictReader(file, strict=True):
            pass


def batches(path: Path) -> None:
    """Read as an import does."""
    from deliverystore.datacenter import open_table

    with path.open("rb") as file:
        for _batch in open_table(file).batches(1000):
            pass


def records(path: Path) -> None:
    """Read one record after the other."""
    from deliverystore.datacenter import open_table

    with path.open("rb") as file:
        for _record in open_table(file):
            pass


def checked(path: Path) -> None:
    """Read as an upload does."""
    from deliverystore.datacenter import check

    with path.open("rb") as file:
        check(file)


def fastest(ways: dict[str, Callable[[], None]], repeat: int) -> dict[str, float]:
    """Return the least processor time of each way; they take turns."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(repeat):
        for name, way in ways.items():
            start = time.process_time()
            way()
            best[name] = min(best[name], time.process_time() - start)
    return best


if __name__ == "__main__":
    main()
