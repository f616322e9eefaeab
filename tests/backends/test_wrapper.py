"""DjangoStorageDeliveryStore: a prefix in any storage, whatever the storage does."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import (
    FileSystemStorage,
    InMemoryStorage,
    InvalidStorageError,
)

from deliverystore.backends import DjangoStorageDeliveryStore
from deliverystore.exceptions import (
    FileExists,
    FileNotFound,
    MissingExtra,
    StoreUnavailable,
)
from deliverystore.models import FileMeta


@pytest.fixture
def storage(tmp_path):
    return FileSystemStorage(tmp_path, base_url="/media/")


@pytest.fixture
def store(storage):
    return DjangoStorageDeliveryStore("prefix", storage)


@pytest.fixture
def file():
    return FileMeta(delivery_id=5, pk=7)


def write(store, file, content):
    with store.write_open(file) as pending:
        pending.write(content)


def content_of(store, file):
    with store.read_open(file) as stored:
        return stored.read()


def all_files(folder):
    return sorted(
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()
    )


def test_files_lie_below_the_prefix(store, file, tmp_path):
    write(store, file, b"content")

    assert all_files(tmp_path) == ["prefix/5/7"]
    assert file.stored_as == ""


@pytest.mark.parametrize(
    ("root", "path"),
    [("a/b/", "a/b/5/7"), ("a", "a/5/7"), ("", "5/7"), (None, "deliveries/5/7")],
)
def test_the_prefix_is_an_argument_or_the_setting(
    settings, storage, file, tmp_path, root, path
):
    settings.DELIVERY_STORE_ROOT = "deliveries"
    write(DjangoStorageDeliveryStore(root, storage), file, b"content")

    assert all_files(tmp_path) == [path]


def test_the_storage_is_an_alias_or_the_setting(settings, tmp_path, file):
    settings.STORAGES = {
        **settings.STORAGES,
        "disk": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }
    write(DjangoStorageDeliveryStore("a", "disk"), file, b"content")
    settings.DELIVERY_STORE_STORAGE = "disk"
    write(DjangoStorageDeliveryStore("b"), file, b"content")

    assert all_files(tmp_path) == ["a/5/7", "b/5/7"]


def test_a_storage_that_does_not_replace_keeps_old_and_new_under_two_names(
    store, file, tmp_path
):
    write(store, file, b"old")
    write(store, file, b"new")

    assert file.stored_as.startswith("5/7_")
    assert content_of(store, file) == b"new"
    store.remove(file)
    assert all_files(tmp_path) == ["prefix/5/7"]
    assert content_of(store, "5/7") == b"old"


def test_a_name_that_the_storage_does_not_replace_is_an_error(store, tmp_path):
    write(store, "essay.txt", b"old")

    with pytest.raises(FileExists, match="does not replace"):
        write(store, "essay.txt", b"new")

    assert content_of(store, "essay.txt") == b"old"
    assert all_files(tmp_path) == ["prefix/essay.txt"]


def test_a_storage_that_chooses_its_own_names_is_followed(tmp_path, file):
    class Shouting(FileSystemStorage):
        def _save(self, name, content):
            return super()._save(f"{name}.UPPER", content)

    store = DjangoStorageDeliveryStore("prefix", Shouting(tmp_path))
    write(store, file, b"content")

    assert file.stored_as == "5/7.UPPER"
    assert content_of(store, file) == b"content"
    assert store.exists(file)
    assert store.save("essay", ContentFile(b"")) == "essay.UPPER"


def test_a_storage_may_close_what_it_is_given(tmp_path, file):
    class Closing(FileSystemStorage):
        def _save(self, name, content):
            with content:
                return super()._save(name, content)

    store = DjangoStorageDeliveryStore("prefix", Closing(tmp_path))
    write(store, file, b"content")

    assert content_of(store, file) == b"content"
    assert all_files(tmp_path) == ["prefix/5/7"]


@pytest.mark.parametrize("size", [3, 3_000_000])
def test_a_storage_that_fails_is_an_error_and_not_asked_again(tmp_path, file, size):
    attempts = []

    class Failing(FileSystemStorage):
        def _save(self, name, content):
            attempts.append(content.size)
            raise ConnectionError("the network is down")

    store = DjangoStorageDeliveryStore("prefix", Failing(tmp_path))
    with pytest.raises(ConnectionError):
        write(store, file, b"x" * size)

    assert attempts == [size]
    assert not store.exists(file)


class QuotaOfTheService(Exception):
    """An error as the library of a service raises them: of its own, no built-in one."""


class Refusing(FileSystemStorage):
    """A storage whose service refuses everything."""

    def refuse(self, *args, **kwargs):
        raise QuotaOfTheService("402 pay first")

    _open = _save = delete = exists = listdir = size = url = refuse
    get_accessed_time = get_created_time = get_modified_time = refuse


CALLS = {
    "open": lambda store: store.open("essay.txt"),
    "open as text": lambda store: store.open("essay.txt", "r"),
    "read_open": lambda store: store.read_open("essay.txt"),
    "read_range": lambda store: store.read_range("essay.txt", 1, 2),
    "write_open": lambda store: write(store, "essay.txt", b"content"),
    "save": lambda store: store.save("essay.txt", ContentFile(b"content")),
    "exists": lambda store: store.exists("essay.txt"),
    "remove": lambda store: store.remove("essay.txt"),
    "delete": lambda store: store.delete("essay.txt"),
    "copy": lambda store: store.copy("essay.txt", "copy.txt"),
    "get_available_name": lambda store: store.get_available_name("essay.txt"),
    "listdir": lambda store: store.listdir(""),
    "size": lambda store: store.size("essay.txt"),
    "url": lambda store: store.url("essay.txt"),
    "get_accessed_time": lambda store: store.get_accessed_time("essay.txt"),
    "get_created_time": lambda store: store.get_created_time("essay.txt"),
    "get_modified_time": lambda store: store.get_modified_time("essay.txt"),
    "walk": lambda store: list(store.walk()),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_only_the_library_of_a_service_knows_becomes_an_error_of_the_store(
    tmp_path, call
):
    store = DjangoStorageDeliveryStore("prefix", Refusing(tmp_path))

    with pytest.raises(StoreUnavailable, match=r"Refusing .*402 pay first") as caught:
        call(store)

    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value.__cause__, QuotaOfTheService)


def test_the_error_names_the_alias_and_the_file(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "handed-in": {
            "BACKEND": f"{__name__}.Refusing",
            "OPTIONS": {"location": tmp_path},
        },
    }

    with pytest.raises(
        StoreUnavailable,
        match=r"^STORAGES\['handed-in'\] cannot be used for 'a.txt': 402",
    ):
        DjangoStorageDeliveryStore("prefix", "handed-in").exists("a.txt")


def test_a_service_that_fails_while_a_file_is_read_is_an_error_of_the_store(tmp_path):
    class Breaking(File):
        def read(self, *args):
            raise QuotaOfTheService("402 pay first")

    class Storage(FileSystemStorage):
        def _open(self, name, mode="rb"):
            return Breaking(super()._open(name, mode).file)

    store = DjangoStorageDeliveryStore("prefix", Storage(tmp_path))
    write(store, "essay.txt", b"content")

    with (
        store.read_open("essay.txt") as file,
        pytest.raises(StoreUnavailable, match=r"'essay.txt': 402 pay first"),
    ):
        file.read()


def test_saving_never_replaces_what_the_storage_would_replace(tmp_path):
    storage = FileSystemStorage(tmp_path, allow_overwrite=True)
    store = DjangoStorageDeliveryStore("prefix", storage)

    names = [store.save("a.txt", ContentFile(b"first")) for _ in range(2)]

    assert len(set(names)) == 2
    assert all(name.startswith("a") for name in names)


def test_leftovers_are_for_storages_that_have_some(store):
    assert list(store.leftovers(datetime.now(UTC))) == []
    with pytest.raises(FileNotFound, match=r"no temporary file 'a.txt'"):
        store.remove_leftover("a.txt")


def test_ranges_of_files_that_cannot_seek_are_read_from_the_start(file):
    class Pipe(io.RawIOBase):
        def __init__(self, content):
            self.content = io.BytesIO(content)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.content.readinto(buffer)

    class Streaming(InMemoryStorage):
        def _open(self, name, mode="rb"):
            with super()._open(name) as stored:
                return File(io.BufferedReader(Pipe(stored.read())), name)

    store = DjangoStorageDeliveryStore("prefix", Streaming())
    write(store, file, b"0123456789" * 300_000)

    with store.read_range(file, 2_000_003, 4) as part:
        assert part.read() == b"3456"
    with store.read_range(file, 5_000_000, 4) as part:
        assert part.read() == b""


def test_closing_a_range_closes_the_file_below_it(tmp_path, file):
    opened = []

    class Remembering(FileSystemStorage):
        def _open(self, name, mode="rb"):
            opened.append(super()._open(name, mode))
            return opened[-1]

    store = DjangoStorageDeliveryStore("prefix", Remembering(tmp_path))
    write(store, file, b"content")
    store.read_range(file, 0, 3).close()

    assert [one.closed for one in opened] == [True]


def test_no_method_leaves_the_prefix(store, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")

    for method in (
        store.open,
        store.read_open,
        store.write_open,
        store.exists,
        store.remove,
        store.delete,
        store.size,
        store.url,
        store.path,
        store.listdir,
        store.get_accessed_time,
        store.get_created_time,
        store.get_modified_time,
    ):
        with pytest.raises(SuspiciousFileOperation):
            method("../secret")

    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_the_other_methods_of_a_storage_are_passed_on(store, storage):
    name = store.save("folder/my essay.txt", ContentFile(b"content"))

    assert name == "folder/my essay.txt"
    assert store.size(name) == 7
    assert store.url(name) == "/media/prefix/folder/my%20essay.txt"
    assert store.path(name) == storage.path("prefix/folder/my essay.txt")
    assert store.listdir("") == (["folder"], [])
    assert store.listdir("folder") == ([], ["my essay.txt"])
    for method in ("get_accessed_time", "get_created_time", "get_modified_time"):
        of_storage = getattr(storage, method)("prefix/folder/my essay.txt")
        assert getattr(store, method)(name) == of_storage
    assert store.get_valid_name("my essay.txt") == "my_essay.txt"
    store.delete(name)
    assert store.listdir("folder") == ([], [])


def test_a_missing_file_has_no_size(store):
    with pytest.raises(FileNotFound, match=r"has no 'missing.txt'"):
        store.size("missing.txt")


def test_an_empty_name_cannot_be_deleted(store):
    with pytest.raises(ValueError, match="name must be given"):
        store.delete("")


def test_a_name_is_cut_for_the_field_not_counting_the_prefix(store):
    names = [
        store.save("a" * 40 + ".txt", ContentFile(b""), max_length=44) for _ in range(2)
    ]

    assert [len(name) for name in names] == [44, 44]
    assert names[0] != names[1]


def test_an_alias_whose_package_is_missing_names_the_extra(settings, monkeypatch):
    settings.STORAGES = {
        **settings.STORAGES,
        "s3": {"BACKEND": "storages.backends.s3.S3Storage"},
    }
    for module in ("storages", "storages.backends", "storages.backends.s3"):
        monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(MissingExtra, match=r'pip install "deliverystore\[s3\]"'):
        DjangoStorageDeliveryStore("prefix", "s3").exists("essay.txt")


def test_an_alias_that_is_not_there_is_an_error_of_django(settings):
    with pytest.raises(InvalidStorageError, match="nowhere"):
        DjangoStorageDeliveryStore("prefix", "nowhere").exists("essay.txt")
