"""The data center: its lists, uploads, deleted files, and its place."""

from __future__ import annotations

import datetime
import os
import threading
from datetime import UTC
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone, translation

from deliverystore.datacenter import (
    DataCenter,
    DataCenterFile,
    OnTaken,
    free_names,
    runs,
)
from deliverystore.datacenter.moving import copy_files, remove_copied
from deliverystore.datacenter.places import FolderPlace, place_at
from deliverystore.exceptions import (
    FileDamaged,
    FileExists,
    FileNotFound,
    InvalidName,
    NotPermitted,
    RunBusy,
    SettingInvalid,
)
from deliverystore.models import DataFileInfo
from deliverystore.signals import storage_moved
from tests.datacenter.imports import start
from tests.datacenter.places import (
    PLACES,
    Fuse,
    Killed,
    content_of,
    fragile,
    names_in,
    put,
    read,
)
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def center(tmp_path):
    return DataCenter(tmp_path / "center")


@pytest.fixture(params=PLACES)
def any_center(request, tmp_path):
    return DataCenter(PLACES[request.param](tmp_path / "center"))


def names(files):
    return [file.name for file in files]


def age(center, name, hours):
    """Make a file some hours old."""
    moment = timezone.now().timestamp() - 3600 * hours
    os.utime(Path(center.location) / name, (moment, moment))


# -- A location --------------------------------------------------------------------


def test_a_new_data_center_has_its_folders(tmp_path):
    center = DataCenter(tmp_path / "new" / "center")

    assert center.location == str(tmp_path / "new" / "center")
    assert Path(center.deleted_path).is_dir()
    assert sorted(path.name for path in Path(center.location).iterdir()) == [
        "deleted",
        "finished",
        "logs",
        "unfinished",
    ]
    assert center.get_pending_files() == []


def test_the_settings_say_where_it_is(settings, tmp_path):
    settings.DELIVERY_STORE_DATACENTER_ROOT = tmp_path / "here"
    assert DataCenter().location == str(tmp_path / "here")

    settings.DELIVERY_STORE_DATACENTER_ROOT = "tables"
    settings.DELIVERY_STORE_DATACENTER_STORAGE = "default"
    assert (DataCenter().location, DataCenter().deleted_path) == (
        "tables",
        "tables/deleted",
    )
    assert DataCenter(InMemoryStorage()).deleted_path == "deleted"


def test_without_a_setting_it_says_which_one_is_missing():
    with pytest.raises(SettingInvalid, match="DELIVERY_STORE_DATACENTER_ROOT"):
        DataCenter()


# -- Lists -------------------------------------------------------------------------


def test_a_file_that_another_program_has_dropped_in_is_found(center):
    Path(center.location, "data.csv").write_text("Some Content\n")

    [file] = center.get_pending_files()

    assert isinstance(file, DataCenterFile)
    assert (file.name, file.relative_path, file.size) == ("data.csv", "data.csv", 13)
    assert file.get_size() == "13 bytes"
    assert timezone.is_aware(file.date)
    assert timezone.now() - file.date < datetime.timedelta(minutes=1)


def test_waiting_files_are_sorted_as_asked(any_center):
    for name in ("b.csv", "a.CSV", "c.xlsx"):
        put(any_center, name)

    assert names(any_center.get_pending_files()) == ["a.CSV", "b.csv", "c.xlsx"]
    assert names(any_center.get_pending_files(sort="date")) == [
        "c.xlsx",
        "a.CSV",
        "b.csv",
    ]
    assert names(any_center.get_pending_files(limit=2)) == ["a.CSV", "b.csv"]


def test_the_newest_finished_files_come_first_and_no_more_than_asked_for(center):
    for hours in range(120):
        put(center, f"finished/{hours}.csv")
        age(center, f"finished/{hours}.csv", hours)

    files = center.get_finished_files()

    assert names(files) == [f"{hours}.csv" for hours in range(100)]
    assert files[0].relative_path == "finished/0.csv"
    assert names(center.get_finished_files(limit=2)) == ["0.csv", "1.csv"]


def test_unfinished_files_and_logs_are_listed(any_center):
    put(any_center, "unfinished/N.csv")
    put(any_center, "unfinished/.journal.N.csv")
    put(any_center, "logs/datacenter.log")
    put(any_center, "logs/datacenter.log.1")

    assert names(any_center.get_unfinished_files()) == ["N.csv"]
    assert names(any_center.get_log_files()) == ["datacenter.log", "datacenter.log.1"]


