"""The commands that import a file, and that say how it has to look."""

from __future__ import annotations

import json
import os
import re
import signal
from functools import partial
from io import BytesIO, StringIO

import pytest
import xlsxwriter
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.management import CommandError, call_command

from deliverystore.datacenter import runs
from deliverystore.management.progress import Progress, progress
from deliverystore.models import ImportRun, leases
from tests.datacenter.csvfiles import faculties, table
from tests.datacenter.imports import start, work_killed
from tests.datacenter.places import names_in, put, read
from tests.factories import UserFactory
from tests.management.running import printed
from tests.school.models import Faculty

pytestmark = pytest.mark.django_db


run = partial(printed, "import_csv")


def workbook(*rows):
    file = BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("One")
        for number, row in enumerate([("code", "name"), *rows]):
            sheet.write_row(number, 0, row)
    return file.getvalue()


def test_a_file_from_elsewhere_is_imported(center, tmp_path):
    path = tmp_path / "f.csv"
    path.write_text(table(*faculties(3)))

    said = run(path, "--processor", "faculty", "--mode", "create")

    assert "import" in said
    assert "3  finished" in said
    assert Faculty.objects.count() == 3
    assert "finished/f.csv" in names_in(center)


def test_a_file_that_is_refused_comes_again_when_it_is_corrected(center, tmp_path):
    path = tmp_path / "f.csv"
    options = ("--processor", "faculty", "--mode", "create")
    path.write_text("name\nArts\n")
    assert "“code” is missing" in run(path, *options, code=2)
    path.write_text(table(*faculties(3)))

    assert "3  finished" in run(path, *options)
    assert "deleted/f.csv" in names_in(center)


def test_a_dry_run_says_why_rows_fail(center):
    rows = [("too-long-\x1b-code", "x"), *faculties(3), ("too-long-\x1b-code", "y")]
    put(center, "f.csv", table(*rows))

    said = run(
        "f.csv", "--processor", "faculty", "--mode", "create", "--dry-run", code=1
    )

    assert re.search(
        r"^ +2  code: Ensure this .+ \(first in record 1\)$", said, re.MULTILINE
    )
    assert "\x1b" not in said
    assert not Faculty.objects.exists()


def test_rows_that_fail_are_told_with_the_exit_code_1(center):
    put(center, "f.csv", table(*faculties(3, bad={1})))

    said = run("f.csv", "--processor", "faculty", "--mode", "create", code=1)

    path = f"{center.location}/f.create.pending.csv"
    assert f"1 row of f.csv is not in, see {path}." in said


def test_where_the_failed_rows_are_is_told_from_the_current_folder_on(
    center, tmp_path, monkeypatch
):
    put(center, "f.csv", table(*faculties(3, bad={0, 1})))
    monkeypatch.chdir(tmp_path)

    said = run("f.csv", "--processor", "faculty", "--mode", "create", code=1)

    assert "2 rows of f.csv are not in, see center/f.create.pending.csv." in said
    assert "2 rows of f.create.pending.csv are not in" in run(
        "center/f.create.pending.csv", code=1
    )


def test_a_file_without_rows_is_not_said_to_be_in(center):
    put(center, "f.csv", table())

    said = run("f.csv", "--processor", "faculty", "--mode", "create")

    assert "there are no rows in the file" in said
    assert "all rows are in" not in said


def test_the_same_command_again_says_where_the_failed_rows_wait(center, tmp_path):
    path = tmp_path / "f.csv"
    path.write_text(table(*faculties(3, bad={1})))
    arguments = [path, "--processor", "faculty", "--mode", "create"]
    run(*arguments, code=1)

    said = run(*arguments, code=2)

    number = ImportRun.objects.get().pk
    assert f"1 row of it is left since import {number}, in {center.location}/" in said
    assert "`import_csv f.create.pending.csv`" in said
    assert f"`datacenter_run retry {number}`" in said
    assert f'`datacenter_run discard {number} --reason "…"`' in said
    assert said == run("f.csv", code=2).replace("import f.csv:", f"import {path}:")


