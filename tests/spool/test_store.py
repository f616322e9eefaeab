"""Files by name, in three sections: what the ancestor did, and what it did wrong."""

from __future__ import annotations

import csv
import errno
import multiprocessing
import os
import re
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from deliverystore.exceptions import FileExists, InvalidName, SectionUnknown
from deliverystore.spool import FileStore
from tests.spool.conftest import HOUR

SECTIONS = ("tmp", "new", "cur")
LARGE = bytes(range(256)) * 1024


def sections(path):
    return sorted(folder.name for folder in path.iterdir())


def test_making_a_store_does_nothing_to_the_disk(path):
    FileStore(path)

    assert not path.exists()


def test_prepare_makes_the_sections_and_may_be_repeated(path):
    store = FileStore(str(path))

    store.prepare()
    store.prepare()

    assert sections(path) == sorted(SECTIONS)


def test_prepare_makes_folders_above_too(tmp_path):
    FileStore(tmp_path / "a" / "b").prepare()

    assert sections(tmp_path / "a" / "b") == sorted(SECTIONS)


def test_many_may_prepare_at_once(path):
    barrier, errors = threading.Barrier(8), []

    def work():
        barrier.wait()
        try:
            FileStore(path).prepare()
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert sections(path) == sorted(SECTIONS)


def test_a_file_goes_from_tmp_over_new_to_cur(store, path):
    with store.create("a-file") as file:
        assert file.name == str(path / "tmp" / "a-file")
        file.write("Die Ente schwimmt im Wasser, täglich.")
    assert store.list("tmp") == [str(path / "tmp" / "a-file")]

    store.move("a-file", "tmp", "new")
    assert store.list("tmp") == []
    assert store.list("new") == [str(path / "new" / "a-file")]

    store.move("a-file", "new", "cur")
    assert store.list("new") == []
    content = Path(store.list("cur")[0]).read_text("utf-8")
    assert content == "Die Ente schwimmt im Wasser, täglich."

    store.copy("a-file", "cur", "tmp")
    assert store.list("cur") == [str(path / "cur" / "a-file")]
    assert store.list("tmp") == [str(path / "tmp" / "a-file")]

    store.remove("a-file", "tmp")
    assert store.list("tmp") == []


@pytest.mark.parametrize("mode", ["wb", "xb", "ab", "wb+", "w+b"])
def test_create_takes_every_mode_that_writes(store, mode):
    with store.create("a", mode) as file:
        file.write(b"bytes")

    assert Path(store.list("tmp")[0]).read_bytes() == b"bytes"


@pytest.mark.parametrize("mode", ["r", "r+", "rb", "", "b", "wr", "w,ccs"])
def test_create_refuses_what_opens_no_new_file(store, mode):
    with pytest.raises(ValueError, match="no new file"):
        store.create("a", mode)
    assert store.list("tmp") == []


def test_two_creators_never_share_a_file(store):
    with store.create("a") as mine:
        mine.write("mine")
        with pytest.raises(FileExists, match="a exists"):
            store.create("a")

    assert Path(store.list("tmp")[0]).read_text() == "mine"


@pytest.mark.parametrize("change", ["move", "copy"])
def test_nothing_is_replaced(store, put, names, change):
    put("a", "tmp", content=b"young")
    put("a", "new", content=b"old")

    with pytest.raises(FileExists, match="exists"):
        getattr(store, change)("a", "tmp", "new")

    assert Path(store.list("tmp")[0]).read_bytes() == b"young"
    assert Path(store.list("new")[0]).read_bytes() == b"old"
    assert names("tmp") == ["a"]


@pytest.mark.parametrize("change", ["move", "copy"])
def test_a_file_onto_itself_is_refused(store, put, change):
    put("a")

    with pytest.raises(FileExists):
        getattr(store, change)("a", "new", "new")

    assert Path(store.list("new")[0]).read_bytes() == b"content"


@pytest.mark.parametrize("change", ["move", "copy"])
def test_what_is_not_there_is_told(store, change):
    with pytest.raises(FileNotFoundError):
        getattr(store, change)("a", "tmp", "new")


