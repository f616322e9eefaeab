"""Files that come in: stored whole, checked, limited, and made known."""

from __future__ import annotations

import io
import sys

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from hypothesis import given
from hypothesis import strategies as st

from deliverystore.datacenter import Code, DataCenter, Layout, OnTaken, Uploaded, runs
from deliverystore.exceptions import (
    FileExists,
    FileTooLarge,
    InvalidName,
    MissingExtra,
    NotPermitted,
    RunBusy,
    RunRefused,
    TooManyFiles,
)
from deliverystore.models import DataFileInfo
from deliverystore.signals import datafile_uploaded
from tests.datacenter.csvfiles import faculties, table
from tests.datacenter.places import (
    PLACES,
    Fuse,
    Killed,
    content_of,
    fragile_centers,
    hidden_in,
    names_in,
    put,
    read,
)
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

BYTES = b"id,name\n1,Ada\n"


@pytest.fixture(params=PLACES)
def any_center(request, tmp_path):
    return DataCenter(PLACES[request.param](tmp_path / "center"))


@pytest.fixture
def heard():
    """Collect what the signal tells."""
    told = []

    def receiver(sender, **arguments):
        told.append((sender, arguments))

    datafile_uploaded.connect(receiver)
    yield told
    datafile_uploaded.disconnect(receiver)


def uploader(*permissions):
    user = UserFactory.create()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


# -- What is found when it is checked ----------------------------------------------


def test_an_upload_says_how_the_file_is_written_and_what_it_holds(any_center):
    file = any_center.upload("N.csv", "id;name\n1;Ada\n;\n2;Grace\n")

    assert isinstance(file, Uploaded)
    assert file.report.is_sound
    assert file.report.layout == Layout(
        encoding="utf-8", delimiter=";", quote='"', header_line=1
    )
    assert file.report.header == ("id", "name")
    assert [record.cells for record in file.report.sample][-1] == ["2", "Grace"]
    assert (file.records, file.report.blank, file.earlier) == (3, 1, None)


def test_the_number_of_records_is_known_from_then_on(any_center):
    any_center.upload("N.csv", BYTES)

    assert any_center.get_pending_files()[0].records == 1


def test_all_that_is_wrong_is_told_with_its_place_and_the_file_is_kept(any_center):
    text = "id,name,Name\n1\n2,M\0x,\n3,x,y,z\n"

    file = any_center.upload("N.csv", text)

    assert list(map(str, file.report.problems)) == [
        "line 1, column 3 (Name): column 2 has the same name, if case and blanks do "
        "not count",
        "line 2, record 1, column 2 (name): the row has 1 of 3 cells",
        "line 3, record 2, column 2 (name): there is a NUL character, which no text "
        "has",
        "line 4, record 3, column 4: the row has 4 cells; the header names 3 columns",
    ]
    assert read(any_center, "N.csv") == text


def test_of_many_problems_the_first_hundred_are_told_and_all_are_counted(center):
    file = center.upload("N.csv", ["a,b\n", "1\n" * 250])

    assert (len(file.report.problems), file.report.problem_count) == (100, 250)


def test_another_encoding_is_offered_and_tried_when_declared(any_center):
    content = "id,name\n1,Müller\n2,Größe\n3,Schön\n".encode("cp1252")

    file = any_center.upload("N.csv", content)

    assert {one.code for one in file.report.problems} == {Code.ENCODING}
    assert file.report.offers[0].encoding == "cp1252"
    again = any_center.check("N.csv", Layout(encoding="cp1252"))
    assert again.is_sound
    assert again.sample[0].cells == ["1", "Müller"]


@pytest.mark.parametrize("content", ["", "\n \n", "id,name\n", "id,name\n,\n"])
def test_a_file_without_data_is_told_and_kept(center, content):
    file = center.upload("N.csv", content)

    assert file.report.problems[0].code in {Code.NO_HEADER, Code.NO_DATA}
    assert read(center, "N.csv") == content


def test_tabs_are_taken_in_a_file_that_says_so_by_its_name(center):
    file = center.upload("N.TSV", "a,b\tc\n1\t2\n")

    assert file.report.header == ("a,b", "c")