def test_rows_that_wait_under_another_name_are_found_by_the_name_of_their_file(center):
    arguments = ["f.csv", "--processor", "faculty", "--mode", "create"]
    put(center, "finished/f.csv")
    put(center, "f.csv", table(*faculties(3, bad={1})))
    run(*arguments, code=1)

    assert "f_2.create.pending.csv" in run(*arguments, code=2)


def test_a_pending_file_that_is_gone_is_named_with_what_writes_it_again(center):
    name = "f.create.pending.csv"
    runs.work(start(center, *faculties(3, bad={1})))
    center.place.delete(name)

    said = run(name, code=2)

    number = ImportRun.objects.get().pk
    assert f"{name} is gone. `datacenter_run retry {number}` writes it again" in said
    assert "there is no such file" in run("g.create.pending.csv", code=2)
    assert "Errno" not in said


@pytest.mark.parametrize("is_there", [True, False])
def test_a_header_in_another_encoding_is_refused_with_those_that_fit(
    center, tmp_path, is_there
):
    path = tmp_path / "f.csv"
    path.write_bytes("code,name,Größe\nA,Müller,1\n".encode("cp1252"))
    if is_there:
        put(center, "f.csv")
        center.place.replace("f.csv", [path.read_bytes()])

    said = run(path, "--processor", "faculty", "--mode", "create", code=2)

    assert "is no character in utf-8" in said
    assert re.search(r"try --encoding cp1252 \(or .+\)\.$", said)


def test_the_line_of_the_header_can_be_said(center):
    center.place.replace("f.csv", [b"Faculties\n\ncode,name\nA,One\n"])
    arguments = ("f.csv", "--processor", "faculty", "--mode", "create")

    run(*arguments, "--header-line", "3")

    assert Faculty.objects.get().name == "One"
    center.place.replace("f.csv", [b"code,name\nA,One\n"])
    with pytest.raises(CommandError, match="no row is left in line 9 or below"):
        run(*arguments, "--header-line", "9")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_recognised(center, encoding):
    center.place.replace("f.csv", ["code,name\nЯ,Б\n".encode(encoding)])
    arguments = ["f.csv", "--processor", "faculty", "--mode", "create"]

    said = run(*arguments, code=2)
    assert "which no text has. It may be in another encoding" in said
    assert said.endswith(f"try --encoding {encoding}.")
    run(*arguments, "--encoding", encoding)
    assert Faculty.objects.get().code == "Я"


def test_rows_in_another_encoding_fail_with_what_to_do_about_it(center):
    content = "code,name\nA,Arts\nB,Müller\n".encode("cp1252")
    arguments = ["f.csv", "--processor", "faculty", "--mode", "create"]
    center.place.replace("f.csv", [content])
    tried = run(*arguments, "--dry-run", code=1)

    said = run(*arguments, code=1)

    for one in (tried, said):
        assert "try --encoding cp1252" in one
    assert "under another name and with --mode upsert" in said
    assert "under another name" not in tried
    center.place.replace("g.csv", [content])
    arguments = ["g.csv", "--processor", "faculty", "--mode", "upsert"]
    run(*arguments, "--encoding", "cp1252")
    assert Faculty.objects.get(code="B").name == "Müller"


def test_a_mapping_of_a_column_that_is_not_there_is_refused(center):
    put(center, "f.csv", table(("A", "x"), header=("Code", "name")))
    arguments = ["f.csv", "--processor", "faculty", "--mode", "create"]

    said = run(*arguments, "--map", "Cod=code", code=2)

    assert "no column “Cod”; did you mean “Code”? It has: Code, name." in said
    assert said.endswith("--map COLUMN= leaves it out.")
    assert ";" not in said.partition("did you mean")[2]
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere.csv"], "no such file, nor does one of this name wait"),
        (["nowhere/at/all.csv"], "there is no such file."),
        (["f.csv", "--processor", "nobody", "--mode", "create"], "no processor"),
        (["f.csv", "--processor", "faculty"], "no mode"),
        ([], "Name a file"),
        (["--resume", "--dry-run"], "nor what to do"),
    ],
)
def test_what_cannot_be_imported_ends_with_2(center, arguments, reason):
    put(center, "f.csv", table(*faculties(1)))

    assert reason in run(*arguments, code=2)


