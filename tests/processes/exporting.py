"""Export faculties, made first if there are none; say after each batch how many.

    python -m tests.processes.exporting 2000 0.2

The arguments are the number of faculties, and for how long to rest after each batch.
"""

from __future__ import annotations

import sys
import time

import django

django.setup()

from deliverystore.datacenter import exports  # noqa: E402
from deliverystore.models import Export  # noqa: E402
from tests.school.models import Faculty  # noqa: E402


def main(count: int, rest: float) -> None:
    Faculty.objects.bulk_create(Faculty(code=f"F{n:05}") for n in range(count))

    def tell(export: Export) -> None:
        sys.stdout.write(f"{export.rows}\n")
        sys.stdout.flush()
        time.sleep(rest)

    export = exports.start_export("faculty", enqueue=False)
    exports.work(export, advance=tell)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
