"""Run one thing in many processes at the same moment; print what each one says.

    python -m tests.processes.race finish 16

Each function below prepares the database and returns what process number n does.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator

import django

django.setup()

from django.core.files.storage import FileSystemStorage  # noqa: E402
from django.db import connection, connections  # noqa: E402

from deliverystore.datacenter import (  # noqa: E402
    DataCenter,
    OnTaken,
    make_results_folder,
    naming,
    runs,
)
from deliverystore.datacenter.rows.outcomes import Mode  # noqa: E402
from deliverystore.exceptions import DeliveryNotOpen, DeliveryStoreError  # noqa: E402
from deliverystore.models import Delivery, ImportRun  # noqa: E402
from tests.factories import DepartmentFactory, UserFactory, open_delivery  # noqa: E402

Work = Callable[[int], object]


def finish(count: int) -> Work:
    """Finish a delivery each, all to one recipient."""
    department = DepartmentFactory()
    deliveries = [open_delivery(recipient=department) for _ in range(count)]

    def work(number: int) -> object:
        deliveries[number].finish()
        return deliveries[number].number

    return work


def finish_one(count: int) -> Work:
    """Finish one and the same delivery."""
    delivery = open_delivery()

    def work(number: int) -> object:
        Delivery.objects.get(pk=delivery.pk).finish()
        return "finished"

    return work


def add_one_name(count: int) -> Work:
    """Add a file of one and the same name, which differs by its content."""
    delivery = Delivery.begin()

    def work(number: int) -> object:
        row = Delivery.objects.get(pk=delivery.pk).add_file("a.txt", str(number))
        return row.get_all_data_as_string().decode()

    return work


def add_and_finish(count: int) -> Work:
    """Add files, while the last process finishes the delivery as soon as it can."""
    delivery = open_delivery()

    def work(number: int) -> object:
        mine = Delivery.objects.get(pk=delivery.pk)
        if number < count - 1:
            return mine.add_file(f"{number}.txt", str(number)).filename
        while mine.state == Delivery.State.OPEN:
            try:
                mine.finish()
            except DeliveryStoreError:
                continue
        return "finished"

    return work


def add_and_abandon(count: int) -> Work:
    """Add a file to deliveries, while the last process abandons each of them."""
    deliveries = [Delivery.begin() for _ in range(30)]

    def work(number: int) -> object:
        for delivery in deliveries:
            mine = Delivery.objects.filter(pk=delivery.pk).first() or delivery
            if number == count - 1:
                mine.abandon()
                continue
            with contextlib.suppress(DeliveryNotOpen):
                mine.add_file(f"{number}.txt", str(number))
        return "done"

    return work


def add_during_an_abandonment(count: int) -> Work:
    """Add a file after the files of a delivery were deleted, before the delivery is."""
    delivery = open_delivery()
    half_gone = multiprocessing.get_context("fork").Event()

    def dawdle(execute: Callable[..., object], sql: str, *args: object) -> object:
        if sql.startswith('DELETE FROM "deliverystore_delivery"'):
            half_gone.set()
            time.sleep(1)
        return execute(sql, *args)

    def work(number: int) -> object:
        if number == 0:
            with connection.execute_wrapper(dawdle):
                delivery.abandon()
            return "abandoned"
        half_gone.wait()
        return delivery.add_file("a.txt", "too late").filename

    return work


def exceed_the_files(count: int) -> Work:
    """Add a file each to one delivery."""
    delivery = Delivery.begin()

    def work(number: int) -> object:
        mine = Delivery.objects.get(pk=delivery.pk)
        return mine.add_file(f"{number}.txt", "0123456789").size

    return work


def exceed_the_quota(count: int) -> Work:
    """Add ten bytes each to deliveries of one user."""
    user = UserFactory.create()
    deliveries = [Delivery.begin(user=user) for _ in range(count)]

    def work(number: int) -> object:
        return deliveries[number].add_file("a.txt", "0123456789").size

    return work


def upload_one_name(count: int) -> Work:
    """Upload a file of one and the same name; every second one may get another."""
    return _uploading(DataCenter())


def upload_one_name_to_a_storage(count: int) -> Work:
    """Do the same with a storage that replaces files, as S3 does."""
    return _uploading(DataCenter(_replacing()))


def _uploading(center: DataCenter) -> Work:
    def work(number: int) -> object:
        def content() -> Iterator[bytes]:
            yield b"a\n"
            # Until all others have seen that the name is free.
            time.sleep(0.2)
            yield f"{number}\n".encode()

        on_taken = OnTaken.RENAME if number % 2 else OnTaken.REFUSE
        file = center.upload("N.csv", content(), on_taken=on_taken)
        return [file.name, number]

    return work


def distribute_one_family(count: int) -> Work:
    """Distribute the results of pending files of one family, in a folder."""
    return _distributing(DataCenter())


def distribute_one_family_in_a_storage(count: int) -> Work:
    """Distribute the results of pending files of one family, in a storage."""
    return _distributing(DataCenter(_replacing()))


def _replacing() -> FileSystemStorage:
    return FileSystemStorage(DataCenter().location, allow_overwrite=True)


def _distributing(center: DataCenter) -> Work:
    center.place.replace("unfinished/N.csv", [b"a\n1\n"])
    for mode in Mode:
        center.place.replace(naming.pending_name("N.csv", mode), [b"a\n1\n"])

    def work(number: int) -> object:
        mode = list(Mode)[number]
        finished = make_results_folder() / "finished.csv"
        finished.write_text(f"a\n{number}\n")
        done = center.distribute_processed_files(
            True, naming.pending_name("N.csv", mode), finished, None, mode
        )
        assert done is not None
        return done.finished

    return work


def end_imports(count: int) -> Work:
    """Import files, one after the other, as others import other ones."""
    center = DataCenter()
    names = [[f"{number}_{n}.csv" for n in range(8)] for number in range(count)]
    for name in itertools.chain(*names):
        center.place.replace(name, [b"code,name\n,\n"])
        runs.start_run(name, "faculty", "create", enqueue=False)

    def work(number: int) -> object:
        waiting = ImportRun.objects.filter(file__in=names[number])
        return sorted(runs.work(run).state for run in waiting)

    return work


def start_one_import(count: int) -> Work:
    """Begin to import one and the same file."""

    def work(number: int) -> object:
        return runs.start_run("f.csv", "faculty", "create", enqueue=False).state

    return work


def import_one_file(count: int) -> Work:
    """Work on one and the same import."""
    run = runs.start_run("f.csv", "faculty", "create", enqueue=False)

    def work(number: int) -> object:
        return runs.work(run, batch_size=50).state

    return work


def race(prepare: Callable[[int], Work], count: int) -> list[object]:
    """Start the processes, let them go together, and collect what they say."""
    work = prepare(count)
    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(count), context.SimpleQueue()

    def run(number: int) -> None:
        barrier.wait()
        try:
            queue.put(work(number))
        except DeliveryStoreError as error:
            queue.put(f"refused: {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - the test is to see it
            queue.put(f"failed: {error!r}")

    processes = [context.Process(target=run, args=(n,)) for n in range(count)]
    for process in processes:
        process.start()
    said = [queue.get() for _ in processes]
    for process in processes:
        process.join()
    return said


if __name__ == "__main__":
    name, count = sys.argv[1:]
    sys.stdout.write(json.dumps(race(globals()[name], int(count))))
