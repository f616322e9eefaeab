"""A worker at a spool, which writes down what it does.

    python -m tests.processes.spooling FOLDER LEASE LOG SLOW

It claims until nothing waits any more, nor is claimed by anybody. LEASE is in seconds.
Of a hundred files, SLOW are worked at for longer than the lease when they are tried for
the first time; which ones is always the same. Each line of the log has the end of a
lease, a word, a file and a token.
"""

from __future__ import annotations

import logging
import sys
import time
from datetime import timedelta
from pathlib import Path

from deliverystore.exceptions import ClaimLost
from deliverystore.spool import Claim, FileStore


def main(folder: str, lease: float, log: str, slow: float) -> None:
    store = FileStore(
        folder,
        lease=timedelta(seconds=lease),
        max_attempts=1_000,
        durability="none",
    )
    logging.disable()
    with Path(log).open("a", buffering=1) as file:

        def tell(word: str, claim: Claim) -> None:
            ends = claim.expires.timestamp()
            file.write(f"{ends:.3f} {word} {claim.filename} {claim.token}\n")

        while True:
            claim = store.claim()
            if claim is None:
                store.recover()
                status = store.status()
                if not status.waiting + status.claimed:
                    return
                time.sleep(0.05)
                continue
            tell("took", claim)
            if claim.attempt == 1 and int(claim.filename) * slow % 100 < slow:
                time.sleep(lease * 1.5)
            tell("ending", claim)
            try:
                claim.done()
            except ClaimLost:
                tell("lost", claim)
            else:
                tell("done", claim)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
