"""What becomes of one file that is copied."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from deliverystore.backends import (
    DeliveryStoreInterface,
    DjangoStorageDeliveryStore,
    FsHierDeliveryStore,
    MemoryDeliveryStore,
)
from deliverystore.copying import Copier, copy_all
from tests.copying.conftest import content_in, names_in, write


def test_all_files_are_copied_each_to_its_name_in_the_other_store(files, copy, new):
    assert set(copy().values()) == {"copied"}

    assert names_in(new) == {new.name_of(file) for file in files}
    for file in files:
        assert content_in(new, file) == file.get_all_data_as_string()


def test_what_is_there_is_skipped(files, copy, new):
    write(new, files[0], b"aaa")

    assert copy() == {"a.txt": "present", "empty": "copied", "large": "copied"}
    assert set(copy().values()) == {"present"}


@pytest.mark.parametrize("content", [b"", b"aa", b"aaaa"])
def test_what_has_another_size_is_different_and_stays(files, copy, new, content):
    write(new, files[0], content)

    assert copy()["a.txt"] == "different"
    assert content_in(new, files[0]) == content


def test_other_bytes_of_the_same_size_are_seen_by_verifying(files, copy, new):
    write(new, files[0], b"bbb")

    assert copy()["a.txt"] == "present"
    assert copy(verify=True)["a.txt"] == "different"
    assert copy(verify=True, dry_run=True)["a.txt"] == "different"
    assert content_in(new, files[0]) == b"bbb"


def test_what_differs_is_replaced_on_demand(files, copy, new):
    write(new, files[0], b"bbb")
    write(new, files[1], b"bbb")

    assert copy(verify=True, replace=True)["a.txt"] == "copied"
    assert content_in(new, files[0]) == b"aaa"
    assert content_in(new, files[1]) == b""


@pytest.mark.parametrize("content", [b"aab", b"aa", b"aaaa", b""])
def test_a_damaged_source_is_reported_and_never_copied(files, copy, old, new, content):
    write(old, files[0], content)

    assert copy() == {"a.txt": "damaged", "empty": "copied", "large": "copied"}
    assert not new.exists(files[0])


def test_a_source_without_the_file_is_reported(files, copy, old, new):
    old.remove(files[0])

    assert copy(dry_run=True)["a.txt"] == "missing"
    assert copy() == {"a.txt": "missing", "empty": "copied", "large": "copied"}


def test_a_dry_run_sees_sources_of_another_size(files, copy, old):
    write(old, files[0], b"aa")

    said = copy(dry_run=True)

    assert said == {"a.txt": "damaged", "empty": "copied", "large": "copied"}


def test_a_dry_run_says_what_would_be_and_changes_nothing(files, copy, old, new):
    write(new, files[0], b"aaa")

    said = copy(dry_run=True)

    assert said == {"a.txt": "present", "empty": "copied", "large": "copied"}
    assert names_in(new) == {new.name_of(files[0])}


def test_it_is_said_how_many_bytes_are_done(files, copy, new):
    done = []
    copy(advance=done.append)
    assert sum(done) == 3_000_003
    assert max(done) <= 1024 * 1024

    for options in ({}, {"verify": True}, {"dry_run": True}):
        done.clear()
        copy(advance=done.append, **options)
        assert sum(done) == 3_000_003


class TestOverAStorageThatDoesNotReplace:
    @pytest.fixture
    def new(self, tmp_path):
        return DjangoStorageDeliveryStore("", FileSystemStorage(tmp_path / "new"))

    def test_what_differs_is_replaced_on_demand(self, files, copy, new):
        write(new, files[0].delivery.files.get(filename="a.txt"), b"half")

        assert copy()["a.txt"] == "different"
        assert copy(replace=True)["a.txt"] == "copied"
        assert content_in(new, files[0]) == b"aaa"

    def test_what_differs_stays_if_the_source_is_no_better(self, files, copy, old, new):
        write(new, files[0], b"half")
        write(old, files[0], b"bbb")

        assert copy(replace=True)["a.txt"] == "damaged"
        assert content_in(new, files[0]) == b"half"


class NamesOfItsOwn(FileSystemStorage):
    def get_available_name(self, name, max_length=None):
        return super().get_available_name(f"{name}-of-its-own", max_length)


def test_a_store_that_chooses_its_own_names_is_refused(files, old, tmp_path):
    storage = NamesOfItsOwn(tmp_path / "new")
    copier = Copier(source=old, target=DjangoStorageDeliveryStore("", storage))

    copied = list(copy_all(copier, jobs=1))

    assert {one.outcome.value for one in copied} == {"failed"}
    assert "another name" in copied[0].reason
    assert [p for p in (tmp_path / "new").rglob("*") if p.is_file()] == []
    assert files[0].delivery.files.get(filename="a.txt").stored_as == ""


class WithoutSizes(MemoryDeliveryStore):
    def size(self, name):
        raise NotImplementedError


def test_what_a_store_without_sizes_has_is_read(files, copy):
    new = WithoutSizes()

    assert set(copy(target=new).values()) == {"copied"}
    assert set(copy(target=new).values()) == {"present"}
    write(new, files[0], b"bbb")
    assert copy(target=new)["a.txt"] == "different"


def test_a_name_that_the_row_keeps_is_the_name_in_the_other_store(files, old, copy):
    files[0].stored_as = "elsewhere/name"
    write(old, files[0], b"aaa")
    type(files[0]).objects.filter(pk=files[0].pk).update(stored_as="elsewhere/name")
    new = MemoryDeliveryStore()

    assert copy(target=new)["a.txt"] == "copied"
    assert new.exists("elsewhere/name")


class Full(FsHierDeliveryStore):
    """A disk that has no room for the letter a."""

    def _write_open(self, name, file, **options):
        pending = super()._write_open(name, file, **options)
        write = pending.write

        def write_unless_full(data):
            if b"a" in data:
                raise OSError(28, "No space left on device")
            return write(data)

        pending.write = write_unless_full
        return pending


def test_an_error_is_told_and_the_others_are_copied(files, copy, tmp_path):
    copier = Copier(source=type(files[0]).deliverystore, target=Full(tmp_path / "new"))

    said = {one.file.filename: one for one in copy_all(copier, jobs=1)}

    assert said["a.txt"].outcome == "failed"
    assert "No space left" in said["a.txt"].reason
    assert said["large"].outcome == "copied"


class Strange(MemoryDeliveryStore):
    def size(self, name):
        raise LookupError("strange")


def test_an_error_that_nobody_expects_is_logged(files, copy, caplog):
    assert set(copy(target=Strange()).values()) == {"failed"}
    assert "LookupError: strange" in caplog.text


def test_a_store_of_a_stranger_can_be_copied_to(files, copy):
    class Strangers(DeliveryStoreInterface):
        def __init__(self):
            self.data = {}

        def _open(self, name, mode="rb"):
            if name not in self.data:
                raise FileNotFoundError(name)
            return ContentFile(self.data[name])

        def _save(self, name, content):
            self.data[name] = content.read()
            return name

        def _exists(self, name):
            return name in self.data

        def delete(self, name):
            self.data.pop(name, None)

    new = Strangers()

    assert set(copy(target=new).values()) == {"copied"}
    assert set(copy(target=new).values()) == {"present"}
    assert sorted(map(len, new.data.values())) == [0, 3, 3_000_000]
