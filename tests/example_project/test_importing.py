"""The story of the imports, told without a process of its own."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management.base import OutputWrapper
from django.core.management.color import no_style

from deliverystore.datacenter import DataCenter, runs
from deliverystore.datacenter.registry import get_processor
from deliverystore.models import ImportRun
from deliverystore.testing import assert_export_changes_nothing
from example_project.campus.demo.import_chapters import show_imports
from example_project.campus.demo.importing import bring_in, correct
from example_project.campus.demo.story import Story
from example_project.registrar.models import Course, Enrolment, Faculty, Student
from example_project.registrar.samples import all_samples

pytestmark = pytest.mark.django_db
STUDENTS = 100


@pytest.fixture(scope="module")
def samples():
    return all_samples(students=STUDENTS)


@pytest.fixture
def tell(samples, registrar):
    def tell():
        out = io.StringIO()
        show_imports(Story(OutputWrapper(out), no_style()), samples, registrar)
        return out.getvalue()

    return tell


def everything():
    """Return all that the tables of the registrar hold."""
    return [
        list(model.objects.order_by("pk").values_list())
        for model in (Faculty, Course, Student, Enrolment)
    ]


def assert_all_is_in(samples):
    *_, enrolments, marks = [len(sample.rows) for sample in samples]
    assert [len(rows) for rows in everything()] == [8, 96, STUDENTS, enrolments]
    assert Enrolment.objects.exclude(mark=None).count() == marks
    assert not Student.objects.filter(email="").exists()
    assert DataCenter().get_pending_files() == []
    assert DataCenter().get_unfinished_files() == []
    closed = {"finished", "retried", "discarded"}
    assert set(ImportRun.objects.values_list("state", flat=True)) == closed


def test_the_story_brings_everything_in(tell, samples):
    told = tell()
    assert_all_is_in(samples)
    assert re.search(r"\n   students.csv +127 +88 +14 +25 ", told)
    assert "\n         matric_no: This student exists already.\n" in told
    assert "\n   → students.csv: 127 rows = 100 in + 2 given up + 25 blank\n" in told
    assert "is for year 4 and above; the student is in year 1." in told
    rows = len(samples[3].rows)
    assert f"\n   → enrolments.csv: {rows} rows = {rows} in\n" in told
    assert max(map(len, told.splitlines())) <= 88


def test_told_again_it_changes_nothing_and_says_what_was_done(tell):
    tell()
    before, count = everything(), ImportRun.objects.count()
    told = tell()
    assert everything() == before
    assert ImportRun.objects.count() == count
    assert "An earlier run has imported, corrected and finished all" in told
    assert "tried again" not in told


def uploaded(samples, registrar):
    DataCenter().upload("students.csv", samples[2].as_bytes(), user=registrar)


def begun(samples, registrar):
    for sample in samples[:2]:
        bring_in(sample, registrar)
    uploaded(samples, registrar)
    runs.start_run("students.csv", "students", "create", user=registrar, enqueue=False)


def imported(samples, registrar):
    for sample in samples[:3]:
        run = bring_in(sample, registrar)
    return run


def corrected(samples, registrar):
    run = imported(samples, registrar)
    correct(run, samples[2], registrar)
    return run


def retrying(samples, registrar):
    run = corrected(samples, registrar)
    return runs.retry(run, registrar, enqueue=False)


def retried(samples, registrar):
    runs.work(retrying(samples, registrar))


@pytest.mark.processes
@pytest.mark.parametrize(
    "stopped", [uploaded, begun, imported, corrected, retrying, retried]
)
def test_a_story_that_was_stopped_is_told_to_its_end(tell, samples, registrar, stopped):
    stopped(samples, registrar)
    tell()
    assert_all_is_in(samples)


def test_files_that_are_left_of_an_older_database_are_not_in_the_way(tell, samples):
    folder = Path(DataCenter().location)
    (folder / "finished" / "students.csv").write_text("matric_no\n1\n")
    told = tell()
    assert_all_is_in(samples)
    assert "students_2.csv: 127 rows" in told
    count = ImportRun.objects.count()
    tell()
    assert ImportRun.objects.count() == count


def test_who_changed_what_is_in_the_log_of_the_admin(tell, registrar):
    tell()
    student = Student.objects.order_by("pk").last()
    [entry] = LogEntry.objects.filter(
        object_id=str(student.pk), object_repr=student.matric_no
    )
    assert (entry.user, entry.is_addition()) == (registrar, True)


def test_an_export_of_what_was_imported_changes_nothing(tell, samples):
    tell()
    for sample in samples:
        assert_export_changes_nothing(get_processor(sample.processor))