def test_what_else_is_in_the_root_is_neither_listed_nor_followed(center, tmp_path):
    root = Path(center.location)
    (tmp_path / "secret.csv").write_text("secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "other.csv").write_text("other")
    (root / "link.csv").symlink_to(tmp_path / "secret.csv")
    (root / "broken.csv").symlink_to(tmp_path / "nowhere.csv")
    (root / "folder.csv").mkdir()
    (root / "linked.csv").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(root / "fifo.csv")
    (root / ".~lock.N.csv").write_text("")
    (root / "readme.txt").write_text("")
    (root / os.fsdecode(b"caf\xe9.csv")).write_text("")
    (root / "N.csv").write_text("a\r\n")

    assert names(center.get_pending_files()) == ["N.csv"]
    for name in ("link.csv", "broken.csv", "folder.csv", "linked.csv", "fifo.csv"):
        with pytest.raises(FileNotFound):
            center.open(name)
        with pytest.raises(FileNotFound):
            center.delete(name)
    for name in ("../secret.csv", "linked.csv/other.csv", "/etc/passwd"):
        with pytest.raises(InvalidName):
            center.get_file(name)


def test_a_file_that_is_being_written_into_a_storage_is_not_listed():
    storage = InMemoryStorage()
    storage.save(".deliverystore-1", ContentFile(b"ha"))
    storage.save("N.csv", ContentFile(b"a\r\n"))

    center = DataCenter(storage)

    assert [entry.name for entry in center.place.entries()] == ["N.csv"]


def test_a_list_is_one_query_and_reads_no_file(center, django_assert_num_queries):
    for number in range(30):
        put(center, f"{number}.csv")
        Path(center.location, f"{number}.csv").chmod(0)

    with django_assert_num_queries(1):
        assert len(center.get_pending_files()) == 30


def test_records_are_counted_once_until_the_file_changes(any_center):
    counted = []

    def count(file):
        counted.append(file.read())
        return counted[-1].count(b"\n") - 1

    put(any_center, "N.csv", "a\n1\n2\n")
    assert any_center.get_file("N.csv").records is None
    assert any_center.count_records("N.csv", count) == 2
    assert any_center.count_records("N.csv", count) == 2
    assert any_center.get_pending_files()[0].records == 2
    assert counted == [b"a\n1\n2\n"]

    put(any_center, "N.csv", "a\n1\n")
    assert any_center.get_pending_files()[0].records is None
    assert any_center.count_records("N.csv", count) == 1
    assert DataFileInfo.objects.count() == 1


def test_a_number_of_records_goes_with_a_file_that_is_moved(center):
    put(center, "N.csv", "a\n1\n")
    center.count_records("N.csv", lambda file: 1)

    center.delete("N.csv")

    assert center.get_deleted_files()[0].records == 1


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (13, "13 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.00 KB"),
        (1_572_864, "1.50 MB"),
        (1024**2 - 1, "1.00 MB"),
        (3 * 1024**3, "3.00 GB"),
        (5 * 1024**4, "5.00 TB"),
    ],
)
def test_a_size_is_said_in_words(size, words):
    file = DataCenterFile(relative_path="N.csv", size=size, date=timezone.now())

    assert file.get_size() == words


def test_a_size_is_said_as_the_language_of_the_reader_has_it():
    file = DataCenterFile(relative_path="N.csv", size=1_572_864, date=timezone.now())

    with translation.override("de"):
        assert file.get_size() == "1,50 MB"


def test_a_date_is_that_of_the_time_zone_of_the_reader():
    moment = datetime.datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC)
    file = DataCenterFile(relative_path="N.csv", size=1, date=moment)

    with timezone.override("Europe/Berlin"):
        assert file.get_date() == "2026-07-02 00:30:05"


# -- Uploads -----------------------------------------------------------------------


