"""What is in a folder of a store, listed in order and from any name on."""

from __future__ import annotations

import os
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import SuspiciousFileOperation

from deliverystore.backends import FsDeliveryStore, FsHierDeliveryStore
from deliverystore.exceptions import FileNotFound

NOW = datetime.now(UTC)


@pytest.fixture(params=[FsDeliveryStore, FsHierDeliveryStore])
def store(request, tmp_path):
    return request.param(tmp_path / "files")


def lay(store, *names, hours=0):
    for name in names:
        path = os.path.join(store.location, name)  # noqa: PTH118 - also odd names
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(b"12345")
        then = (NOW - timedelta(hours=hours)).timestamp()
        os.utime(path, (then, then))


def names(store, after=""):
    return [entry.name for entry in store.walk(after)]


def test_names_are_sorted_by_their_parts(store):
    expected = ["a.b/1", "a/1", "a/1.txt", "a/b/c", "a0", "b/10", "b/9"]
    expected.sort(key=lambda name: name.split("/"))
    lay(store, *reversed(expected))

    assert names(store) == expected
    for number, name in enumerate(expected):
        assert names(store, name) == expected[number + 1 :]


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_large_folders_are_listed_piece_by_piece(store, monkeypatch, at_once):
    monkeypatch.setattr("deliverystore.backends.walking._NAMES_AT_ONCE", at_once)
    expected = sorted(f"{n % 3}/{n}" for n in range(30))
    lay(store, *expected)

    assert names(store) == expected
    assert names(store, "1/2") == [name for name in expected if name > "1/2"]


class Folder:
    """An entry of a folder that is a folder itself."""

    def __init__(self, number):
        self.name = f"{number:07}"

    def is_dir(self):
        return True

    def is_symlink(self):
        return False


@pytest.mark.long
def test_a_large_folder_does_not_fill_the_memory(store, monkeypatch):
    """Of 200,000 entries, few are kept at once."""
    monkeypatch.setattr("deliverystore.backends.walking._NAMES_AT_ONCE", 500)

    class Entries:
        def __init__(self, path):
            self.entries = iter(())
            if os.fspath(path) == store.location:
                self.entries = map(Folder, range(200_000))

        def __enter__(self):
            return self

        def __iter__(self):
            return self.entries

        def __exit__(self, *error):
            pass

    with monkeypatch.context() as patch:
        patch.setattr("deliverystore.backends.walking.os.scandir", Entries)
        tracemalloc.start()
        # The last 1,000 folders: all are looked at, and found to be empty.
        assert names(store, "0199000/x") == []
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024


def test_entries_say_size_and_time(store):
    lay(store, "a/1", hours=3)
    [entry] = store.walk()

    assert entry.size == 5
    assert abs(entry.modified - (NOW - timedelta(hours=3))) < timedelta(seconds=1)


def test_a_store_that_has_no_folder_yet_is_empty(store):
    assert names(store) == []
    assert list(store.leftovers(NOW)) == []


def test_what_is_neither_file_nor_folder_is_left_out(store):
    lay(store, "a/1")
    os.mkfifo(os.path.join(store.location, "a", "2"))  # noqa: PTH118
    os.symlink("nowhere", os.path.join(store.location, "a", "3"))  # noqa: PTH118, PTH211

    assert names(store) == ["a/1"]


def test_folders_may_be_links_to_other_disks(store, tmp_path):
    lay(store, "a/1")
    lay(FsDeliveryStore(tmp_path / "disk2"), "2")
    os.symlink(tmp_path / "disk2", os.path.join(store.location, "b"))  # noqa: PTH118, PTH211

    assert names(store) == ["a/1", "b/2"]


@pytest.mark.parametrize("link", ["up", "a/up", "a/b/up"])
@pytest.mark.parametrize("target", ["a", "a/b", ".", "..", "../.."])
def test_links_that_lead_back_are_not_followed(store, link, target):
    """What can be reached in two ways would be seen twice, or without end."""
    lay(store, "a/b/1", "a/b/.deliverystore-1", hours=30)
    os.symlink(  # noqa: PTH211
        os.path.join(store.location, target),  # noqa: PTH118
        os.path.join(store.location, link),  # noqa: PTH118
    )

    assert names(store) == ["a/b/1"]
    assert list(store.leftovers(NOW)) == ["a/b/.deliverystore-1"]


