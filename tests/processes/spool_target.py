"""What a watched spool hands its files to."""

from __future__ import annotations

import sys
import time


def slowly(claim):
    """Take a second for a file."""
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    time.sleep(1)