def test_an_upload_waits_under_its_cleaned_name(any_center):
    file = any_center.upload("my students.csv", iter([b"a,b\r\n", "1,ü\r\n"]))

    assert (file.name, file.size) == ("my_students.csv", 11)
    assert names(any_center.get_pending_files()) == ["my_students.csv"]
    assert read(any_center, "my_students.csv") == "a,b\r\n1,ü\r\n"


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ("N.csv", "a file of this name waits to be imported"),
        ("unfinished/N.csv", "a file of this name is unfinished"),
        ("finished/N.csv", "a file of this name is among the finished ones"),
        ("N.update.pending.csv", "rows .* are in 'N.update.pending.csv'"),
    ],
)
def test_an_upload_of_a_taken_name_is_refused_with_what_is_in_its_way(
    any_center, there, why
):
    put(any_center, there, "old")

    with pytest.raises(FileExists, match=f"'N.csv' is refused. The name.*: {why}"):
        any_center.upload("N.csv", b"new")

    assert content_of(any_center) == {there: "old"}


def test_an_upload_of_a_taken_name_is_kept_under_a_free_one_if_asked(any_center):
    put(any_center, "N.csv", "old")
    put(any_center, "finished/N_2.csv", "older")

    file = any_center.upload("N.csv", b"new", on_taken=OnTaken.RENAME)

    assert file.name == "N_3.csv"
    assert read(any_center, "N.csv") == "old"


def test_a_corrected_pending_file_can_be_uploaded_beside_its_original(any_center):
    put(any_center, "unfinished/N.csv")
    put(any_center, "finished/N.create.finished.csv")

    assert any_center.upload("N.create.pending.csv", b"a").name == (
        "N.create.pending.csv"
    )
    with pytest.raises(FileExists):
        any_center.upload("N.create.pending.csv", b"b")


