"""Handing in homework, once: a second run finds it there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from django.contrib.auth.models import User

from deliverystore.exceptions import DeliveryStoreError
from deliverystore.models import Delivery
from example_project.campus.models import Assignment

from .homework import Homework
from .keeping import first_store


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """A delivery of the demo; seconds is None if an earlier run handed it in."""

    delivery: Delivery
    seconds: float | None


def hand_in(work: Homework, student: User, assignment: Assignment) -> HandedIn:
    """Begin a delivery, add all files, finish it, unless an earlier run did it."""
    if (earlier := _earlier(work, student, assignment)) is not None:
        return HandedIn(delivery=earlier, seconds=None)
    files = [(name, make()) for name, make in work.files.items()]
    start = perf_counter()
    delivery = Delivery.begin(assignment, student)
    delivery.add_files(files)
    if work.finished:
        delivery.finish()
    return HandedIn(delivery=delivery, seconds=perf_counter() - start)


def break_off(assignment: Assignment, student: User) -> None:
    """Let an upload break off after 5 MB, and make sure that nothing is left."""

    def upload() -> Iterator[bytes]:
        yield bytes(5 * 1024**2)
        raise ConnectionResetError("The train went into a tunnel.")

    delivery = Delivery.begin(assignment, student)
    try:
        with contextlib.suppress(ConnectionResetError):
            delivery.add_file("essay.txt", upload())
        if delivery.files.exists() or _stored(delivery):
            raise AssertionError("Something is left of an upload that broke off.")
    finally:
        delivery.abandon()


def refusal_of_twin(assignment: Assignment, student: User) -> str:
    """Hand in the same filename twice; return the answer."""
    delivery = Delivery.begin(assignment, student)
    try:
        return _refusal(delivery, ["Essay.txt", "ESSAY.txt"])
    finally:
        delivery.abandon()


def refusal_after_finish(delivery: Delivery) -> str:
    """Add a file to what is handed in already; return the answer."""
    return _refusal(delivery, ["one more.txt"])


def _refusal(delivery: Delivery, filenames: list[str]) -> str:
    try:
        delivery.add_files([(filename, b"text") for filename in filenames])
    except DeliveryStoreError as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError(f"{filenames} were not refused.")


def _stored(delivery: Delivery) -> list[Path]:
    """Return what is in the folder of a delivery."""
    store = first_store()
    folder = f"{store.get_path_from_deliveryid(delivery.pk)}/{delivery.pk}"
    return [path for path in Path(store.path(folder)).rglob("*") if path.is_file()]


def _earlier(work: Homework, student: User, assignment: Assignment) -> Delivery | None:
    mine = assignment.deliveries.filter(delivered_by=student, file_count__gt=0)
    if work.finished:
        mine = mine.finished().filter(file_count=len(work.files))
    return mine.order_by("pk").first()
