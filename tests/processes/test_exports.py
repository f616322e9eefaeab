"""Workers that are killed while they export."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes


def test_killed_in_the_middle_an_export_leaves_nothing_and_is_done_again(project):
    center = Path(f"{project.root}-center")
    center.mkdir()
    with project.start("tests.processes.exporting", "300", "0.5") as worker:
        assert worker.stdout.readline() == "100\n"
        worker.send_signal(signal.SIGKILL)
    states = "list(Export.objects.values_list('state', 'rows', 'total'))"

    # What the worker wrote down last; not that it is dead.
    assert project.query(states) == [["running", 0, 300]]
    assert [path for path in center.rglob("*") if path.is_file()] == []
    said = project.run("django", "export_csv", "--resume")

    assert "300 rows" in said
    assert project.query(states) == [["finished", 300, 300]]
    [file] = [path for path in center.rglob("*") if path.is_file()]
    assert len(file.read_text().splitlines()) == 301
    assert project.run("django", "export_csv", "--resume") == ""