def test_uploads_that_race_for_one_name_are_all_kept_or_told(center):
    place, barrier = center.place, threading.Barrier(8)
    answers = {}

    def upload(number, on_taken):
        def chunks():
            yield b"a\r\n"
            barrier.wait()
            yield f"{number}\r\n".encode()

        try:
            stored = place.create(
                free_names.for_upload(place, "N.csv", on_taken), chunks()
            )
        except FileExists:
            stored = None
        answers[number] = stored

    threads = [
        threading.Thread(
            target=upload,
            args=(number, OnTaken.RENAME if number % 2 else OnTaken.REFUSE),
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = {number: name for number, name in answers.items() if name}
    assert len(set(kept.values())) == len(kept) >= 4
    assert content_of(center) == {
        name: f"a\r\n{number}\r\n" for number, name in kept.items()
    }


def test_an_upload_that_breaks_off_leaves_nothing(any_center):
    def chunks():
        yield b"a\r\n"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        any_center.upload("N.csv", chunks())

    assert content_of(any_center) == {}


# -- Deleting and restoring --------------------------------------------------------


@pytest.mark.parametrize("name", ["N.csv", "finished/N.csv", "unfinished/N.csv"])
def test_a_deleted_file_can_be_restored_to_where_it_was(any_center, name):
    put(any_center, name, "precious")

    deleted = any_center.delete(name)
    assert content_of(any_center) == {f"deleted/{name}": "precious"}
    assert [f.relative_path for f in any_center.get_deleted_files()] == [deleted]

    assert any_center.restore(deleted) == name
    assert content_of(any_center) == {name: "precious"}


def test_files_of_one_name_can_be_deleted_one_after_the_other(any_center):
    for content in ("first", "second"):
        put(any_center, "N.csv", content)
        any_center.delete("N.csv")

    assert content_of(any_center) == {
        "deleted/N.csv": "first",
        "deleted/N_2.csv": "second",
    }


def test_restoring_overwrites_nothing(any_center):
    put(any_center, "N.csv", "first")
    deleted = any_center.delete("N.csv")
    put(any_center, "N.csv", "second")

    with pytest.raises(FileExists, match="stays where it is"):
        any_center.restore(deleted)
    assert any_center.restore(deleted, on_taken=OnTaken.RENAME) == "N_2.csv"

    assert content_of(any_center) == {"N.csv": "second", "N_2.csv": "first"}


def test_what_is_not_there_or_not_deleted_is_neither_deleted_nor_restored(center):
    put(center, "deleted/N.csv")
    put(center, "logs/datacenter.log")
    put(center, "M.csv")

    for name in ("deleted/N.csv", "logs/datacenter.log", "../N.csv"):
        with pytest.raises(InvalidName):
            center.delete(name)
    with pytest.raises(InvalidName):
        center.restore("M.csv")
    with pytest.raises(FileNotFound):
        center.delete("nothing.csv")
    with pytest.raises(FileNotFound):
        center.restore("deleted/nothing.csv")


# -- Another place -----------------------------------------------------------------


@pytest.fixture
def other(tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    return folder


def test_another_place_is_used_from_then_on(center, other):
    put(center, "N.csv")

    assert center.set_storage_path(other) == []

    assert center.location == str(other)
    assert Path(center.deleted_path).is_dir()
    assert center.get_pending_files() == []


def test_all_files_are_moved_with_their_times(center, other):
    before = {
        name: put(center, name, name)
        for name in ("myfile.txt", "N.csv", "finished/N.csv", "deeper/and/deeper.csv")
    }
    age(center, "N.csv", 5)
    date = center.get_file("N.csv").date
    old = DataCenter(center.location)

    assert center.set_storage_path(other, move=True) == []

    assert content_of(center) == before
    assert center.get_file("N.csv").date == date
    assert content_of(old) == {}


def test_what_another_file_has_the_name_of_stays_and_is_named(center, other):
    put(center, "N.csv", "old")
    put(center, "M.csv", "old")
    old = DataCenter(center.location)
    put(DataCenter(other), "N.csv", "new")

    assert center.set_storage_path(other, move=True) == ["N.csv"]

    assert content_of(old) == {"N.csv": "old"}
    assert content_of(center) == {"N.csv": "new", "M.csv": "old"}


def test_what_another_file_has_the_name_of_is_replaced_if_asked(center, other):
    put(center, "N.csv", "old")
    put(DataCenter(other), "N.csv", "new")

    assert center.set_storage_path(other, move=True, overwrite=True) == []

    assert content_of(center) == {"N.csv": "old"}


def test_a_folder_that_does_not_exist_is_refused(center, tmp_path):
    put(center, "N.csv")

    with pytest.raises(ValueError, match="nowhere"):
        center.set_storage_path(tmp_path / "nowhere", move=True)

    assert names_in(center) == ["N.csv"]


def test_a_folder_inside_is_refused(center):
    inside = Path(center.location, "finished")

    with pytest.raises(ValueError, match="in each other"):
        center.set_storage_path(inside, move=True)


def test_moving_to_where_the_files_are_loses_none(center, tmp_path):
    put(center, "N.csv")
    (tmp_path / "alias").symlink_to(center.location)

    for place in (center.location, tmp_path / "alias"):
        assert center.set_storage_path(place, move=True) == []
        assert names_in(center) == ["N.csv"]
    center.set_storage_path(FileSystemStorage(center.location), move=True)
    assert names_in(center) == ["N.csv"]


def test_files_are_moved_into_a_storage_and_back(center, other):
    put(center, "finished/N.csv", "content")

    center.set_storage_path(InMemoryStorage(), move=True)
    assert content_of(center) == {"finished/N.csv": "content"}

    center.set_storage_path(other, move=True)
    assert content_of(center) == {"finished/N.csv": "content"}


def test_a_link_is_not_followed_when_files_are_moved(center, other, tmp_path):
    (tmp_path / "secret.csv").write_text("secret")
    Path(center.location, "link.csv").symlink_to(tmp_path / "secret.csv")

    assert center.set_storage_path(other, move=True) == []

    assert content_of(center) == {}
    assert (tmp_path / "secret.csv").exists()


def test_a_signal_tells_that_the_place_is_another_one(center, other):
    told = []

    def receiver(sender, **arguments):
        told.append((sender, arguments))

    storage_moved.connect(receiver)
    try:
        old = center.location
        center.set_storage_path(other)
    finally:
        storage_moved.disconnect(receiver)

    [(sender, arguments)] = told
    assert sender is DataCenter
    assert arguments["center"] is center
    assert (arguments["old_location"], arguments["new_location"]) == (old, str(other))
    assert arguments["not_copied"] == []


def test_a_move_that_was_stopped_at_any_call_can_be_repeated(tmp_path):
    content = {"N.csv": "waits", "finished/M.csv": "done"}
    fuse = Fuse()
    place = fragile(FolderPlace, fuse)
    ended, moment = False, 0
    while not ended:
        center = DataCenter(place(tmp_path / f"old-{moment}"))
        target = place(tmp_path / f"new-{moment}")
        DataCenter(target)
        for name, text in content.items():
            put(center, name, text)
        try:
            with fuse.blows_at(moment):
                center.set_storage_path(target, move=True)
            ended = True
        except Killed:
            found = content_of(center) | content_of(DataCenter(target))
            assert found.items() >= content.items()
        old = DataCenter(tmp_path / f"old-{moment}")
        assert old.set_storage_path(tmp_path / f"new-{moment}", move=True) == []
        assert content_of(old) == content
        assert names_in(DataCenter(tmp_path / f"old-{moment}")) == []
        moment += 1

    assert moment > 10


def test_a_copy_that_is_not_the_same_is_found_and_the_original_stays(center, other):
    class Lossy(FolderPlace):
        def _create(self, name, others, chunks):
            return super()._create(name, others, (chunk[:-1] for chunk in chunks))

    put(center, "N.csv", "precious")
    target = Lossy(other)

    with pytest.raises(FileDamaged, match=r"N\.csv"):
        list(
            copy_files(center.place, target, overwrite=False, advance=lambda size: None)
        )
    remove_copied(center.place, target)

    assert content_of(center) == {"N.csv": "precious"}


def test_what_the_target_has_in_another_size_is_not_removed(center, other):
    target = DataCenter(other)
    for name in ("same.csv", "larger.csv", "other.csv"):
        put(center, name, "text")
    put(target, "same.csv", "text")
    put(target, "larger.csv", "more text")
    put(target, "other.csv", "texd")

    remove_copied(center.place, target.place)

    assert names_in(center) == ["larger.csv", "other.csv"]


@pytest.mark.parametrize("kind", PLACES)
def test_a_new_file_gets_the_first_name_that_is_free(kind, tmp_path):
    place = place_at(PLACES[kind](tmp_path / "center"))
    names = ["N.csv", "N_2.csv"]

    assert place.create(names, [b"1", b"2"]) == "N.csv"
    assert place.create(names, [b"3"]) == "N_2.csv"
    with pytest.raises(FileExists):
        place.create(names, [b"4"])

    assert {name: b"".join(place.chunks(name)) for name in names} == {
        "N.csv": b"12",
        "N_2.csv": b"3",
    }


def test_a_file_that_a_storage_copies_wrongly_stays_where_it_was():
    class Wrong(InMemoryStorage):
        def _save(self, name, content):
            wrong = name.startswith("finished/")
            data = b"?" * content.size if wrong else content.read()
            return super()._save(name, ContentFile(data))

    center = DataCenter(Wrong())
    put(center, "N.csv", "precious")

    with pytest.raises(FileDamaged, match=r"N\.csv"):
        center.place.move("N.csv", "finished/N.csv")

    assert content_of(center) == {"N.csv": "precious"}


class Overtaken(InMemoryStorage):
    """While a file is read from deleted/, another one comes to where it is to go."""

    def _open(self, name, mode="rb"):
        if name.startswith("deleted/"):
            self._save("N.csv", ContentFile(b"faster"))
        return super()._open(name, mode)


def test_what_comes_while_a_storage_moves_a_file_there_is_not_replaced():
    center = DataCenter(Overtaken())
    put(center, "N.csv", "slower")
    deleted = center.delete("N.csv")

    with pytest.raises(FileExists):
        center.restore(deleted)

    assert read(center, "N.csv") == "faster"
    assert read(center, deleted) == "slower"


def test_a_storage_that_chooses_its_own_names_is_refused():
    class Choosing(InMemoryStorage):
        def get_available_name(self, name, max_length=None):
            return f"chosen-{name}"

    center = DataCenter(Choosing())

    with pytest.raises(InvalidName, match=r"does not keep the name 'N\.csv'"):
        center.upload("N.csv", b"a", on_taken=OnTaken.RENAME)

    assert names_in(center) == []


# -- Who may -----------------------------------------------------------------------


def user_with(*permissions):
    user = UserFactory.create()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


ACTIONS = {
    "download": lambda center, user: center.open("N.csv", user=user).close(),
    "download a log": lambda center, user: center.open("logs/a.log", user=user).close(),
    "delete": lambda center, user: center.delete("N.csv", user=user),
    "delete a finished file": lambda center, user: center.delete(
        "finished/N.csv", user=user
    ),
    "restore": lambda center, user: center.restore("deleted/M.csv", user=user),
    "search": lambda center, user: center.query_logfiles("a.log", "x", user=user),
}


@pytest.fixture
def filled(center):
    for name in ("N.csv", "M.csv", "finished/N.csv", "logs/a.log"):
        put(center, name)
    center.delete("M.csv")
    return center


@pytest.mark.parametrize(
    ("action", "permissions"),
    [
        ("download", ["download_datafile"]),
        ("download a log", ["view_datalog"]),
        ("delete", ["delete_datafile", "run_import"]),
        ("delete a finished file", ["delete_datafile"]),
        ("restore", ["delete_datafile"]),
        ("search", ["view_datalog"]),
    ],
)
def test_a_user_needs_one_permission_and_no_other_will_do(filled, action, permissions):
    pytest.importorskip("re2")
    known = Permission.objects.exclude(codename__in=permissions)
    before = content_of(filled)

    for user in (
        AnonymousUser(),
        user_with(),
        user_with(*known.values_list("codename", flat=True)),
    ):
        with pytest.raises(NotPermitted):
            ACTIONS[action](filled, user)
    assert content_of(filled) == before

    for permission in permissions:
        with transaction.atomic():
            ACTIONS[action](filled, user_with(permission))
        for entry in list(filled.place.all_entries()):
            filled.place.delete(entry.name)
        for name, content in before.items():
            put(filled, name, content)


def test_a_download_by_a_user_is_logged_and_a_look_by_the_site_is_not(filled, caplog):
    caplog.set_level("INFO", logger="deliverystore.datacenter")
    user = user_with("download_datafile")

    filled.open("N.csv").close()
    with filled.open("finished/N.csv", user=user) as file:
        assert file.read() == b"a,b\r\n1,2\r\n"

    assert caplog.messages == [
        f"download 'finished/N.csv' user={user.get_username()!r}"
    ]


def test_a_file_with_a_run_that_is_not_over_cannot_be_deleted(settings, center):
    settings.DELIVERY_STORE_DATACENTER_ROOT = center.location
    run = start(center, ("A", "Arts"))
    put(center, "unfinished/f.csv")

    with pytest.raises(RunBusy, match="is not over; cancel it first"):
        center.delete("f.csv")
    assert center.delete("unfinished/f.csv")

    runs.cancel(run)
    assert center.delete("f.csv") == "deleted/f.csv"


# -- The command -------------------------------------------------------------------


@pytest.fixture
def configured(settings, center):
    settings.DELIVERY_STORE_DATACENTER_ROOT = center.location
    return center


def test_the_command_moves_all_files_and_says_what_to_write(configured, other, capsys):
    put(configured, "N.csv", "12345")

    call_command("datacenter_move", str(other))

    assert content_of(DataCenter(other)) == {"N.csv": "12345"}
    assert names_in(configured) == []
    told = capsys.readouterr().out
    assert "1 file" in told
    assert f'DELIVERY_STORE_DATACENTER_ROOT = "{other}"' in told


def test_the_command_can_only_say_what_it_would_do(configured, other, capsys):
    put(configured, "N.csv", "12345")
    put(configured, "M.csv", "old")
    put(DataCenter(other), "M.csv", "new")

    with pytest.raises(CommandError, match="1 file") as caught:
        call_command("datacenter_move", str(other), "--dry-run")
    assert caught.value.returncode == 1

    assert names_in(configured) == ["M.csv", "N.csv"]
    assert names_in(DataCenter(other)) == ["M.csv"]
    assert "taken  M.csv" in capsys.readouterr().out


def test_the_command_names_what_was_not_moved(configured, other, capsys):
    put(configured, "M.csv", "old")
    put(DataCenter(other), "M.csv", "new")

    with pytest.raises(CommandError, match="--overwrite"):
        call_command("datacenter_move", str(other))
    assert "taken  M.csv" in capsys.readouterr().out

    call_command("datacenter_move", str(other), "--overwrite")
    assert content_of(DataCenter(other)) == {"M.csv": "old"}


def test_the_command_goes_on_from_the_old_place(settings, configured, other):
    put(configured, "late.csv")
    settings.DELIVERY_STORE_DATACENTER_ROOT = other

    call_command("datacenter_move", str(other), "--from", configured.location)

    assert names_in(DataCenter(other)) == ["late.csv"]


def test_the_command_refuses_a_folder_that_does_not_exist(configured, tmp_path):
    with pytest.raises(CommandError, match="make it first") as caught:
        call_command("datacenter_move", str(tmp_path / "nowhere"))
    assert caught.value.returncode == 2
    with pytest.raises(CommandError, match="nowhere") as caught:
        call_command(
            "datacenter_move", str(tmp_path), "--from", str(tmp_path / "nowhere")
        )
    assert caught.value.returncode == 2
