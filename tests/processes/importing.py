"""Import f.csv, or go on with it; say after each batch how many rows are read.

    python -m tests.processes.importing 100 0.5

The arguments are the size of a batch, and for how long to rest after each.
"""

from __future__ import annotations

import sys
import time

import django

django.setup()

from deliverystore.datacenter import runs  # noqa: E402
from deliverystore.exceptions import RunBusy  # noqa: E402
from deliverystore.models import ImportRun  # noqa: E402


def main(batch_size: int, rest: float) -> None:
    run = ImportRun.objects.first()
    if run is None:
        run = runs.start_run("f.csv", "faculty", "create", enqueue=False)

    def tell(run: ImportRun) -> None:
        sys.stdout.write(f"{run.rows}\n")
        sys.stdout.flush()
        time.sleep(rest)

    try:
        if not run.is_over:
            run = runs.work(run, batch_size=batch_size, advance=tell)
    except RunBusy as error:
        sys.stdout.write(f"refused: {error}\n")
    else:
        sys.stdout.write(f"{run.state}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
