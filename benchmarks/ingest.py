"""How fast files are taken in, beside Django's own storage and beside raw limits.

python -m benchmarks.ingest [--mib 1024] [--deliveries 200] [--repeat 3] [words …]

Only ways with one of the words in their names are measured.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.project import project

MIB = 1024 * 1024
SMALL = os.urandom(4096)
FILES = 20


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*")
    parser.add_argument("--mib", type=int, default=1024, help="size of the large file")
    parser.add_argument("--deliveries", type=int, default=200, help="of small files")
    parser.add_argument("--repeat", type=int, default=3, help="the median counts")
    options = parser.parse_args()
    with project() as folder:
        large(folder, options.mib, options.repeat, options.words)
        if options.deliveries:
            small(folder, options.deliveries, options.repeat, options.words)


def large(folder: Path, mib: int, repeat: int, words: Sequence[str]) -> None:
    """Compare ways to take in one large file."""
    from django.core.files import File
    from django.test import override_settings

    from benchmarks.models import Upload
    from deliverystore.models import Delivery

    source = folder / "source"
    block = os.urandom(MIB)
    with source.open("wb") as file:
        for _ in range(mib):
            file.write(block)

    def delivery(digest: str) -> None:
        with source.open("rb") as file, override_settings(DELIVERY_STORE_DIGEST=digest):
            new = Delivery.begin()
            new.add_file("large", file)
            new.finish()

    def django_save() -> None:
        with source.open("rb") as file:
            Upload().file.save("large", File(file))

    def encore_set() -> None:
        with source.open("rb") as file:
            encore_store(folder).set("large", (file, {}))

    def sha256() -> None:
        hash_ = hashlib.sha256()
        for chunk in chunks(source):
            hash_.update(chunk)

    table(
        f"one file of {mib} MiB",
        "MiB/s",
        mib,
        repeat,
        folder,
        words,
        {
            "sha256 alone, nothing written": sha256,
            "raw: write, fsync, rename, no digest": lambda: raw(chunks(source), folder),
            "raw, and sha256 before each write": lambda: raw(hashed(source), folder),
            "deliverystore, sha256, durable": lambda: delivery("sha256"),
            "deliverystore, blake3, durable": lambda: delivery("blake3"),
            "Django's FileField, not durable, no digest": django_save,
            "encore's FileSystemStore, not durable": encore_set,
        },
    )


def small(folder: Path, count: int, repeat: int, words: Sequence[str]) -> None:
    """Compare ways to take in deliveries of small files."""
    ways = {
        "raw: write, fsync, rename; a folder sync each": lambda: raw_files(folder),
        "deliverystore, add_files(), durable, with rows": together,
        "deliverystore, add_file(), durable, with rows": one_by_one,
        "Django's FileField, not durable, with rows": django_save,
        "encore's FileSystemStore, not durable, metadata": lambda: encore_set(folder),
    }

    def repeated(way: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                way()

        return run

    table(
        f"{count} deliveries of {FILES} files of 4 KiB",
        "files/s",
        count * FILES,
        repeat,
        folder,
        words,
        {name: repeated(way) for name, way in ways.items()},
    )


def together() -> None:
    """Hand in one delivery, its files at once."""
    from deliverystore.models import Delivery

    delivery = Delivery.begin()
    delivery.add_files((f"{number}.txt", SMALL) for number in range(FILES))
    delivery.finish()


def one_by_one() -> None:
    """Hand in one delivery, its files one after the other."""
    from deliverystore.models import Delivery

    delivery = Delivery.begin()
    for number in range(FILES):
        delivery.add_file(f"{number}.txt", SMALL)
    delivery.finish()


def django_save() -> None:
    """Save as many files with a row each, as a FileField does."""
    from django.core.files.base import ContentFile

    from benchmarks.models import Upload

    for _ in range(FILES):
        Upload().file.save("small.txt", ContentFile(SMALL))


def encore_set(folder: Path) -> None:
    """Set as many keys, with metadata, in encore's store."""
    store = encore_store(folder)
    for _ in range(FILES):
        store.set(f"{time.monotonic_ns()}", (io.BytesIO(SMALL), {"name": "small.txt"}))


def encore_store(folder: Path) -> Any:
    """Return a store of the package encore."""
    from encore.storage.filesystem_store import FileSystemStore, init_shared_store

    root = folder / "encore"
    root.mkdir(exist_ok=True)
    init_shared_store(str(root), ".FSStore")
    store = FileSystemStore(str(root))
    store.connect()
    return store


def raw_files(folder: Path) -> None:
    """Write as many files by hand, without rows."""
    target = folder / "raw" / f"{time.monotonic_ns()}"
    target.mkdir(parents=True)
    for name in range(FILES):
        write_durably(target / str(name), [SMALL])
    sync(target)
    sync(target.parent)


def table(
    title: str,
    unit: str,
    amount: int,
    repeat: int,
    folder: Path,
    words: Sequence[str],
    ways: dict[str, Callable[[], None]],
) -> None:
    """Measure each way in turn, several times, and print the medians."""
    ways = {
        name: way
        for name, way in ways.items()
        if any(word in name for word in words or [""])
    }
    if not ways:
        return
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeat):
        for name, way in ways.items():
            empty(folder)
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    rates = {name: amount / median(found) for name, found in times.items()}
    first = next(iter(rates.values()))
    print(f"\n{title}: {unit}, and the ratio to the first line")
    for name, rate in rates.items():
        print(f"  {name:<48} {rate:>9,.0f} {rate / first:>6.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"  peak memory of the whole process: {peak} MiB")


def raw(pieces: Iterator[bytes], folder: Path) -> None:
    """Write a file as durably as it gets, by hand."""
    target = folder / "raw"
    target.mkdir(exist_ok=True)
    write_durably(target / f"{time.monotonic_ns()}", pieces)
    sync(target)


def hashed(path: Path) -> Iterator[bytes]:
    """Read a file in pieces, and hash each one before it is given out."""
    hash_ = hashlib.sha256()
    for chunk in chunks(path):
        hash_.update(chunk)
        yield chunk


def write_durably(path: Path, pieces: Iterator[bytes] | list[bytes]) -> None:
    """Write a temporary file, sync it, and rename it."""
    temporary = path.with_name(f".{path.name}")
    with temporary.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def sync(folder: Path) -> None:
    """Make the entries of a folder durable."""
    fd = os.open(folder, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def chunks(path: Path) -> Iterator[bytes]:
    """Read a file in pieces of 1 MiB."""
    with path.open("rb") as file:
        while chunk := file.read(MIB):
            yield chunk


def empty(folder: Path) -> None:
    """Remove what former measurements stored, and let the disk come to rest."""
    for name in ("raw", "media", "deliveries", "encore"):
        for path in (folder / name).rglob("*"):
            if path.is_file():
                path.unlink()
    os.sync()


if __name__ == "__main__":
    main()
