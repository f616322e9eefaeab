"""Add a file to a new delivery, and hang when its bytes have been sent.

    python -m tests.processes.slow_upload

Prints a line when it hangs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import django

django.setup()

from tests.factories import open_delivery  # noqa: E402


def hang() -> Iterator[bytes]:
    """Send three megabytes, say so, and never come to an end."""
    yield b"x" * 3_000_000
    sys.stdout.write("hangs\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    open_delivery().add_file("large.bin", hang())