def test_columns_are_mapped_and_left_out(center):
    put(center, "f.csv", table(("A", "x"), header=("Code", "dean")))

    arguments = ["--processor", "faculty", "--mode", "create"]
    run("f.csv", *arguments, "--map", "Code=code", "--map", "dean=")

    assert Faculty.objects.get().code == "A"


def test_another_file_of_a_name_that_waits_is_refused(center, tmp_path):
    put(center, "f.csv", table(*faculties(1)))
    path = tmp_path / "f.csv"
    path.write_text(table(*faculties(2)))

    said = run(path, "--processor", "faculty", "--mode", "create", code=2)

    assert f"Could not import {path}" in said
    assert read(center, "f.csv") == table(*faculties(1))
    assert not ImportRun.objects.exists()


def test_a_file_whose_bytes_came_before_is_imported_with_a_warning(center, tmp_path):
    path = tmp_path / "again.csv"
    path.write_text(table(*faculties(2)))
    center.upload("first.csv", path.read_bytes())
    err = StringIO()

    arguments = ["--processor", "faculty", "--mode", "create"]
    call_command("import_csv", str(path), *arguments, stdout=StringIO(), stderr=err)

    assert "as 'first.csv'" in err.getvalue()
    assert Faculty.objects.count() == 2


def test_a_file_from_elsewhere_is_announced_to_nobody(
    center, tmp_path, django_capture_on_commit_callbacks
):
    UserFactory.create(is_superuser=True, email="grace@example.org")
    path = tmp_path / "f.csv"
    path.write_text(table(*faculties(2)))

    with django_capture_on_commit_callbacks(execute=True):
        run(path, "--processor", "faculty", "--mode", "create")

    assert mail.outbox == []


def test_a_file_that_is_too_large_for_the_data_center_is_refused(
    center, tmp_path, settings
):
    settings.DELIVERY_STORE_DATACENTER_MAX_FILE_BYTES = 10
    path = tmp_path / "f.csv"
    path.write_text(table(*faculties(2)))

    said = run(path, "--processor", "faculty", "--mode", "create", code=2)

    assert "at most 10 bytes" in said
    assert names_in(center) == []


def test_an_import_that_breaks_off_ends_with_2_and_says_why(center):
    waiting = start(center, *faculties(1))
    put(center, "f.csv", table(*faculties(2)))

    said = run("f.csv", code=2)

    assert "Could not import f.csv: " in said
    assert "has changed" in said
    waiting.refresh_from_db()
    assert waiting.state == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_the_same_command_goes_on(center, monkeypatch, number):
    put(center, "f.csv", table(*faculties(2)))
    arguments = ["f.csv", "--processor", "faculty", "--mode", "create"]
    monkeypatch.setattr(
        "deliverystore.management.progress.Progress.advance",
        lambda bar, count=1: os.kill(os.getpid(), number),
    )

    said = run(*arguments, code=2)

    assert "Interrupted; the same command goes on where it was." in said
    assert ImportRun.objects.get().state == "waiting"
    monkeypatch.undo()
    assert "2  finished" in run(*arguments)


@pytest.mark.parametrize("text", ["code", "=code", ""])
def test_what_maps_no_column_is_refused(text):
    with pytest.raises(CommandError, match=f"'{text}' is no mapping; write column="):
        call_command("import_csv", "f.csv", "--map", text)


def test_json_has_the_counts(center):
    put(center, "f.csv", table(*faculties(3)))

    arguments = ["--processor", "faculty", "--mode", "create", "--json"]
    said = json.loads(run("f.csv", *arguments, "--dry-run"))

    assert (said["state"], said["rows"], said["created"]) == ("tried", 3, 3)
    assert Faculty.objects.count() == 0


