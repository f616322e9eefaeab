"""The worker beside the site that the demo serves."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_COMMAND = ("db_worker", "--no-reload", "--no-startup-delay", "--verbosity=0")


@contextmanager
def a_worker() -> Iterator[None]:
    """Let a worker do what is asked for on the pages, as long as the block runs."""
    # Who is asked to end leaves the block, too, and takes the worker along.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # The same program as this one, with another command.
    worker = subprocess.Popen([sys.executable, sys.argv[0], *_COMMAND])  # noqa: S603
    try:
        yield
    finally:
        worker.terminate()
        worker.wait()
        signal.signal(signal.SIGTERM, before)
