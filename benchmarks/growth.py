"""Whether files are taken in and read as fast beside 1,000,000 as beside none.

python -m benchmarks.growth [--files 1000000] [--repeat 300] [--postgresql]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.admin import databases, fill, using

CONTENT = b"x" * 4096


def main() -> None:
    """Fill one store, then measure both in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=300, help="the median counts")
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with databases(postgresql=options.postgresql) as (names, folder):
        roots = [folder / name for name in ("empty", "full")]
        for name, root, files in zip(names, roots, (1, options.files), strict=True):
            with using(name):
                fill(files)
            store(root, files)
        ways = {"begin, add_file, finish": put, "open and read": get}
        times = measured(ways, names, roots, options.repeat)
    print(f"\n{'milliseconds':<28}{'empty':>12}{options.files:>12,}{'ratio':>8}")
    for way, (empty, full) in times.items():
        print(f"{way:<28}{empty:>12.2f}{full:>12.2f}{full / empty:>8.2f}")


def store(root: Path, files: int) -> None:
    """Write the bytes of delivery n, file n, for each number n from 1."""
    from deliverystore.backends import FsHierDeliveryStore

    start = time.perf_counter()
    names = FsHierDeliveryStore(root, durability="none")
    for number in range(1, files + 1):
        path = root / names.get_path_from_deliveryid(number) / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)
    print(f"{files:,} files written in {time.perf_counter() - start:.0f} s")


def measured(
    ways: dict[str, Callable[[], None]],
    names: list[str],
    roots: list[Path],
    repeat: int,
) -> dict[str, list[float]]:
    """Return how many milliseconds each way takes beside few and beside many files."""
    from django.test import override_settings

    times: dict[str, list[list[float]]] = {way: [[], []] for way in ways}
    for _ in range(repeat):
        for number, (name, root) in enumerate(zip(names, roots, strict=True)):
            with using(name), override_settings(DELIVERY_STORE_ROOT=root):
                for way, run in ways.items():
                    start = time.perf_counter()
                    run()
                    times[way][number].append(1000 * (time.perf_counter() - start))
    return {way: [median(each) for each in found] for way, found in times.items()}


def put() -> None:
    """Hand one file in."""
    from deliverystore.models import Delivery

    delivery = Delivery.begin()
    delivery.add_file("new", CONTENT)
    delivery.finish()


def get() -> None:
    """Read the file that was handed in last."""
    from deliverystore.models import FileMeta

    file = FileMeta.objects.latest("pk")
    assert file.get_all_data_as_string() == CONTENT


if __name__ == "__main__":
    main()
