"""Imports: what goes in, what is left, and how a run goes on after an interruption."""

from __future__ import annotations

import contextlib
import csv
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from deliverystore.datacenter import DataCenter, registry, runs
from deliverystore.datacenter.places import FolderPlace
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import (
    ColumnsRefused,
    FileNotFound,
    InvalidName,
    NotPermitted,
    ProcessorNotFound,
    RunBusy,
    RunRefused,
    TableUnreadable,
)
from deliverystore.models import (
    DataFileInfo,
    FailedRow,
    FailureGroup,
    ImportRun,
    ValueCorrection,
    leases,
)
from tests.datacenter.csvfiles import faculties, table
from tests.datacenter.imports import expire, failed_of, start, work_killed
from tests.datacenter.places import names_in, put, read
from tests.datacenter.test_sheets import text, workbook
from tests.factories import UserFactory
from tests.school import processors
from tests.school.models import Badge, Faculty, Student
from tests.school.processors import FacultyProcessor

pytestmark = pytest.mark.django_db


@pytest.fixture
def registered():
    """Register processors for one test."""
    made = []

    def register(processor):
        made.append(registry.register(processor))

    yield register
    ShelfProcessor.things.clear()
    for one in made:
        registry.unregister(one)


class UpdatingProcessor(processors.FacultyProcessor):
    name = "updating"
    modes = (Mode.UPDATE,)


class ElsewhereProcessor(processors.FacultyProcessor):
    name = "elsewhere"
    using = "far"


class ShelfProcessor(BatchProcessor):
    """Keeps things in a dict."""

    what = "thing"
    key_fields = ["code"]
    fields = {
        "code": forms.CharField(max_length=10),
        "name": forms.CharField(required=False),
    }
    things: dict = {}

    def get_entry(self, row):
        return self.things.get(row["code"])

    def add_entry(self, row):
        return self.things.setdefault(row["code"], dict(row))

    def remove_entry(self, entry, row):
        del self.things[row["code"]]


class LentProcessor(ShelfProcessor):
    """As if its things were in the database, so that a rollback brings them back."""

    can_be_undone = True


class SecretProcessor(processors.FacultyProcessor):
    name = "secret"
    sensitive = ["code"]

    def check_create(self, row):
        if row["code"] == "4711":
            raise KeyError(row["code"])


def codes():
    return list(Faculty.objects.order_by("code").values_list("code", flat=True))


# -- What goes in, and what comes back ---------------------------------------------


def test_all_rows_go_in_and_the_files_are_finished(center):
    run = runs.work(start(center, ("A", "Arts"), ("", " "), ("B", "Biology")))

    assert run.state == "finished"
    assert (run.rows, run.finished, run.failed, run.blank) == (3, 2, 0, 1)
    assert run.created == 2
    assert codes() == ["A", "B"]
    assert names_in(center) == ["finished/f.create.finished.csv", "finished/f.csv"]
    finished = read(center, "finished/f.create.finished.csv")
    assert finished == table(("A", "Arts"), ("B", "Biology"))


def test_rows_that_fail_come_back_with_their_errors_as_the_last_column(center):
    Faculty.objects.create(code="A")

    run = runs.work(start(center, ("A", "Arts"), ("B", "Biology")))

    assert run.state == "pending"
    assert names_in(center) == [
        "f.create.pending.csv",
        "finished/f.create.finished.csv",
        "unfinished/f.csv",
    ]
    pending = read(center, "f.create.pending.csv")
    assert pending == table(
        ("A", "Arts", "code: This faculty exists already."),
        header=("code", "name", "--ERRORS--"),
    )
    assert (run.pending_file, run.original_file) == (
        "f.create.pending.csv",
        "unfinished/f.csv",
    )


def test_a_row_that_is_wrong_in_the_file_is_not_tried(center):
    put(center, "f.csv", "code,name\r\nA,Arts,more\r\nB,Biology\r\n")

    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))

    assert codes() == ["B"]
    assert failed_of(run) == {1: ["file.too_many_cells"]}


def test_a_file_with_a_header_only_is_finished(center):
    run = runs.work(start(center))

    assert (run.state, run.rows) == ("finished", 0)
    assert names_in(center) == ["finished/f.create.finished.csv", "finished/f.csv"]
    assert read(center, "finished/f.create.finished.csv") == table()


def test_it_is_told_how_much_is_read(center):
    shares = []
    run = start(center, *faculties(10, bad=set(range(10))))

    def tell(run):
        shares.append(run.share_read)

    run = runs.work(run, batch_size=5, advance=tell)
    assert shares == [pytest.approx(0.5, abs=0.05), 1.0]
    again = runs.retry(run, enqueue=False)
    assert again.share_read == 0
    runs.work(again, batch_size=5, advance=tell)
    assert shares[2:] == [0.5, 1.0]


def test_imports_are_in_the_log_with_their_user(center, admin_user, caplog):
    caplog.set_level("INFO", logger="deliverystore.datacenter")
    run = runs.work(start(center, *faculties(3, bad={1}), user=admin_user))
    runs.discard(run, "nobody knows it", admin_user)

    said = [one for one in caplog.messages if one.startswith(("import", "discard"))]
    assert [one.split(" ")[:3] for one in said] == [
        ["import", "'f.csv'", "user='admin'"],
        ["discard", "'f.csv'", "user='admin'"],
    ]


