"""Publish a file again and again, and be killed each time at another call.

    python -m tests.processes.publishing

Killed means: the process is gone, before or after a query or a change to the disk, and
nothing of it runs any more. It prints how many moments there were.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
from django.test import override_settings

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, connections  # noqa: E402

from deliverystore.models import Publication, PublishedFile  # noqa: E402
from deliverystore.paths import is_temporary  # noqa: E402
from deliverystore.publishing import (  # noqa: E402
    WorkbenchManager,
    publish,
    registry,
    sweep,
    work,
)
from tests.factories import finished_delivery  # noqa: E402
from tests.publishing.media import UpperProcessor, public  # noqa: E402

ROOT = Path(f"{settings.DELIVERY_STORE_ROOT}-publishing")
MEDIA, BENCHES = ROOT / "media", ROOT / "benches"
KILLED = 9
_CHANGES = ("open", "os.", "fcntl.", "shutil.")
OLD = {"upper": "HELLO", "length": "5"}


class NewProcessor(UpperProcessor):
    """Publishes something else, under one of the names."""

    def process(self, job):
        job.publish("upper", job.source)


NEW = {"upper": "hello"}


def main() -> None:
    options = {"location": MEDIA, "base_url": "/media/"}
    backend = "django.core.files.storage.FileSystemStorage"
    storages = {"media": {"BACKEND": backend, "OPTIONS": options}}
    with override_settings(
        STORAGES={**settings.STORAGES, **storages},
        DELIVERY_STORE_PUBLIC_STORAGE="media",
        DELIVERY_STORE_WORKBENCH_ROOT=BENCHES,
    ):
        registry._registered[:] = [UpperProcessor, NewProcessor]
        work(publish(new_file(), enqueue=False))  # imports what there is to import
        for again in (False, True):
            moments = 0
            while killed_at(moments + 1, again=again):
                moments += 1
            sys.stdout.write(f"{moments} moments\n")


def new_file():
    return finished_delivery(files=[("hello.txt", b"hello")]).files.get()


def killed_at(moment, *, again):
    """Publish a file, and be killed at a moment; tell whether it came to that."""
    file = new_file()
    before, after = (OLD, NEW) if again else ({}, OLD)
    if again:
        work(publish(file, enqueue=False))
    publication = publish(file, processor="new" if again else "upper", enqueue=False)
    connections.close_all()
    if not (pid := os.fork()):
        count_to(moment)
        work(publication)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, KILLED), code

    seen = public(file)
    assert seen in (before, after), seen
    assert stored() <= recorded(), stored() - recorded()
    check_what_is_public(file)
    publication.refresh_from_db()
    if not publication.is_over:
        assert seen == before
        publication = work(publication)
    assert publication.state == "processed", publication.error
    assert public(file) == after
    clean_up(file)
    return code == KILLED


def count_to(moment):
    """End this process without a word when so many calls were made."""
    left = moment

    def tick():
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(KILLED)

    def query(execute, *arguments):
        tick()
        result = execute(*arguments)
        tick()
        return result

    def change(event, arguments):
        if event.startswith(_CHANGES):
            tick()

    connection.execute_wrappers.append(query)
    sys.addaudithook(change)


def stored():
    paths = (path for path in MEDIA.rglob("*") if path.is_file())
    return {str(one.relative_to(MEDIA)) for one in paths if not is_temporary(one.name)}


def recorded():
    return {"/".join(one.filepath) for one in PublishedFile.objects.all()}


def check_what_is_public(file):
    for one in file.published_files.public():
        path = MEDIA.joinpath(*one.filepath)
        assert path.stat().st_size == one.size


def clean_up(file):
    """After some days, nothing is left but what is public."""
    PublishedFile.objects.filter(state="removed").update(
        remove_after="2020-01-01T00:00:00Z"
    )
    sweep()
    assert stored() == recorded()
    assert PublishedFile.objects.filter(filemeta=file).count() == len(public(file))
    WorkbenchManager().clear(older_than=0)
    assert list(BENCHES.iterdir()) == []
    assert not Publication.objects.exclude(state="processed").exists()


if __name__ == "__main__":
    main()
