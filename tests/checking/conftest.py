"""Deliveries, and everything that can be wrong with what is stored of them."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

from deliverystore.checking import Budget, begin, run
from deliverystore.models import Delivery, FileMeta
from tests.factories import finished_delivery

LONG_AGO = time.time() - 7 * 24 * 3600


def hand_in(count, *, files=1):
    """Hand in deliveries with files whose contents are all different."""
    return [
        finished_delivery(
            files=[(f"{n}.txt", f"file {n} of {number}") for n in range(files)]
        )
        for number in range(count)
    ]


def path_of(file):
    store = FileMeta.deliverystore
    return Path(store.path(store.name_of(file)))


def lay(name, content=b"left over"):
    """Put bytes into the store's folder that nobody has asked for, long ago."""
    path = Path(FileMeta.deliverystore.location) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def shorten(file):
    path_of(file).write_bytes(b"short")


def falsify(file):
    content = bytearray(path_of(file).read_bytes())
    content[0] ^= 1
    path_of(file).write_bytes(content)


def make_unreadable(file):
    path_of(file).unlink()
    path_of(file).mkdir()


def change(delivery):
    Delivery.objects.filter(pk=delivery.pk).update(file_count=99)


DAMAGES = {
    "missing": lambda file: path_of(file).unlink(),
    "wrong size": shorten,
    "wrong digest": falsify,
    "unreadable": make_unreadable,
}


def plant(count):
    """Do every kind of damage so many times, to 10 times as many files; say which."""
    deliveries = hand_in(2 * count, files=5)
    files = (file for delivery in deliveries for file in delivery.files.all())
    planted = set()
    for kind, damage in DAMAGES.items():
        for file in itertools.islice(files, count):
            damage(file)
            planted.add((kind, file.delivery_id, file.pk, ""))
    for delivery in deliveries[-count:]:
        change(delivery)
        planted.add(("changed", delivery.pk, None, ""))
    for number in range(count):
        lay(f"0/0/{number}/{10**9 + number}")
        planted.add(("stray", None, None, f"0/0/{number}/{10**9 + number}"))
        lay(f"0/0/{number}/.deliverystore-{number}")
        planted.add(("temporary", None, None, f"0/0/{number}/.deliverystore-{number}"))
    return planted


def found(checked):
    return {
        (f.kind, f.delivery_id, f.filemeta_id, "" if f.filemeta_id else f.name)
        for f in checked.findings.all()
    }


def check(*, max_bytes=float("inf"), max_seconds=float("inf"), **options):
    """Begin or go on with a check, and return it."""
    found = begin(**options)
    run(found, Budget(max_bytes=max_bytes, max_seconds=max_seconds))
    return found


def kinds(checked):
    """Return what a check has found: kind, delivery, file."""
    fields = ("kind", "delivery_id", "filemeta_id")
    return set(checked.findings.values_list(*fields))