def test_a_workbook_is_checked_as_well(any_center):
    pytest.importorskip("python_calamine")
    from tests.datacenter.test_sheets import HEADER, text, workbook

    row = f'<row r="2">{text("A2", "Ada")}{text("B2", "1")}</row>'
    file = any_center.upload("N.XLSX", workbook(HEADER + row).getvalue())

    assert (file.report.layout.sheet, file.records) == ("One", 1)
    assert any_center.upload("no.xlsx", b"PK\x03\x04").report.problems[0].code == (
        Code.WORKBOOK_DAMAGED
    )


def test_a_workbook_that_nobody_can_read_here_is_not_kept(any_center, monkeypatch):
    pytest.importorskip("python_calamine")
    from tests.datacenter.test_sheets import HEADER, workbook

    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtra, match=r"deliverystore\[xlsx\]"):
        any_center.upload("N.xlsx", workbook(HEADER).getvalue())

    assert content_of(any_center) == {}


@given(content=st.binary(max_size=200), name=st.sampled_from(["N.csv", "N.tsv"]))
def test_whatever_comes_is_kept_byte_by_byte(content, name):
    with transaction.atomic():
        center = DataCenter(InMemoryStorage())
        file = center.upload(name, ContentFile(content))

        assert b"".join(center.place.chunks(name)) == content
        assert center.get_file(name).records == file.records == file.report.records
        transaction.set_rollback(True)


# -- Limits ------------------------------------------------------------------------


def test_a_file_with_too_many_bytes_is_refused_and_leaves_nothing(any_center, settings):
    settings.DELIVERY_STORE_DATACENTER_MAX_FILE_BYTES = 1000
    rest = iter([b"a\n" * 500, b"a", b"never asked for"])

    with pytest.raises(FileTooLarge) as raised:
        any_center.upload("N.csv", rest)

    assert str(raised.value) == (
        "'N.csv' is refused: a file can have at most 1,000 bytes."
    )
    assert list(rest) == [b"never asked for"]
    assert content_of(any_center) == {}
    assert any_center.upload("N.csv", b"a\n" * 500).size == 1000


def test_when_twenty_files_wait_the_next_one_is_refused(any_center):
    for number in range(19):
        put(any_center, f"{number}.csv")
    for name in ("readme.txt", ".hidden.csv", "finished/a.csv", "unfinished/b.csv"):
        put(any_center, name)
    any_center.upload("20.csv", BYTES)

    with pytest.raises(TooManyFiles) as raised:
        any_center.upload("21.csv", BYTES)

    assert str(raised.value) == (
        "'21.csv' is refused: 20 files wait already; import or delete some of them "
        "first."
    )
    any_center.delete("3.csv")
    assert any_center.upload("21.csv", BYTES).name == "21.csv"


def test_how_many_may_wait_is_a_setting(center, settings):
    settings.DELIVERY_STORE_DATACENTER_MAX_WAITING = None
    for number in range(25):
        center.upload(f"{number}.csv", BYTES)

    settings.DELIVERY_STORE_DATACENTER_MAX_WAITING = 0
    with pytest.raises(TooManyFiles):
        center.upload("N.csv", BYTES)


def test_how_long_a_name_may_be_is_a_setting(center, settings):
    settings.DELIVERY_STORE_DATACENTER_MAX_NAME_BYTES = 10

    with pytest.raises(InvalidName, match="too long: at most 10 bytes are allowed"):
        center.upload("students.csv", BYTES)
    assert center.upload("pupils.csv", BYTES).name == "pupils.csv"
    assert center.upload("pupils.create.pending.csv", BYTES)


def test_a_pending_file_keeps_its_name(any_center):
    file = any_center.upload("my N.update.pending.CSV", BYTES)

    # Spelled as a run spells it.
    assert file.name == "my_N.update.pending.csv"


def test_a_pending_file_that_was_corrected_elsewhere_takes_the_place_of_the_old(center):
    center.upload("f.csv", table(("A" * 11, "x"), header=("Code", "name")))
    first = runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))
    corrected = read(center, first.pending_file).replace("A" * 11, "A")

    center.delete(first.pending_file)
    file = center.upload(first.pending_file, corrected)
    second = runs.work(runs.start_run(file.relative_path, enqueue=False))

    assert (second.parent, second.state, second.created) == (first, "finished", 1)


