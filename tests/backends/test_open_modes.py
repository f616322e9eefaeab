"""open() of every store in every mode: what is written appears at the close."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from deliverystore.backends import (
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
    FsHierDeliveryStore,
    MemoryDeliveryStore,
)
from deliverystore.exceptions import FileNotFound


class Interruption(Exception):
    pass


@pytest.fixture(params=["Fs", "FsHier", "Memory", "DjangoStorage"])
def store(request, tmp_path):
    storage = FileSystemStorage(tmp_path, allow_overwrite=True)
    return {
        "Fs": lambda: FsDeliveryStore(tmp_path),
        "FsHier": lambda: FsHierDeliveryStore(tmp_path),
        "Memory": MemoryDeliveryStore,
        "DjangoStorage": lambda: DjangoStorageDeliveryStore("prefix", storage),
    }[request.param]()


@pytest.fixture
def old(store):
    return store.save("old.txt", ContentFile("Grüße\n".encode()))


def content_of(store, name):
    with store.open(name) as file:
        return file.read()


def test_rb_reads_bytes_and_r_reads_text(store, old):
    with store.open(old) as file:
        assert file.read() == "Grüße\n".encode()
    with store.open(old, "r") as file:
        assert file.read() == "Grüße\n"


def test_a_file_that_is_read_cannot_be_written(store, old):
    if isinstance(store, MemoryDeliveryStore):
        with store.open(old) as file:
            file.write(b"changed")
    else:
        with store.open(old) as file, pytest.raises(OSError, match="write"):
            file.write(b"changed")

    assert content_of(store, old) == "Grüße\n".encode()


@pytest.mark.parametrize("mode", ["rb", "r", "r+b", "r+"])
def test_a_missing_file_cannot_be_read_or_changed(store, mode):
    with pytest.raises(FileNotFound, match=r"has no 'missing.txt'"):
        store.open("missing.txt", mode)

    assert not store.exists("missing.txt")


@pytest.mark.parametrize("mode", ["wb", "xb", "ab"])
def test_bytes_are_written_to_a_new_file(store, mode):
    with store.open("new.txt", mode) as file:
        file.write(b"con")
        assert not store.exists("new.txt")
        file.write(b"tent")

    assert content_of(store, "new.txt") == b"content"


@pytest.mark.parametrize("mode", ["w", "x", "a"])
def test_text_is_written_to_a_new_file_as_utf8(store, mode):
    with store.open("new.txt", mode) as file:
        file.write("Grüße, ")
        assert not store.exists("new.txt")
        file.write("世界")

    assert content_of(store, "new.txt") == "Grüße, 世界".encode()


def test_wb_replaces_the_whole_content(store, old):
    with store.open(old, "wb") as file:
        file.write(b"x")
        assert content_of(store, old) == "Grüße\n".encode()

    assert content_of(store, old) == b"x"


@pytest.mark.parametrize("mode", ["xb", "x"])
def test_x_does_not_replace(store, old, mode):
    def write():
        with store.open(old, mode) as file:
            file.write("x" if mode == "x" else b"x")

    with pytest.raises(FileExistsError):
        write()

    assert content_of(store, old) == "Grüße\n".encode()


def test_a_appends(store, old):
    with store.open(old, "ab") as file:
        file.write(b"more\n")
        assert content_of(store, old) == "Grüße\n".encode()
    with store.open(old, "a") as file:
        file.write("und mehr\n")

    assert content_of(store, old).decode() == "Grüße\nmore\nund mehr\n"


def test_r_plus_reads_and_changes(store, old):
    with store.open(old, "r+b") as file:
        assert file.read(2) == b"Gr"
        file.seek(0)
        file.write(b"XX")
        assert content_of(store, old) == "Grüße\n".encode()

    assert content_of(store, old).decode() == "XXüße\n"


def test_w_plus_reads_what_was_written(store):
    with store.open("new.txt", "w+b") as file:
        file.write(b"content")
        file.seek(0)
        assert file.read() == b"content"

    assert content_of(store, "new.txt") == b"content"


@pytest.mark.parametrize("mode", ["wb", "w", "ab", "a", "r+b", "r+"])
def test_a_block_that_raises_leaves_what_was_there(store, old, mode):
    def write():
        with store.open(old, mode) as file:
            file.write(b"x" * 10 if "b" in mode else "x" * 10)
            raise Interruption

    with pytest.raises(Interruption):
        write()

    assert content_of(store, old) == "Grüße\n".encode()


@pytest.mark.parametrize("mode", ["wb", "w", "ab", "a", "r+b", "r+"])
def test_a_file_that_is_lost_leaves_what_was_there(store, old, mode):
    file = store.open(old, mode)
    file.write(b"x" * 10 if "b" in mode else "x" * 10)
    del file

    assert content_of(store, old) == "Grüße\n".encode()


@pytest.mark.parametrize("mode", ["wb", "w"])
def test_close_publishes_without_a_block(store, mode):
    file = store.open("new.txt", mode)
    file.write(b"content" if mode == "wb" else "content")
    file.close()
    file.close()

    assert file.closed
    assert file.mode == mode
    assert content_of(store, "new.txt") == b"content"
