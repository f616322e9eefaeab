"""reprocess, clear_workbench and what the sweep does with published files."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from deliverystore.models import Delivery, Publication
from deliverystore.publishing import (
    WorkbenchManager,
    public_store,
    publish,
    tasks,
    work,
)
from tests.factories import finished_delivery
from tests.management.running import printed as run
from tests.publishing.media import Killed, UpperProcessor, expire, public

pytestmark = pytest.mark.django_db


@pytest.fixture
def bad(file):
    return finished_delivery(files=[("bad.txt", b"bad")]).files.get()


def done(one):
    return work(publish(one, enqueue=False))


def test_files_are_published_by_their_ids(file):
    assert run("reprocess", str(file.pk)) == "1 processed.\n"

    assert public(file)["upper"] == "HELLO"


def test_what_fails_is_said_with_its_error(bad, capsys):
    assert run("reprocess", bad.pk, code=1) == "1 failed.\nNot published: 1."

    told = f"{bad.pk} bad.txt: ProcessingFailed: There is nothing in it.\n"
    assert capsys.readouterr().err == told


def test_when_not_all_errors_are_said_the_admin_has_them(bad, monkeypatch, capsys):
    other = finished_delivery(files=[("bad.txt", b"bad")]).files.get()
    monkeypatch.setattr("deliverystore.management.commands.reprocess.MAX_SHOWN", 1)

    told = run("reprocess", bad.pk, other.pk, code=1)

    assert told.endswith("Not published: 2. The admin says why of all that failed.")
    assert len(capsys.readouterr().err.splitlines()) == 1
    told = run("reprocess", bad.pk, "--json", code=1)
    assert told.endswith("The admin says why of all that failed.")


def test_a_file_that_is_not_there_is_named(file):
    told = run("reprocess", file.pk, 123456, code=2)

    assert told == "There is no file with the id 123456."


def test_what_has_failed_is_tried_again(file, bad, monkeypatch):
    done(file)
    done(bad)
    monkeypatch.setattr(
        UpperProcessor,
        "process",
        lambda self, job: job.publish("copy", job.source),
    )

    told = run("reprocess", "--failed", "--dry-run")
    assert told == f"{bad.pk} bad.txt\n1 chosen.\n"
    assert run("reprocess", "--failed") == "1 processed.\n"

    assert public(bad) == {"copy": "bad"}
    assert public(file)["upper"] == "HELLO"


def test_a_dry_run_says_which_files_and_does_nothing(file, bad):
    done(file)
    done(bad)

    told = run("reprocess", "--all", "--dry-run")
    document = json.loads(run("reprocess", "--all", "--dry-run", "--json"))

    assert told == f"{file.pk} hello.txt\n{bad.pk} bad.txt\n2 chosen.\n"
    assert document["files"] == [
        {"id": file.pk, "filename": "hello.txt"},
        {"id": bad.pk, "filename": "bad.txt"},
    ]
    assert (document["dry_run"], document["chosen"]) == (True, 2)
    assert file.published_files.count() == 2
    assert run("reprocess", "--left", "--dry-run") == "Nothing to do.\n"
    assert json.loads(run("reprocess", "--left", "--dry-run", "--json"))["files"] == []


def test_only_what_one_processor_publishes_is_chosen(file, processor):
    class LowerProcessor(UpperProcessor):
        name = "lower"

    processor(LowerProcessor)
    work(publish(file, processor="upper", enqueue=False))

    assert run("reprocess", "--all", "--processor=lower") == "Nothing to do.\n"
    assert run("reprocess", "--all", "--processor=upper") == "1 processed.\n"


@pytest.mark.parametrize("choice", ["--all", "1"])
def test_a_processor_that_is_not_there_is_refused_with_those_that_are(file, choice):
    told = run("reprocess", choice, "--processor=nope", code=2)

    assert told.endswith("There is no media processor 'nope'; there are: upper.")


def test_a_file_that_is_named_twice_is_published_once(file):
    assert run("reprocess", file.pk, file.pk) == "1 processed.\n"


def test_a_processor_that_ends_the_process_is_named_with_its_file(
    file, monkeypatch, caplog
):
    def process(self, job):
        job.publish("copy", job.source)
        raise SystemExit(5)

    with monkeypatch.context() as patch:
        patch.setattr(UpperProcessor, "process", process)
        told = run("reprocess", file.pk, code=2)

    ended = f"A media processor has ended the process at {file.pk} hello.txt"
    assert told == f"1 ended.\n{ended}: SystemExit: 5"
    assert "the process was ended" in caplog.text
    assert public(file) == {}
    assert run("reprocess", "--left") == "1 processed.\n"
    assert public(file)["upper"] == "HELLO"


def test_everything_is_made_anew(file, bad):
    done(file)
    done(bad)

    run("reprocess", "--all", code=1)

    assert file.published_files.count() == 4


@pytest.mark.parametrize("gone", ["publication", "delivery"])
def test_what_is_taken_off_the_site_meanwhile_does_not_come_back(
    file, bad, monkeypatch, gone
):
    done(file)
    other = done(bad)

    def process(self, job):
        if gone == "delivery":
            Delivery.objects.get(pk=bad.delivery_id).delete()
        else:
            other.delete()

    monkeypatch.setattr(UpperProcessor, "process", process)

    assert run("reprocess", "--all") == "1 processed.\n"

    assert [one.filemeta for one in Publication.objects.all()] == [file]


def test_a_file_that_is_deleted_meanwhile_is_said(file, bad, monkeypatch):
    monkeypatch.setattr(
        UpperProcessor,
        "process",
        lambda self, job: Delivery.objects.get(pk=bad.delivery_id).delete(),
    )

    told = run("reprocess", str(file.pk), str(bad.pk), code=1)
    assert told.startswith("1 processed, 1 refused.")


def test_what_a_killed_worker_has_left_is_done(file):
    publication = publish(file, enqueue=False)
    Publication.objects.update(state="processing")
    expire(publication)

    assert run("reprocess", "--left") == "1 processed.\n"
    assert run("reprocess", "--left") == "Nothing to do.\n"


def test_a_file_that_kills_its_worker_keeps_no_other_one_waiting(file, monkeypatch):
    files = [finished_delivery(files=[("b.txt", b"b")]).files.get() for _ in range(2)]
    for one in (file, *files):
        publish(one, enqueue=False)
    process = UpperProcessor.process

    def killing(self, job):
        if job.filemeta == file:
            raise Killed
        process(self, job)

    monkeypatch.setattr(UpperProcessor, "process", killing)
    with pytest.raises(Killed):
        call_command("reprocess", "--left")
    expire(file.publication)

    with pytest.raises(Killed):
        call_command("reprocess", "--left")

    assert [public(one) != {} for one in (file, *files)] == [False, True, True]


def test_what_is_gone_from_the_public_store_is_put_there_again(file):
    done(file)
    assert run("reprocess", "--missing") == "Nothing to do.\n"
    public_store.delete_file(file.published_files.first().filepath)

    document = json.loads(run("reprocess", "--missing", "--json"))

    assert document["processed"] == 1
    assert len(public(file)) == 2


def test_workers_can_do_it(file, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert run("reprocess", str(file.pk), "--enqueue") == "1 waiting.\n"

    assert public(file)["upper"] == "HELLO"


def test_without_a_framework_the_command_that_does_it_is_said(file, monkeypatch):
    monkeypatch.setattr(tasks, "run_publication", None)

    told = run("reprocess", str(file.pk), "--enqueue")

    waits = "No worker: `reprocess --left` does what waits."
    assert told == f"1 waiting.\n{waits}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "or one of --all, --failed, --left, --missing."),
        (["1", "--all"], ", not ids and --all."),
        (["--all", "--failed"], ", not --all and --failed."),
        (["--processor=upper"], ": --processor alone chooses none."),
    ],
)
def test_files_are_chosen_in_one_way(file, arguments, told):
    assert run("reprocess", *arguments, code=2).endswith(told)


@pytest.mark.parametrize(
    "arguments", [[], ["1", "--all"], ["--all", "--failed"], ["123456"], ["9" * 30]]
)
def test_what_cannot_be_meant_is_refused(db, arguments):
    run("reprocess", *arguments, code=2)


def test_stopped_it_says_what_it_has_done(file, bad, monkeypatch, capsys):
    def process(self, job):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(UpperProcessor, "process", process)

    with pytest.raises(CommandError, match="Stopped"):
        call_command("reprocess", str(file.pk), str(bad.pk))
    assert capsys.readouterr().out == "1 processed.\n"


def test_abandoned_workbenches_are_removed(media, tmp_path):
    base = tmp_path / "benches"
    old, new = base / f"{1:016x}", base / f"{2:016x}"
    for path in (old, new):
        path.mkdir(parents=True)
    os.utime(old, (time.time() - 7200,) * 2)
    with WorkbenchManager().create():
        assert run("clear_workbench", "--dry-run").splitlines() == [
            str(old),
            "Workbenches would be removed: 1.",
        ]
        document = json.loads(run("clear_workbench", "--json"))

    assert document["workbenches"] == [str(old)]
    assert list(base.iterdir()) == [new]


def test_a_workbench_that_is_being_made_is_never_old_enough(media):
    told = "0 would take one that a process is making at this moment; write 1."

    with pytest.raises(CommandError, match=told):
        call_command("clear_workbench", "--older-than", "0")


def test_the_sweep_counts_what_was_replaced(file, settings):
    settings.DELIVERY_STORE_GRACE = timedelta(0)
    done(file)
    done(file)

    assert json.loads(run("sweep_deliveries", "--dry-run", "--json"))["published"] == 2
    assert "2 published files" in run("sweep_deliveries")
    assert file.published_files.count() == 2