@pytest.mark.parametrize("folders", ["", "/etc/", "../", "../../x/", "a/b/../../../"])
def test_leading_folders_are_left_out_everywhere(store, put, tmp_path, folders):
    outside = tmp_path / "a"
    outside.write_text("outside")
    with store.create(f"{folders}a") as file:
        file.write("inside")
    store.copy(f"{folders}a", "tmp", "cur")
    store.move(f"{folders}a", "tmp", "new")
    with store.writing(f"{folders}b") as file:
        file.write("inside")

    listed = [*store.list("new"), *store.list("cur")]
    assert [Path(one).name for one in listed] == ["a", "b", "a"]
    for one in store.list("new"):
        store.remove(one, "new")
    store.remove(f"{folders}a", "cur")

    assert store.list("new") == store.list("cur") == []
    assert outside.read_text() == "outside"


@pytest.mark.parametrize("name", ["", "/", "a/", ".", "..", "a/..", "a\0b"])
def test_what_ends_in_no_filename_is_refused_everywhere(store, name):
    uses = [
        lambda: store.create(name),
        lambda: store.writing(name).__enter__(),
        lambda: store.move(name, "tmp", "new"),
        lambda: store.copy(name, "tmp", "new"),
        lambda: store.remove(name, "new"),
        lambda: store.retry(name),
    ]
    for use in uses:
        with pytest.raises(InvalidName):
            use()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".hidden", "hidden"),
        (".deliverystore-1", "hidden"),
        ("é" * 101, "200 bytes"),
        ("a.~1-0123456789abcdef~", "looks like"),
        ("a.~1-0123456789abcdef-0199f3c2a10~", "looks like"),
        ("a\ud800", "cannot be the name of a file"),
    ],
)
def test_names_that_no_claim_could_have_are_refused_at_the_door(store, name, reason):
    for use in (store.create, lambda name: store.writing(name).__enter__()):
        with pytest.raises(InvalidName, match=reason):
            use(name)


@pytest.mark.parametrize("section", ["", ".", "..", "failed", "../spool/new", "new/"])
def test_other_sections_are_refused_everywhere(store, put, section):
    put("a")
    uses = [
        lambda: store.list(section),
        lambda: store.move("a", section, "cur"),
        lambda: store.move("a", "new", section),
        lambda: store.copy("a", "new", section),
        lambda: store.remove("a", section),
    ]
    for use in uses:
        with pytest.raises(SectionUnknown, match="no section") as caught:
            use()
        assert isinstance(caught.value, ValueError)


def test_a_file_that_is_written_appears_when_it_is_whole(store, names):
    with store.writing("a") as file:
        file.write(b"bytes, ")
        file.write("and text: é")
        assert store.list("new") == []

    assert Path(store.list("new")[0]).read_text("utf-8") == "bytes, and text: é"
    assert names("tmp") == []


def test_a_file_that_is_written_suits_the_csv_module(store):
    with store.writing("a.csv") as file:
        csv.writer(file).writerow(["a", "é"])

    assert Path(store.list("new")[0]).read_bytes() == "a,é\r\n".encode()


@pytest.mark.parametrize("has_tmpfile", [True, False])
def test_nothing_is_left_of_a_file_whose_writer_fails(
    store, names, monkeypatch, has_tmpfile
):
    monkeypatch.setattr("deliverystore.fsops._can_link_open_files", lambda: has_tmpfile)

    with pytest.raises(KeyError), store.writing("a") as file:  # noqa: PT012
        file.write(LARGE)
        assert len(names("tmp")) == (not has_tmpfile)
        assert names("new") == []
        raise KeyError

    assert names("new") == names("tmp") == []


def test_writing_replaces_nothing(store, put, names):
    put("a", content=b"old")

    with pytest.raises(FileExists), store.writing("a") as file:
        file.write(b"new")

    assert Path(store.list("new")[0]).read_bytes() == b"old"
    assert names("new") == ["a"]


@pytest.mark.parametrize("change", ["move", "copy"])
def test_a_link_or_a_pipe_is_neither_followed_nor_waited_for(
    store, path, tmp_path, names, change
):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (path / "new" / "link").symlink_to(secret)
    os.mkfifo(path / "new" / "pipe")
    (path / "new" / "folder").mkdir()

    for name in ("link", "pipe", "folder"):
        with pytest.raises(OSError, match=name):
            getattr(store, change)(name, "new", "cur")

    assert names("cur") == names("tmp") == []
    assert store.list("new") == []


