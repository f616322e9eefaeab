"""Workers that are killed, frozen, or too many, while they import."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from tests.processes.killing import Killing

pytestmark = pytest.mark.processes


def test_killed_at_random_moments_an_import_ends_as_if_nothing_had_happened(project):
    killing = Killing(project, 1000, 50)

    assert killing.run(4, seed=project.root.parent.name) >= 1

    killing.check()


def test_a_worker_that_was_frozen_past_its_lease_cannot_write(project):
    killing = Killing(project, 300, 50)
    with project.start("tests.processes.importing", "50", "0.7") as frozen:
        assert frozen.stdout.readline() == "50\n"
        frozen.send_signal(signal.SIGSTOP)
        past = "__import__('datetime').datetime(2020, 1, 1, tzinfo=__import__("
        past += "'datetime').UTC)"
        project.query(f"ImportRun.objects.update(lease_until={past})")
        said = project.run("tests.processes.importing", "50", "0")
        frozen.send_signal(signal.SIGCONT)
        left = frozen.stdout.read()

    assert said.splitlines()[-1] == "pending"
    assert "refused: Another worker has taken over" in left
    killing.check()


def test_of_many_workers_one_does_the_run(project):
    killing = Killing(project, 300, 50)

    said = Counter(project.race("import_one_file", 4))

    assert said["pending"] == 1
    assert said["refused: RunBusy"] == 3
    killing.check()


def test_of_many_clicks_one_begins_a_run(project):
    Killing(project, 10, 50)

    said = Counter(project.race("start_one_import", 4))

    assert said == {"waiting": 1, "refused: RunBusy": 3}
