"""The files of a spool are handed on, one by one."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from threading import Event, Thread, Timer

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError

from deliverystore.datacenter.runs import tasks
from deliverystore.management.spool_worker import Worker
from deliverystore.models import Delivery, ImportRun
from deliverystore.spool import FileStore
from tests.recipients.models import Department

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = b"code,name\nF1,Law\n"
seen: list[tuple[str, bytes]] = []


def take(claim):
    """Be a target: note what comes, and fail at some of it."""
    seen.append((claim.filename, claim.path.read_bytes()))
    if claim.filename.startswith("bad"):
        raise ValueError("what is this?")
    if claim.filename.startswith("outage"):
        raise OperationalError("no database")
    if claim.filename == "full":
        raise OSError(errno.ENOSPC, "No space left on device")


def take_while_it_grows(claim):
    """Be a target whose file is written to meanwhile, the first time."""
    seen.append((claim.filename, claim.path.read_bytes()))
    if claim.attempt == 1:
        with claim.path.open("ab") as file:
            file.write(b", and more")


def lose(claim):
    """Be a target that takes longer than its lease."""
    claim.path.unlink()


def end_otherwise(claim):
    """Be a target that ends the claim by itself, as the file is called."""
    getattr(claim, claim.filename)()
    if claim.filename == "release":
        # What is given back comes again, until somebody asks the command to end.
        os.kill(os.getpid(), signal.SIGTERM)
    return "so it was"


def miss(claim):
    """Be a target whose error says little by itself."""
    raise KeyError("x")


@pytest.fixture
def store(tmp_path):
    store = FileStore(tmp_path / "spool")
    store.prepare()
    seen.clear()
    return store


def put(store, name, content=b"content"):
    with store.writing(name) as file:
        file.write(content)


def watch(store, *arguments, out=None):
    out = out or StringIO()
    at_once = [str(store.path), "--once", "--settle=0"]
    call_command("watch_spool", *at_once, *arguments, stdout=out)
    return out.getvalue()


def to_own(store, name="take"):
    return watch(store, f"--to={__name__}.{name}")


def test_own_code_gets_every_claim(store):
    put(store, "a", b"1")
    put(store, "b", b"2")

    said = to_own(store)

    assert sorted(seen) == [("a", b"1"), ("b", b"2")]
    assert "'a': done in 0.0" in said
    assert "Done: 2, failed attempts: 0." in said
    assert store.status().claimed == store.status().waiting == 0


def test_a_spool_is_called_by_its_name(store, settings):
    settings.DELIVERY_STORE_SPOOLS = {"scans": store.path}
    put(store, "a")

    call_command("watch_spool", "scans", "--once", f"--to={__name__}.take")

    assert [name for name, _ in seen] == ["a"]


def test_the_folder_that_is_watched_is_told_without_detours(store, monkeypatch):
    monkeypatch.chdir(store.path / "new")
    monkeypatch.setattr(FileStore, "watch", lambda *arguments, **options: iter(()))
    out = StringIO()

    call_command("watch_spool", "../../spool", f"--to={__name__}.take", stdout=out)

    assert out.getvalue().startswith(f"Watches {store.path}.\n")


def test_a_mistyped_name_makes_no_folder(store, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings.DELIVERY_STORE_SPOOLS = {"scans": store.path}

    with pytest.raises(CommandError, match="There is no spool 'scan'"):
        call_command("watch_spool", "scan", "--once", f"--to={__name__}.take")

    assert not (tmp_path / "scan").exists()


def test_a_path_that_is_no_folder_is_not_made_a_spool(tmp_path):
    arguments = [str(tmp_path / "disk"), "--once", f"--to={__name__}.take"]

    with pytest.raises(CommandError, match=r"disk is no folder.* mkdir ") as caught:
        call_command("watch_spool", *arguments)

    assert caught.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_and_a_name_of_the_settings_become_spools(tmp_path, settings):
    settings.DELIVERY_STORE_SPOOLS = {"scans": tmp_path / "scans"}
    (tmp_path / "empty").mkdir()

    for spool in ("scans", str(tmp_path / "empty")):
        call_command("watch_spool", spool, "--once", f"--to={__name__}.take")

    for name in ("scans", "empty"):
        assert FileStore(tmp_path / name).status().waiting == 0


def test_a_bad_file_is_tried_three_times_and_stops_no_other(store, caplog):
    for name in ("bad", "good"):
        put(store, name)

    with pytest.raises(CommandError, match=r"Failed attempts: 3\.") as caught:
        to_own(store)

    assert caught.value.returncode == 1
    assert [name for name, _ in seen].count("bad") == 3
    assert [name for name, _ in seen].count("good") == 1
    assert store.status().failed == 1
    assert "ValueError: what is this?" in caplog.text


def test_what_cannot_be_claimed_is_a_failed_attempt(store):
    (store.path / "new" / ("x" * 234 + ".pdf")).touch()

    out = StringIO()
    with pytest.raises(CommandError, match=r"^Failed attempts: 1\.$") as caught:
        watch(store, f"--to={__name__}.take", out=out)

    assert caught.value.returncode == 1
    assert "Ends. Done: 0, failed attempts: 1.\n" in out.getvalue()
    assert store.status().failed == 1


def test_a_file_that_is_still_being_written_is_left_alone(store):
    path = store.path / "new" / "slow"
    stop = Event()

    file = path.open("wb", buffering=0)

    def write():
        with file:
            while not stop.wait(0.1):
                file.write(b"x")
            file.write(b"end")

    thread = Thread(target=write)
    timer = Timer(2, stop.set)
    for one in (thread, timer):
        one.start()
    said = StringIO()
    call_command(
        "watch_spool", str(store.path), "--once", f"--to={__name__}.take", stdout=said
    )
    thread.join()

    [(name, content)] = seen
    assert (name, content[-3:]) == ("slow", b"end")


def test_what_is_written_to_after_it_was_taken_is_not_removed(store):
    put(store, "grows")

    with pytest.raises(CommandError, match=r"Failed attempts: 1\.$"):
        to_own(store, "take_while_it_grows")

    assert [content for _, content in seen] == [b"content", b"content, and more"]
    assert store.status().waiting == store.status().failed == 0


def test_a_full_disk_is_not_the_files_fault(store):
    put(store, "full")

    with pytest.raises(CommandError, match="No space left"):
        to_own(store)

    assert store.claim().attempt == 1


def test_what_finds_no_room_in_the_data_center_waits(store, center, settings):
    settings.DELIVERY_STORE_DATACENTER_MAX_WAITING = 1
    center.upload("a.csv", TABLE)
    put(store, "b.csv", TABLE)

    with pytest.raises(CommandError, match="1 file waits already"):
        watch(store, "--to=datacenter")

    assert store.status().waiting == 1
    assert store.claim().attempt == 1


def test_a_terminal_that_knows_few_letters_stops_nothing(store):
    put(store, "bad…")
    out = TextIOWrapper(BytesIO(), encoding="ascii")

    with pytest.raises(CommandError, match=r"Failed attempts: 3\."):
        call_command(
            *("watch_spool", str(store.path), "--once", "--settle=0"),
            f"--to={__name__}.take",
            stdout=out,
        )

    out.seek(0)
    assert "'bad\\u2026': attempt 1 failed" in out.read()


def test_an_outage_is_not_the_files_fault(store):
    put(store, "outage")

    with pytest.raises(CommandError, match="Could not watch: no database") as caught:
        to_own(store)

    assert caught.value.returncode == 2
    assert store.claim().attempt == 1


def test_a_patient_worker_waits_for_the_end_of_an_outage(store, monkeypatch):
    put(store, "outage")
    said, worker = [], None

    def recovered(claim):
        if len(said) < 3:
            raise OperationalError("no database")

    worker = Worker(target=recovered, say=said.append)
    monkeypatch.setattr(worker.stop, "wait", lambda seconds: said.append(seconds))
    worker.run(store.claims())

    assert [one for one in said if isinstance(one, float)] == [1.0, 2.0]
    assert (worker.done, worker.failed) == (1, 0)
    assert store.status().failed == 0


def test_a_lost_lease_is_told(store):
    put(store, "a")

    with pytest.raises(CommandError):
        to_own(store, "lose")


@pytest.mark.parametrize(
    ("name", "told", "counts"),
    [
        ("done", r"'done': done in 0\.\d\d s: so it was", (1, 0)),
        ("release", "'release': released: so it was", (0, 0)),
        ("refuse", "'refuse': refused: so it was", (0, 1)),
        ("fail", "'fail': failed: so it was", (0, 3)),
    ],
)
def test_a_target_may_end_the_claim_in_another_way(store, name, told, counts):
    put(store, name)
    out = StringIO()

    with contextlib.suppress(CommandError):
        watch(store, f"--to={__name__}.end_otherwise", out=out)

    done, failed = counts
    assert re.search(f"^{told}$", out.getvalue(), re.MULTILINE)
    assert f"Ends. Done: {done}, failed attempts: {failed}.\n" in out.getvalue()


def test_an_error_is_told_with_its_class(store):
    put(store, "a")
    out = StringIO()

    with pytest.raises(CommandError):
        watch(store, f"--to={__name__}.miss", out=out)

    assert "'a': attempt 1 failed: KeyError: 'x'\n" in out.getvalue()


def test_a_file_becomes_a_delivery(store, settings):
    user = User.objects.create_user("ada")
    department = Department.objects.create(name="Essay 1")
    put(store, "essay.txt", b"What I did")

    label = f"recipients.Department:{department.pk}"
    said = watch(store, "--to=delivery", "--user=ada", f"--recipient={label}")

    delivery = Delivery.objects.get()
    assert (delivery.recipient, delivery.delivered_by) == (department, user)
    assert delivery.files.get().get_all_data_as_string() == b"What I did"
    assert delivery.state == Delivery.State.FINISHED
    assert f"handed in as delivery {delivery.pk}" in said


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("DELIVERY_STORE_MAX_FILE_BYTES", 1),
        ("DELIVERY_STORE_ALLOWED_EXTENSIONS", [".pdf"]),
    ],
)
def test_a_file_over_a_limit_is_refused_at_once_and_leaves_no_delivery(
    store, settings, caplog, limit, value
):
    setattr(settings, limit, value)
    put(store, "essay.txt")
    out = StringIO()

    with pytest.raises(CommandError, match=r"^Failed attempts: 1\.$"):
        watch(store, "--to=delivery", out=out)

    assert "'essay.txt': refused: " in out.getvalue()
    assert "Traceback" not in caplog.text
    assert not Delivery.objects.exists()
    assert store.status().failed == 1


def test_a_table_waits_in_the_data_center(store, center):
    put(store, "f.csv", TABLE)

    said = watch(store, "--to=datacenter")

    assert said.startswith("'f.csv': done in ")
    assert " s: waits in the data center\n" in said
    with center.open("f.csv") as file:
        assert file.read() == TABLE
    assert not ImportRun.objects.exists()


def test_a_table_is_imported(store, center):
    put(store, "f.csv", TABLE)

    said = watch(store, "--to=datacenter", "--processor=faculty", "--mode=create")

    run = ImportRun.objects.get()
    assert (run.file, run.state, run.finished) == ("f.csv", "finished", 1)
    assert re.search(
        rf"^'f.csv': done in \d+\.\d\d s: import {run.pk}: all rows are in$",
        said,
        re.MULTILINE,
    )


def test_rows_that_are_not_in_are_told(store, center):
    put(store, "f.csv", TABLE + b",No code\n")

    said = watch(store, "--to=datacenter", "--processor=faculty", "--mode=create")

    assert "1 row of f.csv is not in, see " in said
    assert "f.create.pending.csv" in said


def test_an_import_that_no_worker_has_begun_is_not_said_to_have_begun(
    store, center, settings
):
    # Where the task comes from: Django itself, or the backport.
    framework = tasks.run_import.__class__.__module__.partition(".")[0]
    framework = "django.tasks" if framework == "django" else framework
    settings.TASKS = {
        "default": {"BACKEND": f"{framework}.backends.dummy.DummyBackend"}
    }
    put(store, "f.csv", TABLE)

    said = watch(store, "--to=datacenter", "--processor=faculty", "--mode=create")

    run = ImportRun.objects.get()
    assert run.state == "waiting"
    assert f" s: import {run.pk} waits for a worker\n" in said


def test_without_a_framework_for_workers_the_command_is_named(
    store, center, monkeypatch
):
    monkeypatch.setattr(tasks, "run_import", None)
    put(store, "f.csv", TABLE)

    said = watch(store, "--to=datacenter", "--processor=faculty", "--mode=create")

    run = ImportRun.objects.get()
    assert f" s: import {run.pk} waits for `import_csv --resume`\n" in said
    call_command("import_csv", "--resume", stdout=StringIO())
    run.refresh_from_db()
    assert run.state == "finished"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("columns.csv", b"wrong,names\n1,2\n", "There is no field"),
        ("empty.csv", b"", "the file is empty"),
        ("note.txt", b"hello", "'note.txt'"),
    ],
)
def test_a_table_that_cannot_be_imported_fails_once_and_waits_nowhere_else(
    store, center, name, content, reason
):
    put(store, name, content)

    out = StringIO()
    arguments = ["--to=datacenter", "--processor=faculty", "--mode=create"]
    with pytest.raises(CommandError):
        watch(store, *arguments, out=out)

    assert "refused: " in out.getvalue()
    assert reason in out.getvalue()
    assert (store.status().failed, store.status().waiting) == (1, 0)
    assert center.get_pending_files() == []
    assert not ImportRun.objects.exists()


def test_a_table_whose_worker_died_after_the_upload_does_not_come_twice(store, center):
    put(store, "f.csv", TABLE)
    center.upload("f.csv", TABLE)

    watch(store, "--to=datacenter")

    assert [file.name for file in center.get_pending_files()] == ["f.csv"]


def test_another_table_of_the_same_name_gets_a_name_of_its_own(store, center):
    put(store, "f.csv", TABLE + b"F2,Arts\n")
    center.upload("f.csv", TABLE)

    said = watch(store, "--to=datacenter")

    names = {file.name for file in center.get_pending_files()}
    (other,) = names - {"f.csv"}
    assert f" s: waits in the data center, as {other!r}\n" in said


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--to=nothing.there"], "nothing"),
        (["--to=os.sep"], "cannot be called"),
        (["--to=os.getcwd", "--user=ada"], "--user is for"),
        (["--to=os.getcwd", "--recipient=a.b:1"], "--recipient is for"),
        (["--to=delivery", "--processor=p", "--mode=create"], "for the data center"),
        (["--to=datacenter", "--processor=p"], "Give both"),
        (
            ["--to=datacenter", "--processor=nobody", "--mode=create"],
            "no processor 'nobody'; there are: .*faculty",
        ),
        (
            ["--to=datacenter", "--processor=faculty", "--mode=make"],
            "'make' is no mode; choose one of create, ",
        ),
        (["--to=delivery", "--user=nobody"], "There is no user 'nobody'"),
        (["--to=delivery", "--recipient=recipients.Department:7"], "Department:7"),
        (["--to=delivery", "--recipient=no.Model:7"], "school.Assignment:7"),
    ],
)
def test_arguments_that_fit_nothing_are_refused_before_a_file_is_taken(
    store, center, arguments, reason
):
    put(store, "a")

    with pytest.raises(CommandError, match=reason) as caught:
        watch(store, *arguments)

    assert caught.value.returncode == 2
    assert store.status().waiting == 1


@pytest.mark.parametrize(
    ("processor", "reason"),
    [("faculty", "ada may not create with"), ("nobody", "there are: .*faculty")],
)
def test_who_may_not_import_is_told_before_a_file_is_taken(
    store, center, processor, reason
):
    User.objects.create_user("ada")
    put(store, "f.csv", TABLE)

    how = [f"--processor={processor}", "--mode=create", "--user=ada"]
    with pytest.raises(CommandError, match=reason) as caught:
        watch(store, "--to=datacenter", *how)

    assert caught.value.returncode == 2
    assert store.status().waiting == 1


def test_without_a_data_center_no_file_is_taken(store, settings):
    settings.DELIVERY_STORE_DATACENTER_ROOT = None
    put(store, "f.csv", TABLE)

    with pytest.raises(CommandError, match="DATACENTER_ROOT is not set") as caught:
        watch(store, "--to=datacenter")

    assert caught.value.returncode == 2
    assert store.status().waiting == 1


def test_names_cannot_do_anything_to_a_terminal(store):
    Path(store.path / "new" / "a\x1b[2J").write_text("x")

    said = to_own(store)

    assert "\x1b" not in said
    assert os.listdir(store.path / "new") == []  # noqa: PTH208
