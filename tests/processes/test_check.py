"""Checks that are killed again and again, and checks side by side."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

from deliverystore.models import Finding

pytestmark = pytest.mark.processes

COMMAND = [sys.executable, "-m", "django", "check_deliveries", "--json"]
FOUND = "list(Finding.objects.order_by('name').values_list('kind', 'name'))"


@pytest.fixture
def damaged(project):
    """Hand files in, remove the bytes of some, and return what must be found."""
    project.query(
        "[(d := Delivery.begin(), d.add_files([(f'{n}.txt', str(n)) for n in "
        "range(400)]), d.finish())[1][0].size]"
    )
    gone = sorted(project.files())[::40]
    for path in gone:
        path.unlink()
    return [["missing", path.relative_to(project.root).as_posix()] for path in gone]


def test_killed_again_and_again_nothing_is_found_twice_or_left_out(project, damaged):
    """A service that answers slowly gives each check time to be killed."""
    killed = 0
    while killed < 5:
        check = project.start("tests.processes.slow_check")
        begun = check.stdout.readline()
        # It has written down a few steps.
        steps = [check.stdout.readline() for _ in range(killed + 1)]
        check.send_signal(signal.SIGKILL)
        check.stdout.close()
        assert begun == "begun\n"
        assert set(steps) == {"step\n"}
        assert check.wait() == -signal.SIGKILL
        killed += 1
    done = subprocess.run(
        COMMAND, env=project.environment, check=False, stdout=-3, stderr=-3
    )

    assert done.returncode == 1
    assert project.query("list(Check.objects.values_list('ending'))") == [["complete"]]
    assert project.query("Check.objects.get().files") == 400
    assert project.query(FOUND) == sorted(damaged, key=lambda one: one[1])


def test_parts_side_by_side_find_everything_once(project, damaged):
    checks = [
        subprocess.Popen(
            [*COMMAND, f"--subset={part}/3"],
            env=project.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for part in (1, 2, 3)
    ]

    assert {check.wait() for check in checks} <= {0, 1}
    assert project.query(FOUND) == sorted(damaged, key=lambda one: one[1])


def test_of_a_hundred_damages_of_every_kind_all_are_found_and_nothing_else():
    """make prove does it with a thousand of each, and with a million rows."""
    command = [sys.executable, "-m", "tests.checking", "--damages=100"]
    done = subprocess.run(
        [*command, "--part=damages"], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1,000 files" in done.stdout
    for kind in Finding.Kind.values:
        assert re.search(rf"{kind} +100 planted +100 found", done.stdout), kind
