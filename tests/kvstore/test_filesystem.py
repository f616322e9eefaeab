"""The store in a folder."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import SimpleTestCase

from deliverystore.exceptions import FileDamaged, StoreNotFound
from deliverystore.kvstore import FileSystemStore, init_shared_store
from deliverystore.kvstore.changes import Change
from deliverystore.testing import KeyValueStoreTestMixin


class TestFileSystemStore(KeyValueStoreTestMixin, SimpleTestCase):
    durability = "none"

    def get_store(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "store"
        init_shared_store(path)
        return FileSystemStore(path, durability=self.durability)


class TestDurableFileSystemStore(TestFileSystemStore):
    durability = "full"


@pytest.fixture
def folder(tmp_path):
    init_shared_store(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def store(folder):
    return FileSystemStore(folder)


def names(folder):
    """Return what is in a folder, but for its journal, which must be empty."""
    found = {path.name for path in folder.iterdir()}
    assert not [*(folder / ".deliverystore-journal").glob("*")]
    return found - {".deliverystore-journal"}


def test_a_folder_is_made_a_store_once(tmp_path):
    init_shared_store(tmp_path / "a" / "b", magic_fname=".magic")
    FileSystemStore(tmp_path / "a" / "b", ".magic").set_data("key", b"data")
    init_shared_store(tmp_path / "a" / "b", ".magic")

    assert FileSystemStore(str(tmp_path / "a" / "b"), ".magic").exists("key")


def test_a_folder_without_the_magic_file_is_no_store(tmp_path, folder):
    for path, magic in [(tmp_path, ".FSStore"), (folder, "x"), (folder / "no", "")]:
        with pytest.raises(StoreNotFound, match="init_shared_store"):
            FileSystemStore(path, magic)


def test_a_word_for_durability_that_is_none_is_said(folder):
    for call in (init_shared_store, FileSystemStore):
        with pytest.raises(ValueError, match=r"durability is .* not 'ful'"):
            call(folder, durability="ful")


def test_the_working_folder_is_not_made_a_store_for_want_of_a_name(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ValueError, match="name a folder"):
        init_shared_store("")
    assert not [*tmp_path.iterdir()]


CALLS = {
    "set": lambda store: store.set("key", (b"data", {})),
    "set_metadata": lambda store: store.set_metadata("key", {"a": 1}),
    "multiset_metadata": lambda store: store.multiset_metadata("ab", [{}, {}]),
    "delete": lambda store: store.delete("key"),
    "get": lambda store: store.get("key"),
    "get_metadata": lambda store: store.get_metadata("key"),
    "exists": lambda store: store.exists("key"),
    "query": lambda store: list(store.query(a=1)),
    "query_keys": lambda store: list(store.query_keys()),
    "glob": lambda store: list(store.glob("*")),
}


@pytest.mark.parametrize("is_empty", [True, False])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_folder_that_is_gone_is_said_and_not_made_again(
    store, folder, call, is_empty
):
    """Such as a disk that is not mounted any more: its folder is empty."""
    store.set("key", (b"data", {"a": 1}))
    folder.rename(folder.with_name("elsewhere"))
    if is_empty:
        folder.mkdir()

    with pytest.raises(StoreNotFound, match=r"store: it has no file '\.FSStore'"):
        call(store)
    assert folder.exists() == is_empty
    assert not is_empty or not [*folder.iterdir()]


def test_what_is_staged_leaves_nothing_if_the_folder_is_gone(store, folder):
    staged = store._stage([b"data"])
    (folder / ".FSStore").unlink()

    with pytest.raises(StoreNotFound):
        store._commit([Change(key="key", data=staged)])
    assert names(folder) == set()


def test_a_key_is_two_files_whose_names_a_person_can_read(store, folder):
    store.set("Grüße 1.0-2", (b"data", {"a": "ä"}))

    assert names(folder) == {".FSStore", "Grüße 1.0-2.data", "Grüße 1.0-2.metadata"}
    assert (folder / "Grüße 1.0-2.data").read_bytes() == b"data"
    assert (folder / "Grüße 1.0-2.metadata").read_text() == '{"a": "ä"}'


def test_other_characters_are_escaped_and_nothing_leaves_the_folder(store, folder):
    for key in ("../x", "a/../b", "nul\0", ".hidden", "100%", ""):
        store.set_data(key, b"data")

    keys = ["%", "%2E.%2Fx", "%2Ehidden", "100%25", "a%2F..%2Fb", "nul%00"]
    data = {f"{key}{suffix}" for key in keys for suffix in (".data", ".metadata")}
    assert names(folder) == {".FSStore", *data}
    assert {path.name for path in folder.parent.iterdir()} == {"store"}


def test_a_deleted_key_leaves_no_file(store, folder):
    for key in ("a", "x" * 4000):
        store.set(key, (b"data", {"a": 1}))
        store.delete(key)
    with store.transaction("several"):
        store.set_data("b", b"data")
        store.set_data("b", b"again")
        store.delete("b")

    assert names(folder) == {".FSStore"}


def test_what_breaks_off_leaves_no_file(store, folder):
    def break_off():
        with store.transaction("broken"):
            store.set("a", (b"data", {"a": 1}))
            store.set("b", ((1 / 0 for _ in range(1)), {}))

    with pytest.raises(ZeroDivisionError):
        break_off()

    assert names(folder) == {".FSStore"}


DEEP = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", DEEP])
def test_one_damaged_file_hides_no_other_key(store, folder, caplog, content):
    store.set("good", (b"data", {"a": 1}))
    store.set("bad", (b"data", {"a": 1}))
    (folder / "bad.metadata").write_bytes(content)

    assert list(store.query_keys(a=1)) == ["good"]
    assert "bad.metadata" in caplog.text
    with pytest.raises(FileDamaged, match=r"bad\.metadata"):
        store.get("bad")
    store.set("bad", (b"data", {"a": 1}))
    assert sorted(store.query_keys(a=1)) == ["bad", "good"]


def test_a_pipe_or_a_folder_in_the_place_of_a_file_keeps_nobody_waiting(
    store, folder, caplog
):
    store.set("good", (b"data", {"a": 1}))
    (folder / "folder.metadata").mkdir()
    os.mkfifo(folder / "pipe.metadata")

    assert list(store.query_keys(a=1)) == ["good"]
    assert "pipe.metadata is no file" in caplog.text
    with pytest.raises(FileDamaged, match=r"folder\.metadata is no file"):
        store.get_metadata("folder")


def test_metadata_that_only_the_ancestor_writes_is_read_found_and_changed(
    store, folder
):
    for name, raw in {"deep": f"{'[' * 500}{']' * 500}", "half": '"\\ud800"'}.items():
        (folder / f"{name}.metadata").write_text(f'{{"a": {raw}}}')
        (folder / f"{name}.data").write_bytes(b"data")
    store.update_metadata("half", {"b": 1})

    assert store.get_metadata("half") == {"a": "\ud800", "b": 1}
    assert list(store.query_keys(b=1)) == ["half"]
    assert list(store.query_keys(a=[1])) == []


def test_a_damaged_key_can_be_deleted(store, folder):
    store.set("bad", (b"data", {"a": 1}))
    (folder / "bad.metadata").write_bytes(b"{")
    store.delete("bad")

    assert not store.exists("bad")


def test_lost_data_is_an_error_and_no_missing_key(store, folder):
    store.set("key", (b"data", {"a": 1}))
    (folder / "key.data").unlink()

    with pytest.raises(FileDamaged, match=r"key\.data"):
        store.get("key")
    assert store.get_metadata("key") == {"a": 1}


def test_names_that_belong_to_no_key_are_left_out(store, folder, caplog):
    for name in ("100%", "%2f", "%41", f"%~{'0' * 64}", "x" * 240, "\udcff"):
        (folder / f"{name}.metadata").write_bytes(b"{}")
    store.set_data("key", b"")

    assert list(store.query_keys()) == ["key"]
    assert caplog.text.count("is not the name of any key") == 6


def test_a_query_reads_no_data_and_a_list_of_keys_reads_nothing(store, folder):
    for number in range(5):
        store.set(f"{number}", (b"data", {"n": number}))
        (folder / f"{number}.data").unlink()
    assert list(store.query_keys(n=3)) == ["3"]
    for number in range(5):
        (folder / f"{number}.metadata").write_bytes(b"damaged")

    assert sorted(store.query_keys()) == ["0", "1", "2", "3", "4"]
    assert list(store.glob("[3]")) == ["3"]


def test_a_sweep_removes_what_killed_writers_have_left(store, folder):
    store.set("key", (b"data", {}))
    store.set("x" * 4000, (b"data", {}))
    kept = names(folder)
    journal = folder / ".deliverystore-journal"
    litter = [folder / "gone.data", journal / ".deliverystore-0"]
    for path in litter:
        path.write_bytes(b"")
    assert store.sweep() == 0
    for path in litter:
        os.utime(path, (0, 0))

    assert store.sweep() == 2
    assert names(folder) == kept
    assert sorted(store.query_keys()) == ["key", "x" * 4000]


def test_a_sweep_does_not_mind_what_goes_while_it_looks(folder):
    class Gone(FileSystemStore):
        def _is_litter(self, path):
            if path.name == "gone.data":
                path.unlink(missing_ok=True)
            return path.name == "gone.data"

    (folder / "gone.data").touch()

    assert Gone(folder).sweep(timedelta(0)) == 0


def test_a_folder_that_is_only_read_can_be_read(tmp_path):
    """No journal, as the ancestor leaves it, and none is made."""
    (tmp_path / ".FSStore").write_bytes(b"")
    (tmp_path / "key.metadata").write_text('{"a": 1}')
    (tmp_path / "key.data").write_bytes(b"data")
    store = FileSystemStore(tmp_path)

    assert store.to_bytes("key") == b"data"
    assert list(store.query()) == [("key", {"a": 1})]
    assert not (tmp_path / ".deliverystore-journal").exists()