# -- Rows that a run has left, mended ----------------------------------------------


@pytest.fixture
def left(center):
    """The run of a file of which one row failed."""
    center.upload("f.csv", table(("A" * 11, "x"), header=("code", "name")))
    return runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))


def mended(center, run):
    return read(center, run.pending_file).replace("A" * 11, "A")


def test_mended_rows_take_the_place_of_those_that_wait(center, left):
    old = read(center, left.pending_file)
    new = mended(center, left)

    file = center.upload(left.pending_file, new, on_taken=OnTaken.REPLACE_PENDING)

    assert (file.relative_path, file.records) == (left.pending_file, 1)
    assert read(center, left.pending_file) == new
    assert read(center, f"deleted/{left.pending_file}") == old
    assert hidden_in(center) == []
    again = runs.work(runs.start_run(file.relative_path, enqueue=False))
    assert (again.parent, again.state, again.created) == (left, "finished", 1)
    left.refresh_from_db()
    assert left.state == "retried"


def test_rows_that_a_run_has_left_are_not_kept_under_a_name_nobody_knows(center, left):
    before = content_of(center)

    for on_taken in (OnTaken.RENAME, OnTaken.REFUSE):
        with pytest.raises(FileExists, match=f"import {left.pk} has left"):
            center.upload(left.pending_file, BYTES, on_taken=on_taken)

    assert content_of(center) == before


@pytest.mark.parametrize(
    "name",
    [
        "f.create.pending (1).csv",
        "f.create.pending(2).csv",
        "f.create.pending - Copy.csv",
        "f.Create.Pending_2.CSV",
        "f.create.pending.csv.csv",
    ],
)
def test_mended_rows_are_known_by_nearly_their_name(center, left, name):
    before, new = content_of(center), mended(center, left)

    for on_taken in (OnTaken.RENAME, OnTaken.REFUSE):
        with pytest.raises(FileExists, match=f"rows that import {left.pk} has left"):
            center.upload(name, new, on_taken=on_taken)
    assert content_of(center) == before

    file = center.upload(name, new, on_taken=OnTaken.REPLACE_PENDING)
    assert (file.relative_path, file.left_by) == (left.pending_file, left)
    assert read(center, left.pending_file) == new


@pytest.mark.parametrize("name", ["f.create.pending.xlsx", "f.create.pending (1).tsv"])
@pytest.mark.parametrize("on_taken", OnTaken)
def test_mended_rows_are_to_be_csv(center, left, name, on_taken):
    before = content_of(center)

    with pytest.raises(
        FileExists, match=f"save them as CSV, named {left.pending_file}"
    ):
        center.upload(name, BYTES, on_taken=on_taken)

    assert content_of(center) == before


@pytest.mark.parametrize(
    "name",
    ["f.create.pending (1).csv", "f.update.pending.xlsx", "f.create.pendings.csv"],
)
def test_if_no_rows_are_left_a_name_is_only_a_name(center, left, name):
    if name.startswith("f.create.pending ("):
        runs.discard(left, "over")

    assert center.upload(name, table(("A", "x"))).left_by is None


def test_a_file_with_errors_under_quite_another_name_is_pointed_out(center, left):
    file = center.upload("mended.csv", mended(center, left))

    assert file.seems_left
    assert not center.upload("other.csv", BYTES).seems_left


@pytest.mark.parametrize("name", ["N.csv", "N.create.pending.csv"])
def test_nothing_else_makes_room(center, name):
    center.upload(name, BYTES)

    with pytest.raises(FileExists):
        center.upload(name, b"x", on_taken=OnTaken.REPLACE_PENDING)

    assert content_of(center) == {name: BYTES.decode()}


def test_only_who_may_import_the_rows_replaces_them(center, left):
    before = content_of(center)
    may = ["upload_datafile", "run_import", "delete_datafile"]

    with pytest.raises(NotPermitted, match=f"import {left.pk}"):
        center.upload(
            left.pending_file,
            iter([b"a"]),
            on_taken=OnTaken.REPLACE_PENDING,
            user=uploader(*may, "add_student"),
        )
    assert content_of(center) == before

    center.upload(
        left.pending_file,
        mended(center, left),
        on_taken=OnTaken.REPLACE_PENDING,
        user=uploader("upload_datafile", "run_import", "add_faculty"),
    )