def test_the_same_command_goes_on_with_an_interrupted_import(center, tmp_path):
    text = table(*faculties(6))
    path = tmp_path / "f.csv"
    path.write_text(text)
    interrupted = start(center, *faculties(6))
    work_killed(interrupted, after=1, batch_size=2)

    run(path, "--processor", "faculty", "--mode", "create")

    assert ImportRun.objects.get() == interrupted
    assert Faculty.objects.count() == 6


@pytest.mark.parametrize(
    ("arguments", "other"),
    [
        (["--dry-run"], "dry_run"),
        (["--processor", "student"], "processor"),
        (["--mode", "update", "--on-error", "stop"], "mode, on_error"),
        (["--max-failed", "5%"], "max_failed"),
        (["--map", "name="], "mapping"),
        (["--delimiter", ";"], "layout"),
        (["--user", "ada"], "user"),
    ],
)
def test_what_was_begun_otherwise_is_not_gone_on_with(center, arguments, other):
    UserFactory.create(username="ada", is_superuser=True)
    start(center, *faculties(2))

    said = run("f.csv", *arguments, code=2)

    assert f"was begun with another {other}: go on with that one first" in said
    assert Faculty.objects.count() == 0
    run("f.csv", "--max-failed", "", "--encoding", "UTF8", "--map", "name=name")
    assert Faculty.objects.count() == 2


def test_what_was_to_be_tried_out_is_not_done(center):
    start(center, *faculties(2), dry_run=True)

    assert "another dry_run" in run("f.csv", code=2)
    run("f.csv", "--dry-run")
    assert Faculty.objects.count() == 0


def test_another_file_of_this_name_is_not_taken_for_the_one_that_waits(
    center, tmp_path, monkeypatch
):
    put(center, "f.csv", table(*faculties(1)))
    monkeypatch.chdir(tmp_path)
    here = tmp_path / "f.csv"
    here.write_text(table(*faculties(2)))
    arguments = ["f.csv", "--processor", "faculty", "--mode", "create"]

    assert "here is another one of this name" in run(*arguments, code=2)
    assert not ImportRun.objects.exists()
    here.write_bytes(table(*faculties(1)).encode())
    run(*arguments)
    assert Faculty.objects.count() == 1


def test_it_is_done_in_the_name_of_a_user_who_may(center, tmp_path):
    ada = UserFactory.create(username="ada")
    path = tmp_path / "f.csv"
    path.write_text(table(*faculties(1)))
    arguments = [path, "--processor", "faculty", "--mode", "create", "--user", "ada"]

    assert "may not upload" in run(*arguments, code=2)
    assert names_in(center) == []
    ada.is_superuser = True
    ada.save()
    run(*arguments)

    assert ImportRun.objects.get().user == ada
    assert LogEntry.objects.get().user == ada
    assert "no user 'eve'" in run("f.csv", "--user", "eve", code=2)


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        ("code,name\nF1,Bücher\n".encode("cp1252"), ["--encoding", "cp1252"]),
        (b"code:name\nF1:B\xc3\xbccher\n", ["--delimiter", ":"]),
        (b"code\tname\nF1\tB\xc3\xbccher\n", ["--delimiter", "\\t"]),
    ],
)
def test_how_a_file_is_written_can_be_said(center, content, arguments):
    center.place.replace("f.csv", [content])

    run("f.csv", "--processor", "faculty", "--mode", "create", *arguments)

    assert Faculty.objects.get().name == "Bücher"


@pytest.mark.parametrize("text", ["", "ab", "\n"])
def test_what_is_no_delimiter_is_refused(text):
    with pytest.raises(CommandError, match="is no delimiter; write one character"):
        call_command("import_csv", "f.csv", "--delimiter", text)


def test_the_sheet_of_a_workbook_can_be_said(center):
    center.place.replace("f.xlsx", [workbook(("A", "x"))])
    arguments = ["f.xlsx", "--processor", "faculty", "--mode", "create"]

    assert "there is no sheet Two" in run(*arguments, "--sheet", "Two", code=2)
    run(*arguments, "--sheet", "One")
    assert Faculty.objects.get().code == "A"


