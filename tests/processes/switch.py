"""Hand in, read and remove files until SIGTERM; then print what went wrong.

    python -m tests.processes.switch

Prints a line when it has done everything once.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import uuid
from collections import Counter
from datetime import timedelta

import django

django.setup()

from django.db import OperationalError  # noqa: E402

from deliverystore.exceptions import FileNotFound  # noqa: E402
from deliverystore.models import Delivery, FileMeta, Removal  # noqa: E402


class Worker:
    """One process of a site."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.missing: list[str] = []
        self.is_stopped = False
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, number: int, frame: object) -> None:
        self.is_stopped = True

    def work(self) -> None:
        while not self.is_stopped:
            for step in (self.hand_in, self.read, self.take_out, self.delete):
                try:
                    step()
                except OperationalError:
                    # Nothing was answered: SQLite was busy.
                    self.counts["database is locked"] += 1
            if self.counts["loops"] == 0:
                sys.stdout.write("works\n")
                sys.stdout.flush()
            self.counts["loops"] += 1

    def hand_in(self) -> None:
        delivery = Delivery.begin()
        names = [f"{uuid.uuid4()}.txt" for _ in range(2)]
        delivery.add_files([(name, f"content of {name}" * 100) for name in names])
        delivery.finish()
        self.counts["handed in"] += 2
        self.check(list(delivery.files.all()))

    def read(self) -> None:
        ids = list(
            FileMeta.objects.exclude(completed=None).values_list("pk", flat=True)
        )
        some = {*random.sample(ids, min(len(ids), 20)), *ids[-5:]}
        self.check(list(FileMeta.objects.filter(pk__in=some)))

    def take_out(self) -> None:
        delivery = Delivery.begin()
        file = delivery.add_file("mistake.txt", "not for you")
        file.delete()
        self.counts["removed"] += 1

    def delete(self) -> None:
        delivery = Delivery.objects.finished().order_by("?").first()
        if delivery is not None and self.counts["loops"] % 3 == 0:
            delivery.delete()
            self.counts["removed"] += 2
            Removal.objects.due(timedelta(0)).carry_out(FileMeta.deliverystore)

    def check(self, files: list[FileMeta]) -> None:
        for file in files:
            try:
                file.read_through()
            except FileNotFound as error:
                if FileMeta.objects.filter(pk=file.pk).exists():
                    self.missing.append(str(error))
            self.counts["read"] += 1


if __name__ == "__main__":
    worker = Worker()
    worker.work()
    sys.stdout.write(json.dumps({**worker.counts, "missing": worker.missing}))
