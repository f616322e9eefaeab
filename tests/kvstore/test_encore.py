"""Folders of the ancestor are read and written, and it reads and writes ours."""

from __future__ import annotations

import io
import string

from encore.storage import filesystem_store as encore

from deliverystore.kvstore import FileSystemStore, init_shared_store

# All but those that we escape, or the ancestor cannot find again.
ORDINARY = (
    *string.ascii_letters,
    *(c for c in string.punctuation if c not in "/%."),
    *("a b", "a.b", "egg-1.0.2_x86", "Grüße", "世界", "🗝", "x" * 200),
)
METADATA = {"text": "Grüße, 世界", "list": [1, None, {"a": True}], "float": 0.5}


def theirs(folder):
    store = encore.FileSystemStore(str(folder))
    store.connect()
    return store


def as_read(store, keys):
    return {key: (store.to_bytes(key), store.get_metadata(key)) for key in keys}


EXPECTED = {key: (key.encode(), {**METADATA, "key": key}) for key in ORDINARY}


def test_what_the_ancestor_has_written_is_read(tmp_path):
    encore.init_shared_store(str(tmp_path))
    store = theirs(tmp_path)
    for key, (data, metadata) in EXPECTED.items():
        store.set(key, (io.BytesIO(data), metadata))
    ours = FileSystemStore(tmp_path)

    assert as_read(ours, ours.query_keys()) == EXPECTED
    assert list(ours.query_keys(key="世界")) == ["世界"]


def test_the_ancestor_reads_what_we_have_written(tmp_path):
    init_shared_store(tmp_path)
    ours = FileSystemStore(tmp_path)
    for key, (data, metadata) in EXPECTED.items():
        ours.set(key, (data, metadata))
    store = theirs(tmp_path)

    assert as_read(store, store.query_keys()) == EXPECTED
    assert [key for key, _ in store.query(key="世界")] == ["世界"]


def test_both_go_on_with_what_the_other_has_left(tmp_path):
    init_shared_store(tmp_path)
    ours, store = FileSystemStore(tmp_path), theirs(tmp_path)
    ours.set("key", (b"one", {"a": 1}))
    store.set_metadata("key", {"a": 2, "b": 3})
    ours.update_metadata("key", {"a": 4})
    store.set_data("key", io.BytesIO(b"two"))
    with ours.transaction("several"):
        ours.set("other", (b"data", {}))
        ours.update_metadata("key", {"c": 5})

    assert as_read(store, ["key"]) == {"key": (b"two", {"a": 4, "b": 3, "c": 5})}
    store.delete("key")
    assert list(ours.query_keys()) == ["other"]
    ours.delete("other")
    assert not list(store.query_keys())
