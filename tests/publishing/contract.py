"""What every storage must do that speaks by filepaths."""

from __future__ import annotations

import threading
from io import BytesIO
from pathlib import Path

import pytest

from deliverystore.exceptions import FileNotFound, InvalidFilepath, NotLocal

PHOTO = ["dir1", "dir2", "photo.jpg"]


class StorageContract:
    """A class of its own says what `storage` is."""

    # Whether the last part may get something random.
    exact = True

    @pytest.fixture
    def stored(self, storage):
        return storage.store_unique(PHOTO, b"a photo")

    def test_a_stored_file_can_be_read(self, storage, stored):
        with storage.get_file(stored) as file:
            assert file.read() == b"a photo"
        assert storage.get_file_size(stored) == 7
        assert storage.file_exists(stored)
        assert not storage.file_exists(["dir1", "other.jpg"])
        assert stored[:2] == ["dir1", "dir2"]
        if self.exact:
            assert stored == PHOTO

    def test_an_open_file_is_stored_from_its_start(self, storage):
        found = storage.store_unique(["a.bin"], BytesIO(b"x" * 3_000_000))

        assert storage.get_file_size(found) == 3_000_000

    def test_of_many_who_store_one_name_at_once_each_keeps_its_own(self, storage):
        barrier, found = threading.Barrier(8), {}

        def store(number):
            content = f"photo {number}".encode()
            barrier.wait()
            found[number] = storage.store_unique(["many", "photo.jpg"], content)

        threads = [threading.Thread(target=store, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len({tuple(one) for one in found.values()}) == 8
        for number, filepath in found.items():
            with storage.get_file(filepath) as file:
                assert file.read() == f"photo {number}".encode()

    def test_a_suggested_filepath_is_free(self, storage, stored):
        assert not storage.file_exists(storage.get_unique_filepath(stored))
        assert storage.get_unique_filepath(["new.jpg"]) == ["new.jpg"]

    def test_a_deleted_file_is_gone(self, storage, stored):
        storage.delete_file(stored)

        assert not storage.file_exists(stored)
        with pytest.raises(FileNotFound):
            storage.get_file(stored)
        storage.delete_file(stored)

    def test_a_folder_goes_with_its_files_if_that_is_asked(self, storage, stored):
        other = storage.store_unique(["other.jpg"], b"o")

        assert not storage.delete_dir(["dir1"])
        assert storage.file_exists(stored)
        assert storage.delete_dir(["dir1"], recursive=True)
        assert not storage.file_exists(stored)
        assert storage.file_exists(other)
        assert not storage.delete_dir(["dir1"], recursive=True)

    def test_a_folder_is_no_file_and_a_file_no_folder(self, storage, stored):
        assert not storage.file_exists(stored[:1])
        storage.delete_file(stored[:1])
        assert not storage.delete_dir(stored)
        assert not storage.delete_dir(stored, recursive=True)

        assert storage.file_exists(stored)

    def test_a_file_can_be_copied_here_and_there(self, storage, stored, tmp_path):
        path = tmp_path / "copy.jpg"
        path.write_bytes(b"replaced")

        storage.copy_locally(stored, path)
        assert path.read_bytes() == b"a photo"

        storage.copy_local_to_storage(path, ["back.jpg"])
        with storage.get_file(["back.jpg"]) as file:
            assert file.read() == b"a photo"

    def test_a_path_is_told_where_there_is_one(self, storage, stored):
        if storage.local_storage:
            path = Path(storage.get_local_path(stored))
            assert path.read_bytes() == b"a photo"
        else:
            with pytest.raises(NotLocal):
                storage.get_local_path(stored)

    @pytest.mark.parametrize(
        "filepath", [[], ["a", ".."], ["/"], [""], ["a", "", "b"], "photo.jpg"]
    )
    def test_what_names_nothing_is_refused(self, storage, filepath):
        with pytest.raises(InvalidFilepath):
            storage.store_unique(filepath, b"x")

    def test_what_would_leave_the_storage_stays_in_it(self, storage):
        found = storage.store_unique(["/dir1/", "foo/../nasty", "x.jpg"], b"x")

        assert found[:2] == ["dir1", "foo_.._nasty"]
