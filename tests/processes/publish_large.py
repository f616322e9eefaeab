"""Publish a large file as it is; print by how many bytes the memory grew at its peak.

python -m tests.processes.publish_large MEGABYTES
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import django
from django.test import override_settings

django.setup()

from django.conf import settings  # noqa: E402

from deliverystore.publishing import MediaProcessor, publish, registry, work  # noqa: E402
from tests.factories import finished_delivery  # noqa: E402
from tests.processes.stream import memory  # noqa: E402

ROOT = Path(f"{settings.DELIVERY_STORE_ROOT}-publishing")


class Whole(MediaProcessor):
    """Publishes a file as it is."""

    def is_eligible(self, filemeta):
        return True

    def process(self, job):
        job.publish("whole", job.source)


def blocks(megabytes: int) -> Iterator[bytes]:
    block = os.urandom(1_000_000)
    for number in range(megabytes):
        yield number.to_bytes(8) + block[8:]


def publish_one(data: Iterator[bytes]) -> None:
    file = finished_delivery(files=[("a.bin", data)]).files.get()
    publication = work(publish(file, enqueue=False))
    assert publication.state == "processed", publication.error
    published = file.published_files.public().get()
    assert (published.size, published.digest) == (file.size, file.digest)


def main(megabytes: int) -> None:
    options = {"location": ROOT / "media", "base_url": "/media/"}
    backend = "django.core.files.storage.FileSystemStorage"
    with override_settings(
        STORAGES={
            **settings.STORAGES,
            "media": {"BACKEND": backend, "OPTIONS": options},
        },
        DELIVERY_STORE_PUBLIC_STORAGE="media",
        DELIVERY_STORE_WORKBENCH_ROOT=ROOT / "benches",
    ):
        registry._registered[:] = [Whole]
        publish_one(blocks(3))
        before = memory("VmRSS")
        # So that VmHWM counts from here: proc(5).
        Path("/proc/self/clear_refs").write_text("5")
        publish_one(blocks(megabytes))
    sys.stdout.write(f"{memory('VmHWM') - before}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
