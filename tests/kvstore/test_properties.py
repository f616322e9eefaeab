"""Each store beside a plain dict: whatever is done, in whatever order."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from deliverystore.kvstore import (
    DatabaseStore,
    DictMemoryStore,
    FileSystemStore,
    JoinedStore,
    MountedStore,
    init_shared_store,
)
from deliverystore.kvstore.filenames import is_long, key_of, name_of
from deliverystore.kvstore.metadata import canonical
from deliverystore.models.kvstore import plain_key, stored_key

KEYS = st.sampled_from(["a", "A", "b", "../a", "a/b", "%61", "\0", "", "x" * 300])
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NAMES = st.sampled_from(["n", "m", "ä b"])
VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.0, -1, 0.5, "", "1", "ä"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2)
    ),
    max_leaves=3,
)
METADATA = st.dictionaries(NAMES, VALUES, max_size=3)
DATA = st.binary(max_size=20)


class Undone(Exception):
    """Undoes a transaction."""


class Machine(RuleBasedStateMachine):
    """The model: of each key, its data and metadata; and what a transaction began with.

    A subclass makes the store.
    """

    def __init__(self):
        super().__init__()
        self.store = self.make()
        self.model = {}
        self.blocks = []

    def make(self):
        raise NotImplementedError

    @rule(key=KEYS, data=DATA, metadata=METADATA)
    def set(self, key, data, metadata):
        self.store.set(key, (data, metadata))
        self.model[key] = (data, metadata)

    @rule(key=KEYS, data=DATA)
    def set_data(self, key, data):
        self.store.set_data(key, [data[:3], data[3:]])
        self.model[key] = (data, self.model.get(key, (b"", {}))[1])

    @rule(key=KEYS, metadata=METADATA)
    def set_metadata(self, key, metadata):
        self.store.set_metadata(key, metadata)
        self.model[key] = (self.model.get(key, (b"", {}))[0], metadata)

    @rule(key=KEYS, metadata=METADATA)
    def update_metadata(self, key, metadata):
        if self._refuses(key, lambda: self.store.update_metadata(key, metadata)):
            return
        data, before = self.model[key]
        self.model[key] = (data, {**before, **metadata})

    @rule(key=KEYS)
    def delete(self, key):
        if not self._refuses(key, lambda: self.store.delete(key)):
            del self.model[key]

    @rule(source=KEYS, to=KEYS)
    def copy(self, source, to):
        def copy():
            self.store.set(to, self.store.get(source))

        if not self._refuses(source, copy):
            self.model[to] = self.model[source]

    @rule(values=st.lists(st.tuples(KEYS, DATA, METADATA), max_size=4))
    def multiset(self, values):
        pairs = [(data, metadata) for _, data, metadata in values]
        self.store.multiset([key for key, _, _ in values], pairs)
        self.model |= {key: (data, metadata) for key, data, metadata in values}

    @precondition(lambda self: len(self.blocks) < 2)
    @rule()
    def begin(self):
        block = self.store.transaction("a block")
        block.__enter__()
        self.blocks.append((block, dict(self.model)))

    @precondition(lambda self: self.blocks)
    @rule()
    def commit(self):
        block, _ = self.blocks.pop()
        block.__exit__(None, None, None)

    @precondition(lambda self: self.blocks)
    @rule()
    def undo(self):
        block, self.model = self.blocks.pop()
        error = Undone()
        assert not _exit(block, error)

    @rule(name=NAMES, value=VALUES)
    def query(self, name, value):
        expected = {
            key
            for key, (_, metadata) in self.model.items()
            if name in metadata and canonical(metadata[name]) == canonical(value)
        }
        assert sorted(self.store.query_keys(**{name: value})) == sorted(expected)

    @invariant()
    def the_store_holds_what_the_model_holds(self):
        found = dict(self.store.query())
        assert found == {key: metadata for key, (_, metadata) in self.model.items()}
        assert sorted(self.store.query_keys()) == sorted(self.model)
        for key, (data, metadata) in self.model.items():
            value = self.store.get(key)
            with value as stream:
                assert (stream.read(), value.metadata) == (data, metadata)
            assert (value.size, self.store.exists(key)) == (len(data), True)

    def teardown(self):
        while self.blocks:
            self.undo()

    def _refuses(self, key, change):
        """Do a change of a key that must be there; tell whether it was refused."""
        try:
            change()
        except KeyError:
            assert key not in self.model
            return True
        assert key in self.model
        return False


def _exit(block, error):
    try:
        return block.__exit__(type(error), error, None)
    except Undone:
        return False


class MemoryMachine(Machine):
    def make(self):
        return DictMemoryStore()


class FolderMachine(Machine):
    def make(self):
        self.folder = Path(tempfile.mkdtemp(prefix="kvstore-"))
        init_shared_store(self.folder)
        return FileSystemStore(self.folder, durability="none")

    @invariant()
    def no_file_is_left(self):
        if not self.blocks:
            files = [name_of(key) for key in self.model]
            found = {path.name for path in self.folder.glob("[!.]*")}
            expected = {
                f"{name}{end}" for name in files for end in (".data", ".metadata")
            }
            expected |= {f"{name}.key" for name in files if is_long(name)}
            assert found == expected
            assert not list((self.folder / ".deliverystore-journal").glob("*"))

    def teardown(self):
        super().teardown()
        shutil.rmtree(self.folder)


class JoinedMachine(Machine):
    def make(self):
        return JoinedStore([DictMemoryStore(), DictMemoryStore()])


class MountedMachine(Machine):
    def make(self):
        return MountedStore("", DictMemoryStore(), DictMemoryStore())


TestMemory = MemoryMachine.TestCase
TestFolder = FolderMachine.TestCase
TestJoined = JoinedMachine.TestCase
TestMounted = MountedMachine.TestCase


class DatabaseMachine(Machine):
    count = 0

    def make(self):
        DatabaseMachine.count += 1
        return DatabaseStore(name=f"machine {self.count}")


class TestDatabase(TestCase):
    def test_the_store_is_a_dict(self):
        few = settings(max_examples=settings.default.max_examples // 3)
        run_state_machine_as_test(DatabaseMachine, settings=few)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 60))
def test_a_name_is_that_of_one_key_and_fits_into_a_folder(text, times):
    key = text * times
    name = name_of(key)

    assert "/" not in name
    assert "\0" not in name
    assert 0 < len(name.encode()) <= 237
    assert not name.startswith(".")
    assert is_long(name) or key_of(name) == key


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_name_that_is_taken_for_a_key_is_the_name_of_that_key(name):
    key = key_of(name)

    assert key is None or name_of(key) == name


@given(st.text(st.sampled_from("\0\x01\x02a")), st.text(st.sampled_from("\0\x01\x02a")))
def test_a_key_in_the_database_has_no_nul_and_comes_back(one, other):
    assert "\0" not in stored_key(one)
    assert plain_key(stored_key(one)) == one
    assert (stored_key(one) == stored_key(other)) == (one == other)
    assert stored_key(one + other).startswith(stored_key(one))