def test_a_column_may_be_called_anything(center):
    put(center, "f.csv", table(("A", "x"), header=("a=code", "=name")))

    arguments = ["--processor", "faculty", "--mode", "create"]
    run("f.csv", *arguments, "--map", "a=code=code", "--map", "=name=name")

    assert Faculty.objects.get().code == "A"


@pytest.mark.parametrize("kind", ["file", "workbook", "retry"])
def test_it_is_shown_how_much_is_read(center, monkeypatch, kind):
    shown = []
    monkeypatch.setattr(
        "deliverystore.management.working.progress",
        lambda total, **how: (
            shown.append([total, how["unit"]]) or progress(total, **how)
        ),
    )
    monkeypatch.setattr(Progress, "advance", lambda bar, count=1: shown.append(count))
    arguments = ["f.csv", "--processor", "faculty", "--mode", "create"]
    text = table(*faculties(3, bad={0, 1}))
    center.place.replace("f.csv", [text.encode()])
    if kind == "workbook":
        center.place.replace("f.csv", [workbook(*faculties(3, bad={0, 1}))])

    run(*arguments, code=1)
    if kind == "retry":
        shown.clear()
        runs.retry(ImportRun.objects.get(), enqueue=False)
        run("f.create.pending.csv", code=1)

    assert (
        shown
        == {
            "file": [[len(text), "bytes"], len(text)],
            "workbook": [[None, "rows"], 3],
            "retry": [[2, "rows"], 2],
        }[kind]
    )


def test_all_that_wait_are_done(center):
    start(center, *faculties(2))
    work_killed(
        start(center, ("A", "x"), ("B", "y"), name="g.csv"), after=0, batch_size=1
    )

    run("--resume")

    assert [one.state for one in ImportRun.objects.all()] == ["finished"] * 2
    assert list(runs.left()) == []


def test_an_import_that_breaks_off_keeps_none_of_the_others_waiting(center):
    start(center, *faculties(1))
    put(center, "f.csv", table(*faculties(2)))
    start(center, ("A", "x"), name="g.csv")
    start(center, ("too-long-code", "x"), name="h.csv")

    said = run("--resume", code=2)

    assert "Could not import f.csv: " in said
    assert "1 row of h.csv is not in" in said
    states = ImportRun.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["failed", "finished", "pending"]


def test_what_a_worker_takes_in_the_meantime_is_left_to_it(center, monkeypatch):
    start(center, *faculties(2))
    taken = start(center, ("A", "x"), name="g.csv")
    start(center, ("B", "y"), name="h.csv")
    monkeypatch.setattr(
        "deliverystore.management.progress.Progress.advance",
        lambda bar, count=1: leases.is_left(taken) and leases.take(taken),
    )

    said = run("--resume")

    assert "g.csv" not in said
    states = ImportRun.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["finished", "running", "finished"]


def test_a_worker_that_loses_its_lease_does_not_stop_the_others(center, monkeypatch):
    lost = start(center, *faculties(2))
    start(center, ("A", "x"), name="g.csv")
    others = ImportRun.objects.filter(pk=lost.pk)
    monkeypatch.setattr(
        "deliverystore.management.progress.Progress.advance",
        lambda bar, count=1: others.update(worker="other:1:x"),
    )

    said = run("--resume")

    assert "f.csv" not in said
    states = ImportRun.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["running", "finished"]


def test_the_template_has_what_is_needed_first():
    out = StringIO()
    call_command("csv_template", "student", stdout=out)

    assert out.getvalue() == "matric_no,name,email,admitted_on,fee\r\n"


def test_the_template_of_an_unknown_processor_ends_with_2_and_names_those_there_are():
    with pytest.raises(CommandError) as raised:
        call_command("csv_template", "studnet")

    assert raised.value.returncode == 2
    said = str(raised.value)
    assert "no processor 'studnet'; there are: " in said
    assert said.endswith("Did you mean “student”?")
