"""Run every benchmark: python -m benchmarks."""

from __future__ import annotations

import subprocess
import sys

# Each in a process of its own: a Django project can be set up once only.
NAMES = ["ingest", "admin"]

if __name__ == "__main__":
    for name in NAMES:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