def test_the_run_on_a_pending_file_inherits_what_its_parent_was_told(center):
    put(center, "f.csv", table(("A" * 11, "x"), header=("Code", "name")))
    options = {"mapping": {"Code": "code"}, "enqueue": False}
    first = runs.work(runs.start_run("f.csv", "faculty", "create", **options))
    text = read(center, "f.create.pending.csv").replace("A" * 11, "A")
    put(center, "f.create.pending.csv", text)

    second = runs.work(runs.start_run("f.create.pending.csv", enqueue=False))

    assert (second.parent, second.state) == (first, "finished")
    assert codes() == ["A"]
    assert ImportRun.objects.get(pk=first.pk).state == "retried"
    assert names_in(center) == ["finished/f.create.finished.csv", "finished/f.csv"]
    finished = read(center, "finished/f.create.finished.csv")
    assert finished == table(("A", "x"), header=("Code", "name"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("options", "state", "counts"),
    [
        ({}, "pending", (3, 1)),
        ({"on_error": "stop"}, "stopped", (1, 3)),
        ({"on_error": "all_or_nothing"}, "stopped", (0, 4)),
        ({"dry_run": True}, "tried", (3, 1)),
    ],
)
def test_what_the_database_refuses_at_the_commit_fails_alone(
    center, options, state, counts
):
    day = timezone.now().date()
    Student.objects.bulk_create(
        Student(matric_no=f"M{n}", email=f"{n}@x.org", admitted_on=day)
        for n in range(4)
    )
    Badge.objects.create(code="A", holder=Student.objects.get(matric_no="M1"))
    put(center, "f.csv", table(*((f"M{n}",) for n in range(4)), header=["matric_no"]))
    run = runs.start_run("f.csv", "student", "remove", enqueue=False, **options)

    run = runs.work(run)

    assert (run.state, (run.removed, run.failed)) == (state, counts)
    assert failed_of(run)[2] == ["database"]
    left = 4 if options.get("dry_run") else run.failed
    assert Student.objects.count() == left


def test_the_files_of_a_run_are_the_same_when_they_are_made_again(center, tmp_path):
    run = runs.work(start(center, *faculties(30, bad={3, 17})))

    runs.write_finished(run, tmp_path / "finished.csv")
    runs.write_pending(run, tmp_path / "pending.csv")

    for name, stored in (
        ("finished", run.finished_file),
        ("pending", run.pending_file),
    ):
        again = (tmp_path / f"{name}.csv").read_bytes()
        assert again.decode() == read(center, stored)


def test_rows_are_accounted_for_by_the_database(center):
    run = start(center, ("A", "Arts"))

    for wrong in ({"rows": 1}, {"rows": 1, "finished": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ImportRun.objects.filter(pk=run.pk).update(**wrong)


# -- What may begin ----------------------------------------------------------------


def test_a_file_has_one_run_at_a_time(center):
    run = start(center, ("A", "Arts"))

    with pytest.raises(RunBusy, match=r"'f\.csv' has an import that is not over"):
        runs.start_run("f.csv", "faculty", "create", enqueue=False)

    runs.work(run)
    put(center, "f.csv", table(("B", "Biology")))
    assert runs.start_run("f.csv", "faculty", "create", enqueue=False).pk != run.pk


def test_an_unknown_column_has_to_be_mapped_or_left_out_first(center):
    put(center, "f.csv", table(("A", "x"), header=("code", "dean")))

    with pytest.raises(ColumnsRefused, match="dean"):
        runs.start_run("f.csv", "faculty", "create", enqueue=False)

    options = {"mapping": {"dean": None}, "enqueue": False}
    runs.work(runs.start_run("f.csv", "faculty", "create", **options))
    assert codes() == ["A"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"mode": "add"}, "is no mode"),
        ({"on_error": "ignore"}, "is no choice"),
        ({"max_failed": "many"}, "is no limit"),
    ],
)
def test_what_cannot_be_is_refused(center, options, reason):
    with pytest.raises(RunRefused, match=reason):
        start(center, ("A", "Arts"), **options)


def test_a_file_that_does_not_wait_is_refused(center):
    put(center, "finished/f.csv", table(("A", "Arts")))

    with pytest.raises(RunRefused, match="does not wait"):
        runs.start_run("finished/f.csv", "faculty", "create", enqueue=False)


def test_a_file_whose_results_could_not_be_named_is_refused(center):
    with pytest.raises(InvalidName, match="too long"):
        start(center, ("A", "Arts"), name=f"{'n' * 240}.csv")


def test_a_column_that_is_mapped_to_what_is_no_name_is_refused(center):
    with pytest.raises(ColumnsRefused, match="needs the name of a field"):
        start(center, ("A", "Arts"), mapping={"code": ["code"]})


def test_a_mode_that_a_processor_has_not_is_refused(center, registered):
    registered(UpdatingProcessor)

    with pytest.raises(RunRefused, match="'updating' does not create"):
        start(center, ("A", "Arts"), processor="updating")
    assert start(center, ("A", "Arts"), processor="updating", mode="update")


def test_a_processor_that_writes_to_another_database_is_refused(center, registered):
    registered(ElsewhereProcessor)

    with pytest.raises(RunRefused, match="'elsewhere' writes to the database 'far'"):
        start(center, ("A", "Arts"), processor="elsewhere")


def test_a_header_that_is_wrong_is_refused(center):
    put(center, "f.csv", "code,code\r\nA,B\r\n")

    with pytest.raises(TableUnreadable, match="the same name"):
        runs.start_run("f.csv", "faculty", "create", enqueue=False)


@pytest.mark.parametrize(
    "lacking", ["run_import", "add_faculty"], ids=lambda one: f"without-{one}"
)
def test_who_may_not_import_cannot_begin(center, lacking):
    user = UserFactory()
    names = {"run_import", "add_faculty"}
    user.user_permissions.set(Permission.objects.filter(codename__in=names - {lacking}))

    with pytest.raises(NotPermitted):
        start(center, ("A", "Arts"), user=user)
    assert runs.processors_for(user) == (
        {} if lacking == "run_import" else runs.processors_for(user)
    )
    assert "faculty" not in runs.processors_for(user)

    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    user = type(user).objects.get(pk=user.pk)
    assert runs.processors_for(user)["faculty"] == ["create"]
    run = runs.work(start(center, ("A", "Arts"), user=user))
    assert run.state == "finished"


def test_who_may_import_may_import_what_is_no_model(center, registered):
    registered(ShelfProcessor)
    user = UserFactory()

    assert runs.processors_for(user) == {}
    user.user_permissions.set(Permission.objects.filter(codename="run_import"))
    user = type(user).objects.get(pk=user.pk)
    assert runs.processors_for(user) == {
        "shelf": ["create", "update", "remove", "upsert"]
    }
    run = runs.work(start(center, ("A", "Arts"), processor="shelf", user=user))
    assert (run.state, run.created) == ("finished", 1)
    assert not LogEntry.objects.exists()


def test_changes_are_logged_in_the_name_of_the_user(center, admin_user):
    runs.work(start(center, ("A", "Arts"), user=admin_user))

    [entry] = LogEntry.objects.all()
    assert (entry.user, entry.object_repr, entry.action_flag) == (admin_user, "A", 1)


def test_a_file_that_changed_meanwhile_is_not_imported(center):
    run = start(center, ("A", "Arts"))
    put(center, "f.csv", table(("B", "Biology"), ("C", "Chemistry")))

    with pytest.raises(RunRefused, match="has changed"):
        runs.work(run)

    run.refresh_from_db()
    assert (run.state, codes()) == ("failed", [])
    assert "has changed" in run.error


# -- Interruptions -----------------------------------------------------------------