def test_links_on_another_disk_that_lead_back_there_are_not_followed(store, tmp_path):
    lay(store, "a/1")
    lay(FsDeliveryStore(tmp_path / "disk2"), "c/2", "c/.deliverystore-2", hours=30)
    os.symlink(tmp_path / "disk2", os.path.join(store.location, "b"))  # noqa: PTH118, PTH211
    (tmp_path / "disk2" / "c" / "up").symlink_to(tmp_path / "disk2")
    (tmp_path / "disk2" / "home").symlink_to(store.location)

    assert names(store) == ["a/1", "b/c/2"]
    assert list(store.leftovers(NOW)) == ["b/c/.deliverystore-2"]


@pytest.fixture
def forbidden(store, monkeypatch):
    """Let the folder "b" of the store be one that cannot be listed."""
    lay(store, "a/1", "b/2", "c/3", hours=30)
    lay(store, *(f"{folder}/.deliverystore-{folder}" for folder in "abc"), hours=30)
    original = os.scandir

    def scandir(path):
        if str(path) == os.path.join(store.location, "b"):  # noqa: PTH118
            raise PermissionError(13, "Permission denied")
        return original(path)

    monkeypatch.setattr("deliverystore.backends.walking.os.scandir", scandir)


def test_a_folder_that_cannot_be_listed_is_told_and_the_rest_is_walked(
    store, forbidden
):
    told = []
    walked = store.walk(visit=lambda *one: told.append(one))

    assert [entry.name for entry in walked] == ["a/1", "c/3"]
    assert [folder for folder, error in told if error is None] == ["", "a", "b", "c"]
    [(folder, error)] = [one for one in told if one[1]]
    assert (folder, type(error)) == ("b", PermissionError)


def test_leftovers_of_a_folder_that_cannot_be_listed_are_told_and_passed_by(
    store, forbidden
):
    told = []
    left = store.leftovers(NOW, visit=lambda *one: told.append(one))

    assert sorted(left) == ["a/.deliverystore-a", "c/.deliverystore-c"]
    assert [folder for folder, error in told if error] == ["b"]
    assert len(list(store.leftovers(NOW))) == 2


def test_if_the_whole_store_cannot_be_listed_that_is_an_error(store, monkeypatch):
    def scandir(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("deliverystore.backends.walking.os.scandir", scandir)
    with pytest.raises(PermissionError):
        names(store)
    with pytest.raises(PermissionError):
        list(store.leftovers(NOW))


def test_what_the_file_system_keeps_at_the_top_is_left_out(store):
    lay(store, "lost+found/1", "lost+found/.deliverystore-1", "a/lost+found", hours=9)

    assert names(store) == ["a/lost+found"]
    assert list(store.leftovers(NOW)) == []


def test_who_is_told_of_folders_may_stop_the_walk(store):
    lay(store, "a/1", "b/2")

    def stop(folder, error):
        if folder == "b":
            raise KeyboardInterrupt

    walk = store.walk(visit=stop)
    assert next(walk).name == "a/1"
    with pytest.raises(KeyboardInterrupt):
        next(walk)


def test_what_is_removed_while_it_walks_is_left_out(store):
    lay(store, "a/1", "a/2", "b/1")
    walk = store.walk()
    assert next(walk).name == "a/1"
    store.remove("a/2")
    store.remove("b/1")

    assert list(walk) == []


# -- Temporary files ---------------------------------------------------------------


def test_temporary_files_are_no_names_but_leftovers(store):
    lay(store, "a/1", "a/.deliverystore-1", ".deliverystore-2", hours=30)
    lay(store, "b/.deliverystore-3", hours=1)

    assert names(store) == ["a/1"]
    day = NOW - timedelta(days=1)
    assert sorted(store.leftovers(day)) == [".deliverystore-2", "a/.deliverystore-1"]


def test_a_leftover_is_removed_with_its_folder_once(store):
    lay(store, "a/1", "b/.deliverystore-1", ".deliverystore-2", hours=30)
    for name in ("b/.deliverystore-1", ".deliverystore-2"):
        store.remove_leftover(name)

    assert sorted(os.listdir(store.location)) == ["a"]  # noqa: PTH208
    with pytest.raises(FileNotFound, match=r"b/\.deliverystore-1"):
        store.remove_leftover("b/.deliverystore-1")


@pytest.mark.parametrize(
    "name", ["a/1", "../.deliverystore-1", "a/../../.deliverystore-1", ""]
)
def test_only_leftovers_inside_the_store_are_removed(store, tmp_path, name):
    lay(store, "a/1", hours=30)
    outside = tmp_path / ".deliverystore-1"
    outside.write_bytes(b"not ours")

    with pytest.raises(SuspiciousFileOperation):
        store.remove_leftover(name)
    assert names(store) == ["a/1"]
    assert outside.exists()
