"""Send a large file to an object store and read it back, measuring this process.

    python -m tests.processes.stream MEGABYTES

Prints JSON: MB/s up and down, and by how many bytes the memory grew at its peak.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path

import django

django.setup()

from deliverystore.backends import DjangoStorageDeliveryStore  # noqa: E402
from deliverystore.streams import CHUNK_SIZE  # noqa: E402
from tests.objectstore import named_object_store  # noqa: E402


def memory(what: str) -> int:
    """Return a line of the process's own status, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(rf"{what}:\s+(\d+) kB", status)[0]) * 1024


def stream(megabytes: int) -> dict[str, float]:
    """Send and read megabytes of 10**6 bytes."""
    objects = named_object_store()
    store = DjangoStorageDeliveryStore(objects.prefix, objects.storage())
    with store.write_open("small") as file:
        file.write(b"all modules are loaded, all connections made")
    store.remove("small")
    before = memory("VmRSS")
    # So that VmHWM counts from here: proc(5).
    Path("/proc/self/clear_refs").write_text("5")
    # Another content in every chunk; making it must not take time.
    block = os.urandom(1_000_000)
    sent, read = hashlib.sha256(), hashlib.sha256()
    start = time.monotonic()
    with store.write_open("large") as file:
        for number in range(megabytes):
            chunk = number.to_bytes(8) + block[8:]
            sent.update(chunk)
            file.write(chunk)
    up = time.monotonic() - start
    start = time.monotonic()
    with store.read_open("large") as file:
        while chunk := file.read(CHUNK_SIZE):
            read.update(chunk)
    down = time.monotonic() - start
    store.remove("large")
    assert read.digest() == sent.digest(), "what came back is not what was sent"
    growth = memory("VmHWM") - before
    return {"up": megabytes / up, "down": megabytes / down, "growth": growth}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(stream(int(sys.argv[1]))))