@pytest.mark.parametrize("after", range(6))
def test_killed_it_goes_on_with_nothing_twice_and_nothing_skipped(center, after):
    bad = {2, 5, 11}
    run = start(center, *faculties(12, bad=bad))

    assert work_killed(run, after=after, batch_size=2) is True
    run.refresh_from_db()
    assert run.state == "running"
    assert run.rows == 2 * (after + 1)
    assert Faculty.objects.count() == run.finished
    run = runs.work(run)

    assert (run.rows, run.finished, run.failed) == (12, 9, 3)
    assert Faculty.objects.count() == 9
    assert list(failed_of(run)) == [3, 6, 12]


def test_a_run_that_goes_on_does_not_read_the_rows_before(center, monkeypatch):
    run = start(center, *faculties(10))
    work_killed(run, after=3, batch_size=2)
    path = Path(center.place.path("f.csv"))
    entry = center.place.entry("f.csv")
    with path.open("r+b") as file:
        text = file.read()
        file.seek(text.index(b"F0"))
        file.write(b"\xff\xff")
    center.place.set_time("f.csv", entry.modified)

    run = runs.work(ImportRun.objects.get(pk=run.pk))

    assert (run.state, run.finished) == ("finished", 10)


def test_a_worker_that_lost_its_lease_cannot_write(center):
    run = start(center, *faculties(6))
    taken = []

    def lose(run):
        if not taken:
            expire(run)
            taken.append(leases.take(ImportRun.objects.get(pk=run.pk)))

    with pytest.raises(RunBusy, match="taken over"):
        runs.work(run, batch_size=2, advance=lose)

    run.refresh_from_db()
    assert (run.state, run.rows, Faculty.objects.count()) == ("running", 2, 2)
    assert run.worker == taken[0].worker


def test_a_file_that_is_deleted_while_its_run_begins_gets_no_run(center, registered):
    class HesitantProcessor(processors.FacultyProcessor):
        name = "hesitant"

        def make_plan(self, plan):
            DataCenter().delete("f.csv")
            return super().make_plan(plan)

    registered(HesitantProcessor)

    with pytest.raises(FileNotFound):
        start(center, ("A", "x"), processor="hesitant")

    assert not ImportRun.objects.exists()
    assert names_in(center) == ["deleted/f.csv"]


@pytest.mark.django_db(transaction=True)
def test_no_run_begins_between_the_look_and_the_move_of_a_deletion(center, monkeypatch):
    if connection.vendor == "sqlite":
        return  # Its tests have one database in memory, which lets nobody wait.
    put(center, "f.csv", table(("A", "x")))
    said = []

    def begin():
        try:
            runs.start_run("f.csv", "faculty", "create", enqueue=False)
        except FileNotFound:
            said.append("no file")
        connection.close()

    thread = Thread(target=begin)

    def slowly(place, name, new_name, move=FolderPlace._move):
        thread.start()
        thread.join(1)
        said.append(thread.is_alive())
        move(place, name, new_name)

    monkeypatch.setattr(FolderPlace, "_move", slowly)
    center.delete("f.csv")
    thread.join(10)

    assert said == [True, "no file"]
    assert not ImportRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_file_is_deleted_whose_run_is_about_to_begin(center):
    if connection.vendor == "sqlite":
        return  # As above.
    said = []

    def delete():
        try:
            center.delete("f.csv")
        except RunBusy:
            said.append("busy")
        connection.close()

    thread = Thread(target=delete)
    with transaction.atomic():
        run = start(center, ("A", "x"))
        thread.start()
        thread.join(1)
        said.append(thread.is_alive())
    thread.join(10)

    assert said == [True, "busy"]
    assert runs.work(run).state == "finished"


def test_a_run_with_a_worker_is_not_taken(center):
    run = start(center, ("A", "Arts"))
    leases.take(run)

    with pytest.raises(RunBusy, match="Another worker"):
        runs.work(ImportRun.objects.get(pk=run.pk))
    assert list(runs.left()) == []


def test_the_run_of_a_worker_that_is_dead_on_this_machine_is_free_at_once(center):
    run = start(center, ("A", "Arts"))
    lease = leases.take(run)
    host = lease.worker.partition(":")[0]
    # No process can have this number.
    dead = f"{host}:{2**22 + 1}:x"
    ImportRun.objects.filter(pk=run.pk).update(worker=dead)

    assert list(runs.left()) == [run]
    assert runs.work(run).state == "finished"


def test_what_breaks_off_says_why_and_can_be_gone_on_with(center, monkeypatch):
    run = start(center, *faculties(6))

    def broken(_run):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        runs.work(run, batch_size=2, advance=broken)
    run.refresh_from_db()
    assert (run.state, run.error) == ("broken", "OSError: the disk is full")
    run = runs.work(run)
    assert (run.state, run.finished, run.error) == ("finished", 6, "")


def test_a_run_that_is_stopped_waits_and_goes_on(center):
    run = start(center, *faculties(6))

    run = runs.work(run, batch_size=2, is_stopped=lambda: run.rows >= 2)
    assert (run.state, run.rows, run.worker) == ("waiting", 2, "")
    assert runs.work(run).finished == 6


