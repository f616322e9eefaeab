"""Workers that are killed while they publish."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.processes


def test_killed_at_any_call_nothing_is_public_that_is_not_recorded(project):
    said = project.run("tests.processes.publishing").splitlines()

    moments = [int(line.removesuffix(" moments")) for line in said]
    assert len(moments) == 2
    assert min(moments) > 25


def test_a_job_of_a_gigabyte_keeps_the_memory_flat(sqlite_project):
    growth = int(sqlite_project.run("tests.processes.publish_large", "1000"))

    assert growth < 64 * 1024**2