def test_rows_that_are_being_imported_are_not_replaced(center, left):
    runs.start_run(left.pending_file, enqueue=False)
    before = content_of(center)

    with pytest.raises(RunBusy):
        center.upload(left.pending_file, BYTES, on_taken=OnTaken.REPLACE_PENDING)

    assert (content_of(center), hidden_in(center)) == (before, [])


def test_rows_that_were_given_up_meanwhile_are_not_replaced(center, left):
    def data():
        runs.discard(left, "too late")
        yield BYTES

    with pytest.raises(RunRefused, match="not left any more"):
        center.upload(left.pending_file, data(), on_taken=OnTaken.REPLACE_PENDING)

    assert not center.place.exists(left.pending_file)
    assert hidden_in(center) == []


def test_what_breaks_off_replaces_nothing(center, left, settings):
    settings.DELIVERY_STORE_DATACENTER_MAX_FILE_BYTES = 5
    before = content_of(center)

    with pytest.raises(FileTooLarge):
        center.upload(left.pending_file, BYTES, on_taken=OnTaken.REPLACE_PENDING)

    assert (content_of(center), hidden_in(center)) == (before, [])


def test_to_replace_takes_no_room(center, left, settings):
    settings.DELIVERY_STORE_DATACENTER_MAX_WAITING = 1

    center.upload(left.pending_file, BYTES, on_taken=OnTaken.REPLACE_PENDING)

    assert read(center, left.pending_file) == BYTES.decode()


@pytest.mark.parametrize("kind", ["folder", "storage", "replacing"])
def test_killed_while_it_replaces_one_of_the_two_waits_and_the_old_one_is_kept(
    tmp_path, center, left, kind
):
    name, old = left.pending_file, read(center, left.pending_file)
    new = mended(center, left)
    fuse, moment = Fuse(), 0
    make = fragile_centers(tmp_path, fuse)[kind]
    while True:
        fragile = make()
        put(fragile, name, old)
        try:
            with fuse.blows_at(moment):
                fragile.upload(name, new, on_taken=OnTaken.REPLACE_PENDING)
        except Killed:
            found = content_of(fragile)
            assert old in found.values()
            if kind == "folder":
                assert found[name] in (old, new)
        else:
            break
        moment += 1
    assert moment > 5


# -- Permission --------------------------------------------------------------------


def test_who_may_not_upload_is_refused_before_a_byte_is_read(center):
    data = iter([b"a"])

    for user in (AnonymousUser(), uploader("run_import")):
        with pytest.raises(NotPermitted, match="may not upload"):
            center.upload("N.csv", data, user=user)

    assert (list(data), names_in(center)) == ([b"a"], [])


def test_who_may_upload_does(center, caplog):
    caplog.set_level("INFO", "deliverystore.datacenter")
    user = uploader("upload_datafile")

    center.upload("N.csv", "id,name\n1,Ada\n2\n", user=user)

    assert caplog.messages == [
        f"upload 'N.csv' user='{user.username}' bytes=16 rows=2 problems=1"
    ]


# -- The same bytes ----------------------------------------------------------------


def test_the_same_bytes_are_kept_with_a_warning_that_names_the_earlier_file(any_center):
    any_center.upload("other.csv", b"id,name\n2,Bob\n")
    first = any_center.upload("first.csv", BYTES)

    again = any_center.upload("again.csv", io.BytesIO(BYTES))

    assert (first.earlier, again.earlier.name) == (None, "first.csv")
    assert again.earlier.relative_path == "first.csv"
    date = date_format(timezone.localtime(again.earlier.date), "DATETIME_FORMAT")
    told = f"The same bytes came before, on {date}, as 'first.csv'."
    assert str(again.earlier) == told
    assert read(any_center, "again.csv") == BYTES.decode()