@pytest.mark.parametrize("failing", [False, True])
def test_killed_after_the_files_were_distributed_it_ends_the_same(
    center, monkeypatch, failing
):
    Faculty.objects.bulk_create([Faculty(code="F1")] if failing else [])
    run = start(center, *faculties(3))
    monkeypatch.setattr(
        "deliverystore.datacenter.runs.finishing._end", lambda *_: 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        runs.work(run)
    monkeypatch.undo()
    files = names_in(center)

    run = runs.work(ImportRun.objects.get(pk=run.pk))

    assert run.state == ("pending" if failing else "finished")
    assert names_in(center) == files
    assert sorted(filter(None, [run.finished_file, run.pending_file])) == [
        name for name in files if "create" in name
    ]
    assert run.original_file in files


def kill_at_the_end(run):
    """Work on a run until its files are distributed, and no further."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deliverystore.datacenter.runs.finishing._end", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            runs.work(run)


def test_killed_after_the_files_were_distributed_it_knows_them_from_those_before(
    center,
):
    runs.work(start(center, ("A", "Arts")))
    run = start(center, ("B", "Biology"))
    kill_at_the_end(run)
    files = names_in(center)

    run = runs.work(ImportRun.objects.get(pk=run.pk))

    assert (run.state, names_in(center)) == ("finished", files)
    assert run.original_file == "finished/f_2.csv"
    assert run.finished_file == "finished/f_2.create.finished.csv"
    assert read(center, run.original_file) == table(("B", "Biology"))


@pytest.mark.parametrize("again", [False, True])
def test_killed_after_the_files_of_a_retry_were_distributed_it_ends_the_same(
    center, again
):
    first = runs.work(start(center, *faculties(3, bad={1})))
    if not again:
        row = FailedRow.objects.get(run=first)
        runs.edit_row(row, ["F1", ""])
    run = runs.retry(first, enqueue=False)
    kill_at_the_end(run)
    files = names_in(center)

    run = runs.work(ImportRun.objects.get(pk=run.pk))

    first.refresh_from_db()
    assert (run.state, first.state) == (
        ("pending", "retried") if again else ("finished", "retried")
    )
    assert names_in(center) == files
    assert first.original_file == ("unfinished" if again else "finished") + "/f.csv"
    assert run.pending_file == ("f.create.pending.csv" if again else "")


@pytest.mark.parametrize("how", ["deleted", "changed", "processor unknown"])
def test_what_breaks_off_with_rows_in_it_is_gone_on_with_and_never_begun_anew(
    center, registered, how
):
    registered(LentProcessor)
    rows = [(f"F{n}", "") for n in range(6)]
    run = start(center, *rows, processor="lent")
    run = runs.work(run, batch_size=2, is_stopped=lambda: run.rows >= 2)
    text = read(center, "f.csv")
    if how == "deleted":
        center.place.delete("f.csv")
    elif how == "changed":
        put(center, "f.csv", table(("X", "y")))
    else:
        registry.unregister(LentProcessor)

    with pytest.raises((FileNotFound, RunRefused, ProcessorNotFound)):
        runs.work(run)

    run.refresh_from_db()
    assert (run.state, run.rows) == ("broken", 2)
    found = [(one.kind, one.run_id) for one in runs.reconcile()]
    assert ("interrupted", run.pk) in found
    put(center, "f.csv", text)
    with pytest.raises(RunBusy):
        runs.start_run("f.csv", "faculty", "create", enqueue=False)
    if how == "processor unknown":
        registry.register(LentProcessor)
    run = runs.work(run)
    assert (run.state, run.created, len(ShelfProcessor.things)) == ("finished", 6, 6)


@pytest.mark.parametrize("after", [0, 2])
def test_a_file_that_was_only_touched_is_gone_on_with(center, after):
    run = start(center, *faculties(6))
    work_killed(run, after=after, batch_size=2)
    ImportRun.objects.filter(pk=run.pk, rows=6).update(is_read=True)
    center.place.set_time("f.csv", timezone.now() - timedelta(days=1))

    run = runs.work(run)

    assert (run.state, run.finished) == ("finished", 6)
    assert names_in(center) == ["finished/f.create.finished.csv", "finished/f.csv"]


def broken_off(run):
    """Let a run break off after its first batch, with a file that is another one."""
    work_killed(run, after=0, batch_size=2)
    put(DataCenter(), run.file, table(("X", "y")))
    with pytest.raises(RunRefused, match="has changed"):
        runs.work(ImportRun.objects.get(pk=run.pk))
    run.refresh_from_db()


def test_what_broke_off_for_good_is_given_up_and_its_file_cannot_go_in_again(center):
    run = start(center, *faculties(6))
    broken_off(run)

    runs.discard(run, "the file is lost")

    run.refresh_from_db()
    assert (run.state, run.rows, codes()) == ("discarded", 2, ["F0", "F1"])
    assert names_in(center) == ["deleted/f.csv"]
    with pytest.raises(RunBusy):
        runs.work(run)


def test_what_broke_off_with_nothing_read_is_given_up_and_its_file_stays(center):
    run = start(center, *faculties(6))
    leases.take(run).release(state="broken")

    runs.discard(run, "the wrong file")

    assert names_in(center) == ["f.csv"]


@pytest.mark.parametrize("read", [True, False])
def test_of_a_retry_that_broke_off_only_what_was_not_read_can_be_tried_again(
    center, read
):
    first = runs.work(start(center, *faculties(6, bad={1, 2, 3})))
    again = runs.start_run(first.pending_file, enqueue=False)
    if read:
        broken_off(again)
    else:
        leases.take(again).release(state="broken")

    runs.discard(again, "the file is lost")

    first.refresh_from_db()
    assert first.state == ("retried" if read else "pending")
    if read:
        assert names_in(center) == [
            "deleted/f.create.pending.csv",
            "finished/f.create.finished.csv",
            "finished/f.csv",
        ]
    else:
        assert "unfinished/f.csv" in names_in(center)
        assert runs.work(runs.retry(first, enqueue=False)).failed == 3


@pytest.mark.django_db(transaction=True)
def test_one_transaction_that_takes_longer_than_its_lease_has_a_worker(center):
    run = start(center, *faculties(2), on_error="all_or_nothing")
    leases.take(run)
    said = []

    def look():
        said.append([leases.is_left(run), list(runs.reconcile())])
        with contextlib.suppress(RunRefused):
            runs.cancel(ImportRun.objects.get(pk=run.pk))
            said.append("cancelled")
        connection.close()

    expire(run)
    assert leases.is_left(run)
    if connection.vendor == "sqlite":
        return  # No row is locked there, and nobody can see it.
    with transaction.atomic():
        ImportRun.objects.filter(pk=run.pk).update(rows=0)
        thread = Thread(target=look)
        thread.start()
        thread.join(10)

    assert said == [[False, []]]
    assert leases.is_left(run)


# -- Choices -----------------------------------------------------------------------


def test_cancelled_what_is_in_stays_and_the_rest_is_pending(center):
    run = start(center, *faculties(6))

    run = runs.work(run, batch_size=2, advance=lambda run: runs.cancel(run))

    assert (run.state, run.rows, run.finished, run.failed) == ("cancelled", 6, 2, 4)
    assert codes() == ["F0", "F1"]
    assert failed_of(run)[3] == ["left.cancelled"]
    assert runs.work(runs.retry(run, enqueue=False)).state == "finished"
    assert Faculty.objects.count() == 6


def test_lists_know_how_many_rows_are_in_the_files_that_a_run_has_made(center):
    run = start(center, *faculties(6))

    run = runs.work(run, batch_size=2, advance=lambda run: runs.cancel(run))

    known = {path: center.get_file(path).records for path in names_in(center)}
    assert (known[run.finished_file], known[run.pending_file]) == (2, 4)

    again = runs.work(runs.retry(run, enqueue=False))
    assert center.get_file(again.finished_file).records == 6


def test_what_somebody_has_changed_meanwhile_is_not_counted_on(center):
    run = start(center, *faculties(6))
    run = runs.work(run, batch_size=2, advance=lambda run: runs.cancel(run))
    DataFileInfo.objects.filter(name=run.finished_file.rpartition("/")[2]).delete()

    again = runs.work(runs.retry(run, enqueue=False))

    assert center.get_file(again.finished_file).records is None


def test_of_what_somebody_has_taken_away_only_the_new_rows_are_counted(center):
    run = start(center, *faculties(6))
    run = runs.work(run, batch_size=2, advance=lambda run: runs.cancel(run))
    center.delete(run.finished_file)

    again = runs.work(runs.retry(run, enqueue=False))

    assert center.get_file(again.finished_file).records == 4


def test_cancelled_before_it_began_the_file_stays_where_it_is(center):
    run = start(center, ("A", "Arts"))

    runs.cancel(run)

    assert (run.state, names_in(center)) == ("cancelled", ["f.csv"])
    assert runs.start_run("f.csv", "faculty", "create", enqueue=False)
    with pytest.raises(RunRefused, match="over"):
        runs.cancel(run)


@pytest.mark.parametrize("on_error", ["pending", "all_or_nothing"])
def test_cancelled_after_its_worker_died_with_nothing_read_the_file_stays(
    center, on_error
):
    run = start(center, *faculties(2), on_error=on_error)
    leases.take(run)
    expire(run)

    runs.cancel(run)
    run = runs.work(run)

    assert (run.state, run.rows, codes()) == ("cancelled", 0, [])
    assert names_in(center) == ["f.csv"]


def test_one_transaction_that_is_under_way_is_not_cancelled(center):
    run = start(center, *faculties(2), on_error="all_or_nothing")
    leases.take(run)
    run.refresh_from_db()

    with pytest.raises(RunRefused, match="end its worker"):
        runs.cancel(run)

    run.refresh_from_db()
    assert (run.state, run.cancelling) == ("running", False)


def test_stop_leaves_the_first_bad_row_and_those_behind_it(center):
    run = start(center, *faculties(6, bad={2, 4}), on_error="stop")

    run = runs.work(run, batch_size=5)

    assert (run.state, run.finished, run.failed) == ("stopped", 2, 4)
    assert codes() == ["F0", "F1"]
    assert failed_of(run) == {
        3: ["max_length"],
        4: ["left.stopped"],
        5: ["max_length"],
        6: ["left.stopped"],
    }


def test_all_or_nothing_keeps_nothing_and_lists_every_error(center):
    options = {"on_error": "all_or_nothing"}
    run = runs.work(start(center, *faculties(6, bad={1, 5}), **options), batch_size=2)

    assert (run.state, run.finished, run.failed, codes()) == ("stopped", 0, 6, [])
    assert failed_of(run)[2] == failed_of(run)[6] == ["max_length"]
    assert failed_of(run)[1] == ["left.held_back"]
    assert names_in(center)[0] == "f.create.pending.csv"


def test_what_is_tried_again_is_all_or_nothing_again(center):
    options = {"on_error": "all_or_nothing"}
    run = runs.work(start(center, *faculties(3, bad={1}), **options))

    again = runs.work(runs.retry(run, enqueue=False))

    assert (again.state, again.failed, codes()) == ("stopped", 3, [])


def test_all_or_nothing_keeps_all_if_none_fails(center):
    options = {"on_error": "all_or_nothing"}
    run = runs.work(start(center, *faculties(6), **options), batch_size=2)

    assert (run.state, run.finished, len(codes())) == ("finished", 6, 6)


@pytest.mark.parametrize("limit", [2, "20%"])
def test_a_limit_stops_before_the_batch_that_exceeds_it(center, limit):
    rows = faculties(120, bad={3, *range(100, 120)})
    run = runs.work(start(center, *rows, max_failed=limit), batch_size=100)

    if limit == 2:
        assert (run.state, run.finished, run.failed) == ("stopped", 99, 21)
        assert run.skipping == "too_many_failed"
    else:
        assert (run.state, run.finished, run.failed) == ("pending", 99, 21)


def test_a_share_of_the_first_few_rows_stops_nothing(center):
    rows = faculties(12, bad={0})
    run = runs.work(start(center, *rows, max_failed="20%"), batch_size=2)

    assert (run.state, run.finished, run.failed) == ("pending", 11, 1)


def test_large_rows_are_no_end_of_a_file(center, monkeypatch):
    monkeypatch.setattr("deliverystore.datacenter.delimited.BATCH_BYTES", 20_000)
    rows = [(f"F{n}", " " * 9000 + "x") for n in range(40)]
    rows[1] = ("too-long-code", "x")
    run = runs.work(start(center, *rows, max_failed="10%"))

    assert (run.state, run.finished, run.failed) == ("pending", 39, 1)


def test_a_limit_of_removed_objects_is_a_share_of_those_there_were(center):
    Faculty.objects.bulk_create(Faculty(code=f"F{n}") for n in range(10))
    rows = [(code,) for code, _name in faculties(6)]
    put(center, "f.csv", table(*rows, header=("code",)))
    options = {"max_removed": "50%", "enqueue": False}

    run = runs.work(runs.start_run("f.csv", "faculty", "remove", **options))

    assert (run.skipping, Faculty.objects.count()) == ("too_many_removed", 10)
    assert (run.state, run.failed) == ("stopped", 6)


def removed_too_much(center):
    """Return a run of three faculties to be removed, which stopped at its limit."""
    Faculty.objects.bulk_create(Faculty(code=code) for code in "ABC")
    rows = [(code, "") for code in "ABC"]
    return runs.work(start(center, *rows, mode="remove", max_removed=1))


@pytest.mark.parametrize("kind", ["retry", "pending file"])
def test_another_try_has_the_limits_of_the_first_one(center, kind):
    run = removed_too_much(center)
    if kind == "retry":
        again = runs.retry(run, enqueue=False)
    else:
        again = runs.start_run(run.pending_file, enqueue=False)

    runs.work(again)

    assert (again.max_removed, again.skipping) == ("1", "too_many_removed")
    assert Faculty.objects.count() == 3


def test_no_value_of_a_key_is_read_as_another_one_to_remove_objects(center):
    Faculty.objects.create(code="A")
    run = runs.work(start(center, ("B", ""), mode="remove"))

    with pytest.raises(RunRefused, match="edit its rows"):
        runs.correct_values(run, "code", {"B": "A"})

    assert not ValueCorrection.objects.exists()


@pytest.mark.parametrize("limit", ["", 3])
@pytest.mark.parametrize("kind", ["retry", "pending file"])
def test_another_try_can_have_another_limit(center, kind, limit):
    run = removed_too_much(center)
    if kind == "retry":
        again = runs.retry(run, max_removed=limit, enqueue=False)
    else:
        again = runs.start_run(run.pending_file, max_removed=limit, enqueue=False)

    runs.work(again)

    assert (again.state, again.max_removed) == ("finished", str(limit))
    assert not Faculty.objects.exists()


def test_a_share_of_rows_that_may_fail_stays_one_of_all_rows(center):
    rows = [("A", ""), ("too-long-code", "x"), ("too-long-code", "y"), ("B", "")]
    run = runs.work(start(center, *rows, max_failed="50%"))
    row = run.failed_rows.get(number=2)
    runs.edit_row(row, ["OK", "x"])

    again = runs.work(runs.retry(run, enqueue=False))

    assert (again.state, again.finished, again.failed) == ("pending", 1, 1)
    assert again.max_failed == "2"
    third = runs.retry(again, enqueue=False)
    assert third.max_failed == "2"


@pytest.mark.parametrize(("limit", "state"), [("10%", "finished"), ("1", "stopped")])
def test_a_share_of_removed_objects_counts_only_where_objects_can_be_counted(
    center, registered, limit, state
):
    registered(LentProcessor)
    ShelfProcessor.things.update({code: {"code": code} for code in ("A", "B", "C")})
    rows = [("A", ""), ("B", "")]
    options = {"mode": "remove", "max_removed": limit, "processor": "lent"}

    run = runs.work(start(center, *rows, **options))

    assert (run.state, run.objects_before) == (state, None)


def test_a_dry_run_changes_nothing_and_says_what_it_would_change(center):
    Faculty.objects.create(code="A", name="Arts")
    rows = [("A", "Fine Arts"), ("A" * 11, "x"), ("B", "Biology")]
    run = start(center, *rows, mode="upsert", dry_run=True)

    run = runs.work(run)

    assert (run.state, names_in(center)) == ("tried", ["f.csv"])
    assert (run.created, run.updated, run.failed) == (1, 1, 1)
    assert list(Faculty.objects.values_list("name", flat=True)) == ["Arts"]
    first, second = run.shown_differences
    assert first["changes"] == [{"field": "name", "old": "Arts", "new": "Fine Arts"}]
    assert (second["action"], second["label"]) == ("created", "B")
    assert failed_of(run) == {2: ["max_length"]}
    assert runs.start_run("f.csv", "faculty", "create", enqueue=False)


def test_in_a_dry_run_later_rows_see_earlier_ones(center):
    rows = [("A", "x"), ("A", "y")]
    run = runs.work(start(center, *rows, dry_run=True), batch_size=1)

    assert (run.created, failed_of(run)) == (1, {2: ["exists"]})


@pytest.mark.parametrize(
    "options",
    [
        {"dry_run": True},
        {"on_error": "all_or_nothing"},
        {"on_error": "stop"},
        {"max_failed": 5},
        {"max_removed": "5%"},
    ],
)
def test_what_cannot_be_undone_is_neither_tried_out_nor_stopped(
    center, registered, options
):
    registered(ShelfProcessor)

    with pytest.raises(RunRefused, match="cannot be undone"):
        start(center, ("A", "Arts"), processor="shelf", **options)

    registered(LentProcessor)
    assert start(center, ("A", "Arts"), processor="lent", **options)


# -- What is kept secret -----------------------------------------------------------


def test_objects_are_logged_and_shown_without_a_key_that_is_sensitive(
    center, registered, admin_user
):
    registered(SecretProcessor)
    options = {"processor": "secret", "user": admin_user}
    tried = runs.work(start(center, ("A1", "Arts"), dry_run=True, **options))

    runs.work(start(center, ("A1", "Arts"), **options))

    [entry] = LogEntry.objects.all()
    assert entry.object_repr == str(Faculty.objects.get().pk)
    assert [one["label"] for one in tried.shown_differences] == [""]


def test_what_breaks_off_is_told_in_one_line_without_values(
    center, registered, caplog, monkeypatch
):
    registered(SecretProcessor)
    run = start(center, ("A1", "Arts"), processor="secret")

    def broken(*_arguments):
        raise ValueError("A1\ndelete 'f.csv' user='admin'")

    monkeypatch.setattr(FacultyProcessor, "make_plan", broken)
    with pytest.raises(ValueError, match="delete"):
        runs.work(run)

    run.refresh_from_db()
    assert (run.state, run.error) == ("broken", "ValueError")
    logged, whole = caplog.records
    assert logged.name.startswith("deliverystore.datacenter.")
    assert logged.getMessage() == f"{run} broke off: ValueError"
    assert not logged.exc_info
    assert whole.name == "deliverystore.processors"
    assert whole.exc_info


def test_a_value_of_a_sensitive_field_is_not_corrected_in_a_list(center, registered):
    registered(SecretProcessor)
    run = runs.work(start(center, ("too-long-code", "x"), processor="secret"))

    with pytest.raises(RunRefused, match="kept out of all lists"):
        runs.correct_values(run, "code", {"too-long-code": "T"})
    runs.correct_values(run, "name", {"x": "y"})
    assert str(ValueCorrection.objects.get()) == "secret: name"


# -- What is done about failed rows ------------------------------------------------


def test_failed_rows_are_grouped_by_column_code_and_value(center):
    rows = [("too-long-code", "x"), ("A", "x"), ("too-long-code", "y"), ("B" * 12, "z")]
    run = runs.work(start(center, *rows), batch_size=2)

    groups = FailureGroup.objects.filter(run=run).order_by("-count", "id")

    assert [(g.column, g.code, g.value, g.count, g.first_number) for g in groups] == [
        ("code", "max_length", "too-long-code", 2, 1),
        ("code", "max_length", "B" * 12, 1, 4),
    ]
    assert "10" in groups[0].message


def test_a_value_is_corrected_once_for_all_its_rows_and_in_later_runs(center):
    rows = [("too-long-code", "x"), ("A", "x")]
    run = runs.work(start(center, *rows))

    runs.correct_values(run, "code", {"too-long-code": "T"})
    again = runs.work(runs.retry(run, enqueue=False))

    assert (again.state, codes()) == ("finished", ["A", "T"])
    Faculty.objects.all().delete()
    runs.work(start(center, *rows, name="g.csv"))
    assert codes() == ["A", "T"]


def test_one_row_is_edited_and_tried_again(center):
    run = runs.work(start(center, *faculties(3, bad={0, 1})))
    row = FailedRow.objects.get(run=run, number=2)

    runs.edit_row(row, ["F1", "Edited"])
    again = runs.work(runs.retry(run, enqueue=False))

    assert (again.state, again.rows, again.finished) == ("pending", 2, 1)
    assert Faculty.objects.get(code="F1").name == "Edited"
    assert list(failed_of(again)) == [1]
    assert read(center, "finished/f.create.finished.csv") == table(
        ("F2", "Faculty 2"), ("F1", "Edited")
    )
    row.refresh_from_db()
    with pytest.raises(RunRefused):
        runs.edit_row(row, ["F9", "too late"])


def test_a_correction_says_how_many_failed_rows_have_the_value(center):
    rows = [
        ("too-long-code", "x"),
        (" too-long-code", "y"),
        ("long, too-long-code", ""),
    ]
    run = runs.work(start(center, *rows, ("A", "too-long-code")))
    assert run.failed == 3

    assert runs.correct_values(run, "code", {"too-long-code": "T"}) == 2
    assert runs.correct_values(run, "code", {"no such code": "T"}) == 0
    row = FailedRow.objects.get(run=run, number=3)
    runs.edit_row(row, ["too-long-code ", ""])
    assert runs.correct_values(run, "code", {"x": "y", "too-long-code": "T"}) == 3


def test_a_row_that_came_back_in_a_pending_file_is_edited_without_its_errors(center):
    run = runs.work(start(center, *faculties(3, bad={0, 1})))
    second = runs.work(runs.start_run(run.pending_file, enqueue=False))
    row, other = FailedRow.objects.filter(run=second).order_by("number")
    assert runs.own_columns(second) == ["code", "name"]
    assert runs.own_cells(row) == ["too-long-F0", "Faculty 0"]

    with pytest.raises(RunRefused, match="needs 2 cells, not 3: code, name"):
        runs.edit_row(row, ["F0", "Edited", ""])
    runs.edit_row(row, ["F0", "Edited"])

    row.refresh_from_db()
    assert runs.own_cells(row) == ["F0", "Edited"]
    third = runs.work(runs.retry(second, enqueue=False))
    assert (third.finished, third.failed) == (1, 1)
    assert Faculty.objects.get(code="F0").name == "Edited"
    lines = read(center, third.pending_file).splitlines()
    assert lines[0] == "code,name,--ERRORS--"
    assert lines[1].startswith(",".join(runs.own_cells(other)))


def test_the_column_of_errors_may_stand_anywhere(center):
    run = runs.work(start(center, *faculties(3, bad={0, 1})))
    put(center, run.pending_file, "--ERRORS--,name,code\r\nx,Arts,too-long-code\r\n")
    second = runs.work(runs.start_run(run.pending_file, enqueue=False))

    runs.edit_row(FailedRow.objects.get(run=second), ["Arts", "A"])

    assert runs.work(runs.retry(second, enqueue=False)).state == "finished"
    assert Faculty.objects.get(code="A").name == "Arts"


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('F2,"Art"s', ["F2", '"Art"s']),
        ('"F,2"x,"a ""b"" c"', ['"F,2"x', 'a "b" c']),
        ('F2,"Arts', ["F2", '"Arts']),
        ('F2,"Art" "s" ', ["F2", '"Art" "s" ']),
        ('"F2" ,', ['"F2" ', ""]),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_row_with_a_lost_quote_comes_back_as_it_stood_in_the_file(
    center, line, cells, delimiter
):
    text = f"code,name\r\nA,Arts\r\n{line}\r\n".replace(",", delimiter)
    put(center, "f.csv", text)
    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))
    expected = [one.replace(",", delimiter) for one in cells]

    _header, pending = csv.reader(read(center, run.pending_file).splitlines())

    assert pending[:2] == expected
    again = runs.work(runs.start_run(run.pending_file, enqueue=False))
    assert (again.finished, again.failed, codes()) == (0, 1, ["A"])
    _header, pending = csv.reader(read(center, again.pending_file).splitlines())
    assert pending[:2] == expected


def test_a_damaged_row_is_not_tried_again_until_somebody_edits_it(center):
    center.place.replace("f.csv", [b"code,name\r\nA,Arts,more\r\nB,Caf\xe9\r\n"])
    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))

    second = runs.work(runs.retry(run, enqueue=False))
    assert failed_of(second) == {1: ["file.too_many_cells"], 2: ["file.encoding"]}

    for row in FailedRow.objects.filter(run=second):
        runs.edit_row(row, [f"A{row.number}", "Arts"])
    assert runs.work(runs.retry(second, enqueue=False)).state == "finished"
    assert codes() == ["A1", "A2"]
    run.refresh_from_db()
    assert (run.state, run.original_file) == ("retried", "finished/f.csv")


def test_what_was_guessed_fails_again_in_a_pending_file_until_somebody_edits_it(center):
    damaged = 'F2,"stray" quote\r\nF3,nul\0cell\r\nF4\r\nF5,a,b\r\nF6,ok\r\n'
    content = b"code,name\r\nF1,M\xfcller\r\n" + damaged.encode()
    center.place.replace("f.csv", [content])
    run = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))
    codes_of = list(failed_of(run).values())
    assert len(codes_of) == 5

    again = runs.work(runs.start_run(run.pending_file, enqueue=False), batch_size=2)

    assert (again.state, codes()) == ("pending", ["F6"])
    assert list(failed_of(again).values()) == codes_of
    header, first, _second, third, *_ = read(center, again.pending_file).splitlines()
    repaired = first.replace("\\xfc", "ü")
    put(center, again.pending_file, "\r\n".join([header, third, repaired, ""]))
    last = runs.work(runs.start_run(again.pending_file, enqueue=False))
    assert (last.finished, failed_of(last)) == (1, {1: ["file.nul"]})
    assert Faculty.objects.get(code="F1").name == "Müller"


@pytest.mark.parametrize("on_error", ["pending", "stop"])
def test_what_could_not_be_read_is_no_blank_row(center, on_error):
    put(center, "f.csv", 'code,name\r\n"" ,\r\n ,\r\n')
    options = {"on_error": on_error, "enqueue": False}

    run = runs.work(runs.start_run("f.csv", "faculty", "create", **options))

    assert failed_of(run) == {1: ["file.quote_stray"]}
    again = runs.work(runs.start_run(run.pending_file, **options))
    assert (again.failed, again.blank) == (1, 0)


def test_killed_while_it_retries_nothing_is_twice(center):
    run = runs.work(start(center, *faculties(8, bad=set(range(8)))))
    for row in FailedRow.objects.filter(run=run):
        runs.edit_row(row, [f"F{row.number}", ""])
    again = runs.retry(run, enqueue=False)

    work_killed(again, after=1, batch_size=3)
    again = runs.work(ImportRun.objects.get(pk=again.pk))

    assert (again.rows, again.finished, Faculty.objects.count()) == (8, 8, 8)


@pytest.mark.parametrize("how", ["retry", "pending file"])
def test_of_two_tries_of_the_same_rows_the_second_comes_too_late(
    center, monkeypatch, how
):
    run = runs.work(start(center, *faculties(3, bad={1})))
    runs.edit_row(FailedRow.objects.get(run=run), ["F1", ""])
    stale = ImportRun.objects.get(pk=run.pk)

    def another_was_faster(place, name, entry=FolderPlace.entry):
        monkeypatch.undo()
        runs.work(runs.retry(stale, enqueue=False))
        put(center, "f.create.pending.csv", table(("F9", "")))
        return entry(place, name)

    if how == "retry":
        runs.work(runs.retry(run, enqueue=False))
        put(center, "f.create.pending.csv", table(("F9", "")))
        with pytest.raises(RunRefused, match="No rows of import"):
            runs.retry(stale, enqueue=False)
    else:
        monkeypatch.setattr(FolderPlace, "entry", another_was_faster)
        with pytest.raises(RunRefused, match="No rows of import"):
            runs.start_run(run.pending_file, enqueue=False)

    assert codes() == ["F0", "F1", "F2"]


def test_rows_are_tried_again_also_if_their_file_is_gone(center):
    run = runs.work(start(center, *faculties(3, bad={1})))
    text = read(center, run.pending_file)
    center.place.delete(run.pending_file)
    center.place.delete(run.original_file)

    again = runs.work(runs.retry(run, enqueue=False))

    assert (again.state, read(center, again.pending_file)) == ("pending", text)
    runs.edit_row(FailedRow.objects.get(run=again), ["F1", ""])
    center.place.delete(again.pending_file)
    assert runs.work(runs.retry(again, enqueue=False)).state == "finished"
    assert names_in(center) == ["finished/f.create.finished.csv"]


def test_the_rest_is_given_up_with_who_and_why(center, admin_user):
    run = runs.work(start(center, *faculties(3, bad={1}), user=admin_user))

    runs.discard(run, "nobody knows it", admin_user)

    run.refresh_from_db()
    assert (run.state, run.discarded_by) == ("discarded", admin_user)
    assert run.discarded_because == "nobody knows it"
    assert names_in(center) == [
        "deleted/f.create.pending.csv",
        "finished/f.create.finished.csv",
        "finished/f.csv",
    ]
    with pytest.raises(RunRefused):
        runs.retry(run, enqueue=False)


def test_what_was_cancelled_before_it_began_is_given_up_and_its_file_stays(center):
    run = start(center, ("A", "Arts"))
    runs.cancel(run)

    runs.discard(run, "the wrong file")

    assert (run.state, names_in(center)) == ("discarded", ["f.csv"])


def test_a_pending_file_of_unknown_origin_is_given_up_by_itself(center):
    name = "f.create.pending.csv"
    run = runs.work(start(center, *faculties(2, bad={0}), name=name))

    runs.discard(run, "nobody knows it")

    assert names_in(center) == [f"deleted/{name}", "finished/f.create.finished.csv"]


def test_a_correction_of_a_column_that_is_not_there_is_refused(center):
    run = runs.work(start(center, *faculties(2, bad={0})))

    with pytest.raises(RunRefused, match="no column 'dean'"):
        runs.correct_values(run, "dean", {"a": "b"})


@pytest.mark.parametrize("cells", [["F0"], ["F0", "x", "y"]])
def test_a_row_is_edited_only_as_a_whole(center, cells):
    run = runs.work(start(center, *faculties(2, bad={0})))
    row = FailedRow.objects.get(run=run)

    with pytest.raises(RunRefused, match=f"needs 2 cells, not {len(cells)}"):
        runs.edit_row(row, cells)

    row.refresh_from_db()
    assert not row.edited_json


def test_what_is_being_tried_again_is_not_given_up(center):
    run = runs.work(start(center, *faculties(3, bad={1})))
    runs.retry(run, enqueue=False)

    with pytest.raises(RunRefused):
        runs.discard(run, "too early")
    with pytest.raises(RunBusy):
        runs.retry(run, enqueue=False)


@pytest.mark.parametrize(
    "limit", ["9" * 30, 10**16, "9" * 16 + "%", "101%", "9" * 10_000, "x" * 10_000]
)
def test_a_limit_that_can_be_no_number_of_rows_is_refused(center, limit):
    for name in ("max_failed", "max_removed"):
        with pytest.raises(RunRefused) as refused:
            start(center, ("A", "Arts"), **{name: limit})
        assert len(str(refused.value)) < 200


def test_a_correction_of_any_value_is_counted(center):
    odd = ['a"b\\c%_é😀 and', "x" * 100_000, "  blanks\u2003", "LIKE"]
    rows = [(value, "long code") for value in odd if len(value) > 10]
    run = runs.work(start(center, *rows, ("like-like-like", ""), ("", "")))
    assert run.failed == len(rows) + 1
    for value, _name in rows:
        assert runs.correct_values(run, "code", {f" {value}": "T"}) == 1, value[:20]
    assert runs.correct_values(run, "code", {"LIKE-LIKE-LIKE": "T"}) == 0
    many = dict.fromkeys([*(f"v{n}" for n in range(100)), "like-like-like"], "T")
    assert runs.correct_values(run, "code", many) == 1


def test_a_row_with_a_formula_without_a_value_fails_until_somebody_edits_it(center):
    pytest.importorskip("python_calamine")
    names = f'<row r="1">{text("A1", "code")}{text("B1", "name")}</row>'
    bad = f'<row r="2">{text("A2", "ART")}<c r="B2"><f>A2</f><v></v></c></row>'
    good = f'<row r="3">{text("A3", "LAW")}{text("B3", "Law")}</row>'
    center.upload("f.xlsx", [workbook(names + bad + good).getvalue()])
    run = runs.start_run("f.xlsx", "faculty", "create", enqueue=False)
    runs.work(run)

    assert failed_of(run) == {1: ["file.formula_without_value"]}
    assert "B2 is a formula" in run.failed_rows.get().errors[0]["message"]
    again = runs.retry(run, enqueue=False)
    runs.work(again)
    assert failed_of(again) == {1: ["file.formula_without_value"]}
    runs.edit_row(again.failed_rows.get(), ["ART", "Arts"])
    last = runs.retry(again, enqueue=False)
    runs.work(last)
    assert dict(Faculty.objects.values_list("code", "name")) == {
        "ART": "Arts",
        "LAW": "Law",
    }
