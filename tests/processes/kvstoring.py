"""A process at a key-value store in a folder, which checks what it reads.

    python -m tests.processes.kvstoring FOLDER NUMBER SECONDS

It writes to keys that others write to, too. Whatever it finds must belong together.
"""

from __future__ import annotations

import contextlib
import random
import sys
import time

import django

KEYS = [f"shared-{n}" for n in range(6)]
# Each process changes two keys of its own together, so that they are equal.
PAIR = ("left-{}", "right-{}")


def main(folder, number, seconds):
    from deliverystore.kvstore import FileSystemStore

    store = FileSystemStore(folder, durability="none")
    chance = random.Random(number)  # noqa: S311 - it need not be secret
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        work = chance.choice([write, write, transact, read, read, query])
        work(store, chance, number)
        count += 1
    sys.stdout.write(f"{count}\n")


def write(store, chance, number):
    key, stamp = chance.choice(KEYS), f"{number}-{chance.random()}"
    change = chance.random()
    if change < 0.7:
        store.set(key, (stamp.encode() * 500, {"stamp": stamp, "kind": "shared"}))
    elif change < 0.9:
        counter = f"counter-{number}"
        try:
            store.update_metadata("counters", {counter: chance.random()})
        except KeyError:
            store.set_metadata("counters", {})
    else:
        with contextlib.suppress(KeyError):
            store.delete(key)


def transact(store, chance, number):
    stamp = chance.random()
    with store.transaction("both"):
        for name in PAIR:
            store.set_metadata(name.format(number), {"stamp": stamp})


def read(store, chance, number):
    try:
        value = store.get(chance.choice(KEYS))
    except KeyError:
        return
    with value as data:
        stamp = value.metadata["stamp"].encode()
        assert data.read() == stamp * 500, "data and metadata do not belong together"


def query(store, chance, number):
    found = list(store.query_keys(kind="steady"))
    assert len(found) == 20, found
    assert set(found) == {f"steady-{n}" for n in range(20)}, found
    for _, metadata in store.query(kind="shared"):
        assert set(metadata) == {"stamp", "kind"}
    values = {}
    for name in PAIR:
        try:
            values[name] = store.get_metadata(name.format(number))
        except KeyError:
            values[name] = None
    assert len(set(map(str, values.values()))) == 1, values


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