def test_the_warning_says_where_the_earlier_file_is_now(any_center):
    any_center.upload("N.csv", BYTES)
    deleted = any_center.delete("N.csv")
    again = any_center.upload("N.csv", BYTES)
    assert again.earlier.relative_path == deleted == "deleted/N.csv"

    any_center.place.move("N.csv", "finished/N.csv")
    third = any_center.upload("M.csv", BYTES)
    assert third.earlier.relative_path == "finished/N.csv"

    put(any_center, "finished/N.csv", "id,name\n1,Bob\n")
    any_center.place.delete("deleted/N.csv")
    any_center.place.delete("M.csv")
    fourth = any_center.upload("O.csv", BYTES)
    assert (fourth.earlier.name, fourth.earlier.relative_path) == ("M.csv", "")


def test_bytes_that_were_imported_are_known_also_when_their_name_was_used_again(center):
    text = table(*faculties(2))
    center.upload("f.csv", text)
    runs.work(runs.start_run("f.csv", "faculty", "create", enqueue=False))
    center.delete("finished/f.csv")
    center.delete("finished/f.create.finished.csv")
    center.upload("f.csv", BYTES)

    again = center.upload("g.csv", text)

    assert again.earlier.name == "f.csv"
    assert again.earlier.relative_path == "deleted/finished/f.csv"


def test_a_file_with_other_bytes_that_was_dropped_in_is_not_taken_for_an_upload(center):
    center.upload("N.csv", BYTES)
    put(center, "N.csv", "id,name\n1,Bob\n2,Eve\n")
    center.count_records("N.csv", lambda file: 2)

    assert DataFileInfo.objects.get().digest == ""
    assert center.upload("M.csv", BYTES).earlier is None


# -- One name ----------------------------------------------------------------------


def test_an_upload_that_is_overtaken_is_refused_without_a_path(any_center):
    def chunks():
        yield BYTES
        any_center.place.create(["N.csv"], [b"faster"])

    with pytest.raises(FileExists) as raised:
        any_center.upload("N.csv", chunks())

    assert str(raised.value) == (
        "'N.csv' is refused. The name is taken: a file of this name waits to be "
        "imported. Give yours another name, or have it kept under a free one."
    )
    assert content_of(any_center) == {"N.csv": "faster"}


def test_an_upload_that_is_overtaken_gets_the_next_name_if_asked(any_center):
    def chunks():
        yield BYTES
        any_center.place.create(["N.csv"], [b"faster"])

    file = any_center.upload("N.csv", chunks(), on_taken=OnTaken.RENAME)

    assert content_of(any_center) == {"N.csv": "faster", "N_2.csv": BYTES.decode()}
    assert (file.name, file.records) == ("N_2.csv", 1)


# -- The news ----------------------------------------------------------------------


def test_a_signal_tells_of_an_upload_once_it_is_committed(
    center, heard, django_capture_on_commit_callbacks
):
    user = uploader("upload_datafile")

    with django_capture_on_commit_callbacks(execute=True):
        file = center.upload("N.csv", BYTES, user=user)
        assert heard == []

    assert heard[0][0] is DataCenter
    del heard[0][1]["signal"]
    assert heard[0][1] == {"center": center, "file": file, "user": user}


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_is_rolled_back_is_not_told_and_not_lost(center, heard):
    with transaction.atomic():
        center.upload("N.csv", BYTES)
        transaction.set_rollback(True)

    assert heard == []
    assert names_in(center) == ["N.csv"]
    assert center.get_pending_files()[0].records is None


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_fails_does_not_make_an_upload_fail(center, caplog):
    def receiver(**arguments):
        raise RuntimeError("no")

    datafile_uploaded.connect(receiver)
    try:
        file = center.upload("N.csv", BYTES)
    finally:
        datafile_uploaded.disconnect(receiver)

    assert file.name == "N.csv"
    assert "RuntimeError: no" in caplog.text


# -- Costs -------------------------------------------------------------------------


def test_an_upload_costs_as_many_queries_with_many_files_as_with_none(
    center, settings, django_assert_num_queries
):
    settings.DELIVERY_STORE_DATACENTER_MAX_WAITING = None
    user = uploader("upload_datafile")
    for number in range(30):
        center.upload(f"{number}.csv", f"a\n{number}\n")

    # Two for the permission, two for the same bytes, one to remember them.
    with django_assert_num_queries(5):
        center.upload("N.csv", BYTES, user=user)
