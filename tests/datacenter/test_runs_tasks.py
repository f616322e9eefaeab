"""Runs as tasks of Django's framework, or of its backport."""

from __future__ import annotations

import pytest

from deliverystore.datacenter import runs
from deliverystore.datacenter.runs import tasks
from deliverystore.exceptions import RunRefused
from deliverystore.models import ImportRun, leases
from tests.datacenter.csvfiles import faculties, table
from tests.datacenter.imports import start, work_killed
from tests.datacenter.places import put
from tests.school.models import Faculty

pytestmark = pytest.mark.django_db


def test_a_run_is_done_by_a_task_once_it_is_committed(
    center, django_capture_on_commit_callbacks
):
    put(center, "f.csv", table(*faculties(3)))

    with django_capture_on_commit_callbacks() as callbacks:
        run = runs.start_run("f.csv", "faculty", "create")
    assert Faculty.objects.count() == 0
    for callback in callbacks:
        callback()

    assert ImportRun.objects.get(pk=run.pk).state == "finished"


def test_a_task_that_comes_twice_does_nothing_the_second_time(center):
    run = start(center, *faculties(3))

    tasks.run_import.call(run.pk)
    tasks.run_import.call(run.pk)

    assert Faculty.objects.count() == 3


def test_a_task_leaves_a_run_to_the_worker_that_has_it(center):
    run = start(center, *faculties(3))
    leases.take(run)

    tasks.run_import.call(run.pk)

    assert Faculty.objects.count() == 0


def test_an_interrupted_run_is_handed_to_a_worker_again(
    center, django_capture_on_commit_callbacks
):
    run = start(center, *faculties(6))
    work_killed(run, after=1, batch_size=2)

    with django_capture_on_commit_callbacks(execute=True):
        runs.resume(run)

    assert ImportRun.objects.get(pk=run.pk).finished == 6
    with pytest.raises(RunRefused, match="over"):
        runs.resume(run)


def test_an_interrupted_run_is_cancelled_by_a_worker(
    center, django_capture_on_commit_callbacks
):
    run = start(center, *faculties(6))
    work_killed(run, after=0, batch_size=2)

    with django_capture_on_commit_callbacks(execute=True):
        runs.cancel(run)

    run.refresh_from_db()
    assert (run.state, run.finished, run.failed) == ("cancelled", 2, 4)


def test_without_a_framework_a_run_waits(
    center, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(tasks, "run_import", None)
    put(center, "f.csv", table(*faculties(3)))

    with django_capture_on_commit_callbacks(execute=True):
        run = runs.start_run("f.csv", "faculty", "create")

    run.refresh_from_db()
    assert (run.state, list(runs.left())) == ("waiting", [run])
