"""Upload files and hand their imports, and exports, to whatever workers TASKS names.

    python -m tests.processes.enqueuing 4 3000 2

The arguments are the number of files, how many rows each has, and how often each import
and each export is handed out.
"""

from __future__ import annotations

import sys

import django

django.setup()

from deliverystore.datacenter import DataCenter, exports, runs  # noqa: E402
from deliverystore.datacenter.exports import tasks as export_tasks  # noqa: E402
from deliverystore.datacenter.runs import tasks  # noqa: E402
from tests.datacenter.csvfiles import table  # noqa: E402
from tests.factories import UserFactory  # noqa: E402
from tests.school.models import Note  # noqa: E402


def main(files: int, rows: int, times: int) -> None:
    UserFactory.create(is_superuser=True, email="ada@example.org")
    Note.objects.bulk_create(Note(title=f"note {n}") for n in range(300))
    for number in range(files):
        # Whoever may import gets an e-mail, which is a task, too.
        codes = (f"F{number}-{n:05}" for n in range(rows))
        text = table(*((code, "A faculty") for code in codes))
        DataCenter().upload(f"f{number}.csv", text)
        run = runs.start_run(f"f{number}.csv", "faculty", "create")
        export = exports.start_export("note")
        for _ in range(times - 1):
            tasks.enqueue(run)
            export_tasks.enqueue(export)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
