"""Deliveries as one ZIP: complete, safe to unpack, honest about what is lost."""

from __future__ import annotations

import io
import re
import sys
import tracemalloc
import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverystore.archive import make_archive
from deliverystore.backends import MemoryDeliveryStore
from deliverystore.exceptions import MissingExtra, NotPermitted
from deliverystore.models import FileMeta
from deliverystore.paths import portable_filename, unique_filenames
from deliverystore.testing import override_delivery_store
from tests.factories import (
    DepartmentFactory,
    UserFactory,
    finished_delivery,
    open_delivery,
)

pytestmark = pytest.mark.django_db

MEBIBYTE = 1024 * 1024


@pytest.fixture
def ada():
    return UserFactory(username="ada")


def unpacked(archive):
    with zipfile.ZipFile(io.BytesIO(b"".join(archive.chunks))) as file:
        assert file.testzip() is None
        return {info.filename: file.read(info) for info in file.infolist()}


def test_each_delivery_has_a_folder(ada):
    physics = DepartmentFactory(name="Physics")
    files = [("a.txt", b"1"), ("Отчёт.txt", b"22")]
    deliveries = [
        finished_delivery(files=files, recipient=physics, user=ada) for _ in range(2)
    ]

    assert unpacked(make_archive(deliveries, ada)) == {
        "delivery 1 to Physics, ada/": b"",
        "delivery 1 to Physics, ada/a.txt": b"1",
        "delivery 1 to Physics, ada/Отчёт.txt": b"22",
        "delivery 2 to Physics, ada/": b"",
        "delivery 2 to Physics, ada/a.txt": b"1",
        "delivery 2 to Physics, ada/Отчёт.txt": b"22",
    }


def test_the_archive_of_one_is_named_after_it(ada):
    delivery = finished_delivery(recipient=DepartmentFactory(name="a/b"), user=ada)

    assert make_archive([delivery], ada).filename == "delivery 1 to a_b, ada.zip"


def test_folders_of_the_same_name_are_numbered(ada):
    same = [DepartmentFactory(name="Physics") for _ in range(2)]
    deliveries = [finished_delivery(recipient=to, user=ada) for to in same]

    assert {
        name.partition("/")[0] for name in unpacked(make_archive(deliveries, ada))
    } == {
        "delivery 1 to Physics, ada",
        "delivery 1 to Physics, ada (2)",
    }


def test_nothing_leaves_its_folder_even_if_a_row_was_tampered_with(ada):
    recipient = DepartmentFactory(name="../../etc")
    delivery = finished_delivery(recipient=recipient, user=ada)
    evil = ["../../evil", "/etc/passwd", "C:\\evil", "..", "nul.txt", "x\x01y", "a. "]
    for number, name in enumerate(evil):
        row = finished_delivery(user=ada).files.get()
        FileMeta.objects.filter(pk=row.pk).update(
            filename=name,
            name_key=str(number),
            delivery=delivery,
            stored_as=FileMeta.deliverystore.name_of(row),
        )

    names = unpacked(make_archive([delivery], ada))

    assert len(names) == 2 + len(evil)
    for name in names:
        folder, _, filename = name.partition("/")
        assert folder == "delivery 1 to .._.._etc, ada"
        assert not re.search(r"[/\\:\x00]", filename)
        assert filename != ".."


def test_filenames_that_become_the_same_are_numbered(ada):
    files = [("a?.txt", b"1"), ("a*.txt", b"2"), ("A_.TXT", b"3")]
    content = unpacked(make_archive([finished_delivery(files=files, user=ada)], ada))

    assert sorted(content) == [
        "delivery 1, ada/",
        "delivery 1, ada/A_ (3).TXT",
        "delivery 1, ada/a_ (2).txt",
        "delivery 1, ada/a_.txt",
    ]


def test_who_may_not_download_all_of_them_gets_none(ada):
    others = finished_delivery(user=UserFactory())

    with pytest.raises(NotPermitted):
        make_archive([finished_delivery(user=ada), others], ada)


