"""How fast values are set, got and found, beside other stores and raw limits.

python -m benchmarks.kvstore [--values 1000] [--keys 1000 100000 1000000]
    [--postgresql] [--repeat 3] [words …]

Only ways with one of the words in their names are measured.
"""

from __future__ import annotations

import argparse
import os
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.admin import databases, using
from benchmarks.ingest import sync, write_durably

DATA = os.urandom(4096)
METADATA = b'{"kind": "photo", "number": 1}'
# More keys make these slower than anybody wants to wait for.
SLOW_TO_FIND = 100_000

# Sets one value, gets one.
Way = tuple[Callable[[int], object], Callable[[int], bytes]]


def main() -> None:
    """Measure and print three tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*")
    parser.add_argument("--values", type=int, default=1000)
    parser.add_argument(
        "--keys", type=int, nargs="*", default=[1000, 100_000, 1_000_000]
    )
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--repeat", type=int, default=3, help="the median counts")
    options = parser.parse_args()
    # The ancestor uses what Python is about to drop.
    warnings.simplefilter("ignore")
    with databases(postgresql=options.postgresql) as (names, folder):
        from django.core.management import call_command
        from django.test import override_settings

        storage = {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder / "values")},
        }
        with using(names[1]), override_settings(STORAGES={"values": storage}):
            call_command("migrate", verbosity=0)
            set_and_get(folder, options)
            many_at_once(options)
            if options.keys:
                find(folder, options)


def set_and_get(folder: Path, options: argparse.Namespace) -> None:
    """Compare how fast values of 4 KiB are set, set again, and got."""
    print(f"\n{options.values} values of 4 KiB, a second")
    print(f"  {'':<44}{'new':>10}{'again':>10}{'get':>10}")
    for name, way in WAYS.items():
        if not any(word in name for word in options.words or [""]):
            continue
        found = []
        for number in range(options.repeat):
            place = folder / f"{name}-{number}".replace("/", "-")
            place.mkdir()
            set_one, get_one = way(place)
            os.sync()
            found.append(
                [rate(one, options.values) for one in (set_one, set_one, get_one)]
            )
        rates = [median(column) for column in zip(*found, strict=True)]
        print(f"  {name:<44}" + "".join(f"{n:>10,.0f}" for n in rates), flush=True)


def rate(action: Callable[[int], object], count: int) -> float:
    start = time.perf_counter()
    for number in range(count):
        action(number)
    return count / (time.perf_counter() - start)


def many_at_once(options: argparse.Namespace) -> None:
    """Compare a multiset of small values with as many single sets."""
    from deliverystore.kvstore import DatabaseStore

    count, ratios = 1000, []
    for number in range(options.repeat):
        store = DatabaseStore(name=f"many-{number}")
        single = rate(lambda n: store.set(f"one-{n}", (b"x", {"n": n})), count)  # noqa: B023
        keys = [f"many-{n}" for n in range(count)]
        start = time.perf_counter()
        store.multiset(keys, ((b"x", {"n": n}) for n in range(count)))
        ratios.append(count / (time.perf_counter() - start) / single)
    print(
        f"\nmultiset of {count} in a DatabaseStore: {median(ratios):.1f} x single sets"
    )


def find(folder: Path, options: argparse.Namespace) -> None:
    """Compare how long one match is looked for, and what memory it takes."""
    print(
        "\nmilliseconds for one match among so many keys (MiB of memory for all keys)"
    )
    print(f"  {'':<44}" + "".join(f"{n:>18,}" for n in options.keys))
    for name, (fill, limit) in FINDERS.items():
        if not any(word in name for word in options.words or [""]):
            continue
        line = f"  {name:<44}"
        for keys in options.keys:
            if limit and keys > limit:
                continue
            place = folder / f"find-{name}-{keys}".replace("/", "-")
            place.mkdir()
            store = fill(place, keys)
            spent = []
            for _ in range(max(options.repeat, 5)):
                start = time.perf_counter()
                found = list(store.query_keys(needle="here", kind="photo"))
                spent.append(1000 * (time.perf_counter() - start))
                assert found == ["needle"], found
            line += f"{median(spent):>10,.2f} ({memory(store):>5,.1f})"
        print(line, flush=True)


def memory(store: Any) -> float:
    """Return how many MiB a query for everything takes at most."""
    tracemalloc.start()
    for _ in store.query():
        if tracemalloc.get_traced_memory()[1] > 2**30:
            break
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def ours(durability: str) -> Callable[[Path], Way]:
    def way(folder: Path) -> Way:
        from deliverystore.kvstore import FileSystemStore, init_shared_store

        init_shared_store(folder)
        return calls(FileSystemStore(folder, durability=durability))

    return way


def database(folder: Path) -> Way:
    from deliverystore.kvstore import DatabaseStore

    return calls(DatabaseStore(name=folder.name))


def encore_folder(folder: Path) -> Way:
    return calls(_encore_folder(folder))


def encore_sqlite(folder: Path) -> Way:
    return calls(_encore_sqlite(folder))


def calls(store: Any) -> Way:
    def get(number: int) -> bytes:
        data = store.get(f"k{number}").data
        content: bytes = data.read()
        data.close()
        return content

    return (
        lambda n: store.set(f"k{n}", (BytesIO(DATA), {"kind": "photo", "number": n})),
        get,
    )


def diskcache(folder: Path) -> Way:
    import diskcache

    cache = diskcache.Cache(str(folder), disk_min_file_size=1024)
    return (
        lambda n: cache.set(f"k{n}", BytesIO(DATA), read=True, tag="photo"),
        lambda n: cache.get(f"k{n}", read=True).read(),
    )


def minimalkv(folder: Path) -> Way:
    from minimalkv.fs import FilesystemStore

    store = FilesystemStore(str(folder))
    return lambda n: store.put_file(f"k{n}", BytesIO(DATA)), lambda n: store.get(
        f"k{n}"
    )


def raw(folder: Path) -> Way:
    """Write data and metadata durably, but as two steps."""

    def write(number: int) -> None:
        write_durably(folder / f"k{number}.data", [DATA])
        write_durably(folder / f"k{number}.metadata", [METADATA])
        sync(folder)

    return write, lambda n: (folder / f"k{n}.data").read_bytes()


def raw_one(folder: Path) -> Way:
    """Write the data alone durably."""

    def write(number: int) -> None:
        write_durably(folder / f"k{number}.data", [DATA])
        sync(folder)

    return write, lambda n: (folder / f"k{n}.data").read_bytes()


def _encore_folder(folder: Path) -> Any:
    from encore.storage.filesystem_store import FileSystemStore, init_shared_store

    init_shared_store(str(folder))
    return FileSystemStore(str(folder))


def _encore_sqlite(folder: Path) -> Any:
    from encore.storage.sqlite_store import SqliteStore

    # Its indexes, the default, raise a syntax error when they are asked.
    store = SqliteStore(str(folder / "db"), index=None)
    store.connect()
    return store


def fill_database(folder: Path, keys: int) -> Any:
    """Insert rows as a store does, by the database itself; then set the one."""
    from deliverystore.kvstore import DatabaseStore

    store = DatabaseStore(name=folder.name)
    insert(folder.name, keys)
    store.set_metadata("needle", {"needle": "here", "kind": "photo", "number": -1})
    return store


def insert(name: str, keys: int) -> None:
    """Insert rows with three terms each; one of these is the same for all."""
    from django.db import connection

    from benchmarks.admin import SERIES
    from deliverystore.kvstore.finding import term_of

    series = SERIES[connection.vendor].format(rows=keys)
    is_sqlite = connection.vendor == "sqlite"
    digest = (
        "lower(hex(randomblob(32)))" if is_sqlite else "md5(%s || i) || md5(i || %s)"
    )
    number = "random()" if is_sqlite else "hashint8extended(i * 7919, 1)"
    params = [] if is_sqlite else [name, name]
    cast = "" if is_sqlite else "::jsonb"
    now = "datetime('now')" if is_sqlite else "now()"
    text = '\'{"kind": "photo", "number": \' || i || \'}\''
    columns = f"%s, 'key ' || i, {digest}, 'key ' || i, ({text}){cast}, 0, '', ''"
    values = (
        "INSERT INTO deliverystore_storedvalue (store, key, key_digest, key_start,"
        " metadata, size, storage, stored_as, created, modified) "
    )
    chosen = f"SELECT {columns}, {now}, {now} FROM {series}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(values + chosen, [name, *params])
        same = term_of(name, "kind", "photo")
        for term in (str(same), number):
            terms = " ".join(
                (
                    "INSERT INTO deliverystore_storedterm (value_id, term)",
                    f"SELECT id, {term.replace('i *', 'id *')}",
                    "FROM deliverystore_storedvalue WHERE store = %s",
                )
            )
            cursor.execute(terms, [name])
        cursor.execute("ANALYZE")


def fill_by_setting(opened: Callable[[Path], Any]) -> Callable[[Path, int], Any]:
    def fill(folder: Path, keys: int) -> Any:
        store = opened(folder)
        values: Iterator[tuple[str, dict[str, object]]] = (
            (f"key {n}", {"kind": "photo", "number": n}) for n in range(keys - 1)
        )
        with store.transaction("fill"):
            for key, metadata in values:
                store.set(key, (BytesIO(b""), metadata))
            store.set("needle", (BytesIO(b""), {"needle": "here", "kind": "photo"}))
        return store

    return fill


def fill_folder(folder: Path, keys: int) -> Any:
    """Write files as a store does, then open one of ours."""
    from deliverystore.kvstore import FileSystemStore

    _encore_folder(folder)
    for number in range(keys):
        (folder / f"key {number}.metadata").write_bytes(METADATA)
        (folder / f"key {number}.data").write_bytes(b"")
    store = FileSystemStore(folder, durability="none")
    store.set_metadata("needle", {"needle": "here", "kind": "photo"})
    return store


def fill_encore_folder(folder: Path, keys: int) -> Any:
    from encore.storage.filesystem_store import FileSystemStore

    fill_folder(folder, keys)
    return FileSystemStore(str(folder))


WAYS: dict[str, Callable[[Path], Way]] = {
    "FileSystemStore, not durable": ours("none"),
    "encore FileSystemStore": encore_folder,
    "minimalkv FilesystemStore (no metadata)": minimalkv,
    "diskcache (no metadata)": diskcache,
    "FileSystemStore, durable": ours("full"),
    "raw: data and metadata durably": raw,
    "raw: data alone durably": raw_one,
    "DatabaseStore": database,
    "encore SqliteStore": encore_sqlite,
}
FINDERS: dict[str, tuple[Callable[[Path, int], Any], int]] = {
    "DatabaseStore": (fill_database, 0),
    "FileSystemStore": (fill_folder, SLOW_TO_FIND),
    "encore FileSystemStore": (fill_encore_folder, SLOW_TO_FIND),
    "encore SqliteStore": (fill_by_setting(_encore_sqlite), SLOW_TO_FIND),
}


if __name__ == "__main__":
    main()
