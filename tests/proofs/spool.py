"""Kill workers at a spool at random moments, in full size.

    python -m tests.proofs.spool [--files 100000] [--workers 16] [--kills 200]

Some of the workers are slower than their leases. It ends with an error if a file is
lost, or is taken by two at the same time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.processes.spool_killing import SpoolKilling


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        killing = SpoolKilling(
            Path(folder), options.files, options.workers, lease=3, slow=0.02
        )
        killing.run(options.kills, options.seed)
        counts = killing.check()
    sys.stdout.write(
        f"{options.files:,} files, {options.workers} workers, {killing.killed} kills, "
        f"{counts['took']:,} claims, {counts.get('lost', 0)} of them too slow, "
        f"{time.monotonic() - begun:,.0f} s: nothing lost, nothing doubled\n"
    )


if __name__ == "__main__":
    main()