@pytest.mark.parametrize("size", [10, 3 * MEBIBYTE])
def test_what_is_lost_or_damaged_is_named_in_its_place(ada, caplog, size):
    files = [(name, bytes(size)) for name in ("good", "lost", "bad")]
    delivery = finished_delivery(files=files, user=ada)
    _, lost, bad = delivery.files.all()
    FileMeta.deliverystore.remove(lost)
    with FileMeta.deliverystore.write_open(bad) as file:
        file.write(bytes(size - 1) + b"x")

    content = unpacked(make_archive([delivery, finished_delivery(user=ada)], ada))

    note = content.pop("delivery 1, ada/MISSING FILES.txt").decode()
    assert list(content) == [
        "delivery 1, ada/",
        "delivery 1, ada/good",
        "delivery 2, ada/",
        "delivery 2, ada/hello.txt",
    ]
    assert "- lost (missing)\n- bad (damaged)\n" in note
    assert f"File {lost.pk} is left out" in caplog.text


def test_a_file_that_the_medium_does_not_give_is_named(ada):
    class Failing(MemoryDeliveryStore):
        def _open(self, name, mode="rb"):
            raise OSError(5, "Input/output error")

    with override_delivery_store(Failing()):
        content = unpacked(make_archive([finished_delivery(user=ada)], ada))

    assert b"hello.txt (unreadable)" in content["delivery 1, ada/MISSING FILES.txt"]


def test_a_file_that_is_called_like_the_note_stays_beside_it(ada):
    files = [("missing files.txt", b"1"), ("lost", b"2")]
    delivery = finished_delivery(files=files, user=ada)
    FileMeta.deliverystore.remove(delivery.files.last())

    content = unpacked(make_archive([delivery], ada))

    assert content["delivery 1, ada/missing files (2).txt"] == b"1"
    assert b"lost" in content["delivery 1, ada/MISSING FILES.txt"]


def test_a_file_that_is_being_received_is_named(ada):
    delivery = open_delivery(user=ada)
    FileMeta.objects.create(delivery=delivery, filename="later.txt")

    content = unpacked(make_archive([delivery], ada))

    note = content[f"open delivery {delivery.pk}, ada/MISSING FILES.txt"].decode()
    assert "- later.txt (still being received)" in note


def test_an_empty_delivery_is_an_empty_folder(ada):
    delivery = open_delivery(files=(), user=ada)

    assert list(unpacked(make_archive([delivery], ada))) == [
        f"open delivery {delivery.pk}, ada/"
    ]


def test_memory_stays_flat(ada):
    large = ("large", (bytes(MEBIBYTE) for _ in range(64)))
    delivery = finished_delivery(files=[large], user=ada)
    tracemalloc.start()
    try:
        sizes = [len(chunk) for chunk in make_archive([delivery], ada).chunks]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sum(sizes) > 64 * MEBIBYTE
    assert peak < 16 * MEBIBYTE


def test_many_small_files_are_sent_in_large_chunks(ada):
    files = [(f"{number}.txt", b"x") for number in range(200)]

    archive = make_archive([finished_delivery(files=files, user=ada)], ada)

    assert len(list(archive.chunks)) == 1


def test_without_the_package_the_extra_is_named(ada, monkeypatch):
    monkeypatch.setitem(sys.modules, "zipstream", None)

    with pytest.raises(MissingExtra, match=r'pip install "deliverystore\[zip\]"'):
        make_archive([finished_delivery(user=ada)], ada)


@pytest.mark.parametrize(
    ("filename", "portable"),
    [
        ("hello.txt", "hello.txt"),
        (".bashrc", ".bashrc"),
        ("..", "_"),
        ("...", "_"),
        (" ", "_"),
        ("a. ", "a"),
        ("CON", "_CON"),
        ("aux.txt", "_aux.txt"),
        ("console.txt", "console.txt"),
        ("a/b\\c:d", "a_b_c_d"),
        ("x" * 300 + ".pdf", "x" * 236 + ".pdf"),
        ("Ж" * 255, "Ж" * 120),
    ],
)
def test_a_portable_filename_stays_as_it_is_where_it_can(filename, portable):
    assert portable_filename(filename) == portable


@given(filenames=st.lists(st.text(max_size=300), max_size=5))
def test_portable_filenames_can_be_unpacked_anywhere(filenames):
    for name in unique_filenames(map(portable_filename, filenames)):
        assert 0 < len(name.encode()) <= 255
        assert name not in {".", ".."}
        assert not re.search(r'[\x00-\x1f/\\:*?"<>|]', name)
        assert name == name.strip()
        assert not name.endswith(".")
        assert unicodedata.is_normalized("NFC", name)
