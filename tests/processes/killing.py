"""An import that is killed again and again, and what must be there in the end."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

from tests.datacenter.csvfiles import faculties, table

MAX_LENGTH = 10


def told(code):
    """Return what is said of a code that is too long."""
    return (
        f"code: Ensure this value has at most {MAX_LENGTH} characters "
        f"(it has {len(code)})."
    )


class Killing:
    """Imports rows, of which every hundredth is bad, in a project of processes."""

    def __init__(self, project, rows, batch_size):
        self.project = project
        self.rows = rows
        self.batch_size = batch_size
        self.bad = set(range(7, rows, 100))
        self.center = Path(f"{project.root}-center")
        self.center.mkdir()
        self.text = table(*faculties(rows, bad=self.bad))
        (self.center / "f.csv").write_text(self.text, newline="")

    def run(self, kills, seed):
        """Import the file, and kill that so often; return how often it was killed."""
        moments = random.Random(seed)  # noqa: S311
        killed = 0
        while killed < kills and self._killed(moments):
            killed += 1
        size = str(self.batch_size)
        said = self.project.run("tests.processes.importing", size, "0")
        assert said.splitlines()[-1] == "pending", said
        return killed

    def _killed(self, moments):
        arguments = (str(self.batch_size), "0")
        with self.project.start("tests.processes.importing", *arguments) as process:
            said = [process.stdout.readline() for _ in range(moments.randint(0, 4))]
            time.sleep(moments.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            said += process.stdout
        return "pending\n" not in said

    def check(self):
        """Compare what there is with what an undisturbed import leaves."""
        good = [n for n in range(self.rows) if n not in self.bad]
        lines = self.text.splitlines(keepends=True)
        finished = "".join([lines[0], *(lines[n + 1] for n in good)])
        found = (self.center / "finished" / "f.create.finished.csv").read_bytes()
        assert found.decode() == finished
        rows = faculties(self.rows, bad=self.bad)
        pending = (self.center / "f.create.pending.csv").read_bytes().decode()
        assert pending == table(
            *((*row, told(row[0])) for row in rows if len(row[0]) > MAX_LENGTH),
            header=("code", "name", "--ERRORS--"),
        )
        assert sorted(path.name for path in self.center.rglob("*.csv")) == [
            "f.create.finished.csv",
            "f.create.pending.csv",
            "f.csv",
        ]
        names = (
            "sorted(__import__('tests.school.models', fromlist=['x'])"
            ".Faculty.objects.values_list('code', flat=True))"
        )
        assert self.project.query(names) == sorted(f"F{n}" for n in good)
        counts = (
            "list(ImportRun.objects.values_list('rows','finished','failed','blank'))"
        )
        expected = [self.rows, len(good), len(self.bad), 0]
        assert self.project.query(counts) == [expected]
        assert self.project.query("FailedRow.objects.count()") == len(self.bad)
