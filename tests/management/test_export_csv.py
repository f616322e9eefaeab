"""The command that exports, to a file or to whoever reads what it prints."""

from __future__ import annotations

import io
import os
import signal
import sys
from functools import partial

import pytest
from django.core.management import CommandError, call_command

from deliverystore.datacenter import exports, open_table
from deliverystore.models import Export, leases
from tests.management.running import printed
from tests.school.models import Faculty

pytestmark = pytest.mark.django_db
ROWS = b"code,name\r\nA,=1\r\nB,\r\n"


@pytest.fixture(autouse=True)
def faculties():
    Faculty.objects.create(code="A", name="=1")
    Faculty.objects.create(code="B")


run = partial(printed, "export_csv")


def test_it_prints_the_bytes_of_the_file(capfdbinary):
    call_command("export_csv", "faculty", stdout=sys.stdout)

    assert capfdbinary.readouterr().out == ROWS


def test_what_was_written_is_told_beside_the_data(capfdbinary):
    call_command("export_csv", "faculty", stdout=sys.stdout)

    out, err = capfdbinary.readouterr()
    assert out == ROWS
    assert err.decode() == f"2 rows, {len(ROWS)} bytes.\n"


def test_a_file_is_written_with_how_much_and_where(tmp_path):
    path = tmp_path / "f.csv"

    assert run("faculty", "--to", path) == f"2 rows, {len(ROWS)} bytes: {path}\n"
    assert path.read_bytes() == ROWS
    assert run("faculty", "--to", path, "--replace", "--verbosity", 0) == ""
    one = run("faculty", "--to", path, "--replace", "--filter", "code=A")
    assert one.startswith("1 row, ")


@pytest.mark.parametrize("name", ["f.ods", "f.TSV", "f.csv.gz"])
def test_a_file_that_ends_like_another_format_is_refused(tmp_path, name):
    path = tmp_path / name

    said = run("faculty", "--to", path, code=2)

    assert "ends with one of .csv, .xlsx, or say the format by --format" in said
    assert not path.exists()


def test_a_name_without_an_end_is_that_of_a_csv_file(tmp_path):
    path = tmp_path / "faculties"

    run("faculty", "--to", path)

    assert path.read_bytes() == ROWS


def test_the_end_of_its_name_says_that_it_is_a_workbook(tmp_path):
    path = tmp_path / "f.XLSX"

    run("faculty", "--to", path)

    with path.open("rb") as file:
        assert [one.cells for one in open_table(file)] == [["A", "=1"], ["B", ""]]


def test_what_is_asked_for_counts_more_than_the_name(tmp_path):
    path = tmp_path / "f.xlsx"

    run("faculty", "--to", path, "--format", "csv")

    assert path.read_bytes() == ROWS


def test_for_a_spreadsheet_formulas_are_neutralised(tmp_path):
    path = tmp_path / "f.csv"

    run("faculty", "--to", path, "--spreadsheet")

    assert path.read_bytes() == b"\xef\xbb\xbf" + ROWS.replace(b"=1", b"'=1")


def test_filters_choose_the_objects(tmp_path):
    path = tmp_path / "f.csv"

    run("faculty", "--to", path, "--filter", "code=B", "--filter", "name=")

    assert path.read_bytes() == b"code,name\r\nB,\r\n"


def test_a_file_is_replaced_only_if_that_is_said(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("old")

    assert "f.csv exists; --replace replaces it" in run("faculty", "--to", path, code=2)
    assert path.read_text() == "old"
    run("faculty", "--to", path, "--replace")
    assert path.read_bytes() == ROWS


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nobody"], "Could not export nobody: There is no processor 'nobody'"),
        (["faculty", "--filter", "x=1"], "There is no field 'x'"),
        (["faculty", "--to", "/nowhere-at-all/f.csv"], "/nowhere-at-all is no folder"),
        (["faculty"], "standard output takes no bytes"),
        ([], "Name a processor"),
        (["faculty", "--resume"], "Name a processor"),
    ],
)
def test_what_cannot_be_exported_ends_with_2(arguments, reason):
    assert reason in run(*arguments, code=2)


@pytest.mark.parametrize("text", ["code", "=A", ""])
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(CommandError, match=f"'{text}' is no filter; write field=value"):
        call_command("export_csv", "faculty", "--filter", text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_nothing_is_left(tmp_path, monkeypatch, number):
    path = tmp_path / "f.csv"
    monkeypatch.setattr("deliverystore.datacenter.exports.exporters._FIRST_BATCH", 1)
    monkeypatch.setattr(
        "deliverystore.management.progress.Progress.advance",
        lambda bar, count=1: os.kill(os.getpid(), number),
    )

    assert "Interrupted" in run("faculty", "--to", path, code=2)
    assert list(tmp_path.iterdir()) == []


def test_a_bar_counts_the_rows(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "deliverystore.management.progress.Progress.advance",
        lambda bar, count=1: seen.append(count),
    )

    call_command("export_csv", "faculty", stdout=io.TextIOWrapper(io.BytesIO()))

    assert sum(seen) == 2


def test_exports_that_wait_are_done(center):
    waiting = exports.start_export("faculty", enqueue=False)
    leases.take(exports.start_export("student", enqueue=False))

    assert run("--resume") == f"{waiting}: 2 rows\n"
    assert run("--resume") == ""
    assert sorted(one.state for one in Export.objects.all()) == ["finished", "running"]


def test_one_that_fails_does_not_stop_the_others(center, monkeypatch):
    broken = exports.start_export("faculty", enqueue=False)
    Export.objects.filter(pk=broken.pk).update(processor="gone")
    waiting = exports.start_export("faculty", enqueue=False)

    said = run("--resume", code=2)

    assert "Could not do 1 export." in said
    assert "There is no processor 'gone'" in said
    waiting.refresh_from_db()
    assert waiting.state == "finished"


def test_interrupted_exports_wait_again(center, monkeypatch):
    export = exports.start_export("faculty", enqueue=False)
    monkeypatch.setattr("deliverystore.datacenter.exports.exporters._FIRST_BATCH", 1)
    monkeypatch.setattr(
        "deliverystore.management.progress.Progress.advance",
        lambda bar, count=1: os.kill(os.getpid(), signal.SIGTERM),
    )

    assert "Interrupted" in run("--resume", code=2)
    export.refresh_from_db()
    assert export.state == "waiting"