def test_a_copy_is_whole_and_of_its_own(store, put):
    original = put("a", "cur", content=LARGE)

    store.copy("a", "cur", "new")
    original.write_bytes(b"other")

    assert Path(store.list("new")[0]).read_bytes() == LARGE


def test_lists_leave_out_temporary_files_and_folders(store, put, path):
    put(".deliverystore-1", "tmp")
    put("a", "tmp")
    (path / "tmp" / "folder").mkdir()

    assert store.list("tmp") == [str(path / "tmp" / "a")]


def test_names_of_every_kind_pass_through(store):
    kinds = [
        "a b",
        "ä.csv",
        "a\nb",
        "%2e%2e",
        "-rf",
        "~",
        "a~",
        "x" * 200,
        "日本",
        "\\",
    ]
    for kind in kinds:
        with store.writing(kind) as file:
            file.write("x")

    assert sorted(claim.filename for claim in store.claims()) == sorted(kinds)


def _move(path, barrier, queue):
    store = FileStore(path, durability="none")
    moved = 0
    for number in range(200):
        barrier.wait(30)
        try:
            store.move(f"{number}", "new", "cur")
            moved += 1
        except FileNotFoundError:
            continue
    queue.put(moved)


@pytest.mark.parametrize("has_rename", [True, False])
def test_of_many_who_move_a_file_exactly_one_does(
    store, put, path, monkeypatch, has_rename
):
    if not has_rename:
        monkeypatch.setattr("deliverystore.fsops._renameat2", lambda: None)
    for number in range(200):
        put(f"{number}")
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(4), context.SimpleQueue()
    movers = [
        context.Process(target=_move, args=(path, barrier, queue)) for _ in "1234"
    ]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()

    assert sum(queue.get() for _ in movers) == 200
    assert len(store.list("cur")) == 200


def test_a_sweep_removes_what_is_stale_in_tmp_and_nothing_else(store, put, names):
    for section in SECTIONS:
        put("old", section, age=7200)
        put("young", section, age=60)
    put(".deliverystore-1", "tmp", age=7200)

    assert store.sweep(HOUR) == 2

    assert Counter(names("tmp")) == {"young": 1}
    assert names("new") == names("cur") == ["old", "young"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"max_attempts": 0}, "max_attempts: 0, but a file is tried once at least."),
        ({"lease": -HOUR}, "lease: -1 day, 23:00:00, but a lease is above 0"),
        ({"lease": timedelta(0)}, "lease: 0:00:00, but a lease is above 0"),
        ({"lease": timedelta.max}, "but a lease is above 0 and at most 100 years."),
        ({"settle": timedelta(seconds=-1)}, "settle: -1 day, 23:59:59 is below 0."),
        ({"path": ""}, "path: it is empty; the current folder is called '.'."),
    ],
)
def test_impossible_terms_are_refused(path, options, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        FileStore(**{"path": path, **options})


def test_a_bare_number_is_no_length_of_time(store, path):
    for name in ("lease", "settle"):
        with pytest.raises(TypeError, match=f"^{name}: 5 is no timedelta"):
            FileStore(path, **{name: 5})
    for method in (store.sweep, store.leftovers):
        with pytest.raises(TypeError, match=r"^older_than: 5 is no timedelta"):
            method(5)
    with pytest.raises(TypeError, match=r"^interval: 5 is no timedelta"):
        store.watch(interval=5)


@pytest.mark.parametrize("name", [5, b"a", Path("a")])
def test_what_is_no_text_is_no_filename(store, name):
    with pytest.raises(TypeError, match="is no filename"):
        store.create(name)
    with pytest.raises(TypeError, match="is no filename"):
        store.move(name, "tmp", "new")


def test_a_store_says_where_it_is(store, path):
    assert repr(store) == f"FileStore('{path}')"


def test_the_folder_above_need_not_be_readable(path, monkeypatch):
    FileStore(path).prepare()
    store = FileStore(path, durability="full")
    opened = os.open

    def refuse(name, *args, **options):
        if str(name) == str(path.parent):
            raise PermissionError(errno.EACCES, "Permission denied", str(name))
        return opened(name, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    with store.writing("a") as file:
        file.write("content")

    assert [Path(one).name for one in store.list("new")] == ["a"]
