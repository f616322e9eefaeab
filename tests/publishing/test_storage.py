"""Storages by filepaths: the contract, and what is each one's own."""

from __future__ import annotations

import pytest
from django.core.files.storage import FileSystemStorage, InMemoryStorage

from deliverystore.backends import FsDeliveryStore, MemoryDeliveryStore, default_store
from deliverystore.exceptions import (
    FileExists,
    NotLocal,
    NoWebServing,
    SettingInvalid,
)
from deliverystore.publishing import (
    BasicFileStorage,
    CloudFileStorage,
    StorageInterface,
    public_store,
    queue_store,
)
from tests.backends.conftest import object_store, objects  # noqa: F401 - fixtures
from tests.publishing.contract import StorageContract

FILES = "django.core.files.storage.FileSystemStorage"
IN_MEMORY = "django.core.files.storage.InMemoryStorage"


@pytest.fixture
def alias(settings, tmp_path):
    """Return an alias of Django's own storage for files."""
    options = {"location": tmp_path / "media", "base_url": "/media/"}
    settings.STORAGES = {
        **settings.STORAGES,
        "files": {"BACKEND": FILES, "OPTIONS": options},
    }
    return "files"


class TestBasicFileStorage(StorageContract):
    @pytest.fixture
    def storage(self, tmp_path):
        return BasicFileStorage(tmp_path / "media", "/media/")

    def test_its_files_have_an_address(self, storage):
        assert storage.file_url(["dir1", "é 1.jpg"]) == "/media/dir1/%C3%A9_1.jpg"

    def test_without_a_base_url_there_is_no_address(self, tmp_path):
        with pytest.raises(NoWebServing, match=r"dir1/a\.jpg"):
            BasicFileStorage(tmp_path).file_url(["dir1", "a.jpg"])

    def test_a_file_that_is_written_appears_whole(self, storage):
        with storage.get_file(["a.txt"], "w") as file:
            file.write("text")
            assert not storage.file_exists(["a.txt"])

        assert storage.get_file_size(["a.txt"]) == 4

    def test_an_empty_folder_goes_without_being_asked_twice(self, storage, tmp_path):
        (tmp_path / "media" / "empty").mkdir(parents=True)

        assert storage.delete_dir(["empty"])
        assert not storage.delete_dir(["empty"])


class TestAliasOfFiles(StorageContract):
    @pytest.fixture
    def storage(self, alias):
        return StorageInterface(alias)

    def test_it_is_written_to_durably_under_the_same_paths(self, storage, tmp_path):
        storage.store_unique(["dir1", "a.jpg"], b"x")

        assert isinstance(storage.store, FsDeliveryStore)
        assert (tmp_path / "media" / "dir1" / "a.jpg").read_bytes() == b"x"
        assert storage.file_url(["dir1", "a.jpg"]) == "/media/dir1/a.jpg"


class TestStorageOfItsOwn(StorageContract):
    """A subclass may do anything, so that its own methods are called."""

    exact = False

    @pytest.fixture
    def storage(self, tmp_path):
        class Own(FileSystemStorage):
            pass

        return StorageInterface(Own(tmp_path))

    def test_what_cannot_be_replaced_is_not(self, storage, tmp_path):
        (tmp_path / "new.txt").write_text("new")
        storage.copy_local_to_storage(tmp_path / "new.txt", ["taken.txt"])

        with pytest.raises(FileExists):
            storage.copy_local_to_storage(tmp_path / "new.txt", ["taken.txt"])


class TestMemory(StorageContract):
    @pytest.fixture
    def storage(self):
        return StorageInterface(MemoryDeliveryStore())

    def test_it_has_no_address(self, storage):
        with pytest.raises(NoWebServing):
            storage.file_url(["a.jpg"])


class TestQueueStore(StorageContract):
    @pytest.fixture
    def storage(self):
        return queue_store

    def test_it_is_the_delivery_store(self):
        assert queue_store.store is default_store


class TestPublicStore(StorageContract):
    @pytest.fixture
    def storage(self, settings, alias):
        settings.DELIVERY_STORE_PUBLIC_STORAGE = alias
        return public_store

    def test_an_alias_that_is_not_there_is_named(self, settings):
        settings.DELIVERY_STORE_PUBLIC_STORAGE = "gone"

        text = r"DELIVERY_STORE_PUBLIC_STORAGE: STORAGES has no 'gone'"
        with pytest.raises(SettingInvalid, match=text):
            public_store.file_exists(["a"])


class TestDjangosMemory(StorageContract):
    exact = False
    # Django says that it is not made for threads.
    test_of_many_who_store_one_name_at_once_each_keeps_its_own = None  # type: ignore[assignment]
    # Its exists() does not tell the one from the other.
    test_a_folder_is_no_file_and_a_file_no_folder = None  # type: ignore[assignment]

    @pytest.fixture
    def storage(self):
        return StorageInterface(InMemoryStorage())


@pytest.mark.objectstore
@pytest.mark.long
class TestCloudFileStorage(StorageContract):
    exact = False
    # It has no folders, whose last file would take them with it.

    @pytest.fixture
    def storage(self, objects, settings):  # noqa: F811 - the fixture
        settings.STORAGES = {
            **settings.STORAGES,
            "cloud": {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": objects.options(location=objects.prefix),
            },
        }
        yield CloudFileStorage("cloud")
        objects.clear()


def test_a_local_storage_of_a_cloud_is_copied_all_the_same(alias):
    storage = CloudFileStorage(alias)
    stored = storage.store_unique(["a.jpg"], b"x")

    assert not storage.local_storage
    with pytest.raises(NotLocal, match="'files'"):
        storage.get_local_path(stored)
