"""Measure the promises that have a number, one after the other.

What each measures, and how long: python -m benchmarks.NAME --help
"""

from __future__ import annotations

import argparse
import subprocess
import sys

NAMES = [
    *("ingest", "download", "growth", "admin", "datacenter_pages", "import_csv"),
    *("spool", "publishing", "kvstore"),
]


def main() -> None:
    """Run each in a process of its own: a Django project can be set up once only."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help=f"only these of {', '.join(NAMES)}")
    names = parser.parse_args().names
    if unknown := set(names) - set(NAMES):
        parser.error(f"{', '.join(unknown)}: there are {', '.join(NAMES)}")
    for name in names or NAMES:
        print(f"\n{name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
