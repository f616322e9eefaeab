"""Stores that break the contract, each in one way, and the test that says so."""

from __future__ import annotations

import unittest
from contextlib import contextmanager

import pytest
from django.test import SimpleTestCase

from deliverystore.kvstore import DictMemoryStore, Value
from deliverystore.kvstore.changes import Change
from deliverystore.kvstore.values import BytesSource
from deliverystore.testing import KeyValueStoreTestMixin


class SharesMetadata(DictMemoryStore):
    def _read_metadata(self, key):
        return self._entry(key).metadata


class ForgetsOldNames(DictMemoryStore):
    def update_metadata(self, key, metadata):
        self._change(Change(key=key, metadata=dict(metadata), required=True))


class MixesKeys(DictMemoryStore):
    def _commit(self, changes):
        return super()._commit([self._lower(one) for one in changes])

    def _lower(self, change):
        return Change(**{**vars(change), "key": change.key.lower()})


class TakesTrueForOne(DictMemoryStore):
    def _scan(self, matcher):
        for key, entry in self._entries.items():
            wanted = matcher.wanted.items()
            if all(entry.metadata.get(name) == value for name, value in wanted):
                yield key, dict(entry.metadata)


class CommitsAtOnce(DictMemoryStore):
    @contextmanager
    def transaction(self, notes=""):
        yield


class KeepsHalf(DictMemoryStore):
    def _stage(self, chunks):
        kept = []
        try:
            kept.extend(chunks)
        except Exception:  # noqa: BLE001 - this is what is wrong with it
            return BytesSource(b"".join(kept))
        return BytesSource(b"".join(kept))


class SaysNothing(DictMemoryStore):
    def _tell_later(self, events):
        pass


class IsNoSnapshot(DictMemoryStore):
    def _read(self, key):
        return Later(self, key, super()._read(key))


class Later(Value):
    """Looks again when its data is asked for."""

    def __init__(self, store, key, value):
        super().__init__(BytesSource(), value.metadata, modified=value.modified)
        self._store, self._key = store, key

    @property
    def data(self):
        return self._store._entry(self._key).data.open()

    @property
    def size(self):
        return self._store._entry(self._key).data.size

    def range(self, start=None, end=None):
        return Value(self._store._entry(self._key).data, {}).range(start, end)


BROKEN = {
    SharesMetadata: "test_metadata_is_a_fresh_copy_each_time",
    ForgetsOldNames: "test_update_metadata_keeps_the_other_names",
    MixesKeys: "test_keys_of_every_shape_have_values_of_their_own",
    TakesTrueForOne: "test_equal_is_what_json_takes_for_equal",
    CommitsAtOnce: "test_an_exception_undoes_everything",
    KeepsHalf: "test_a_stream_that_breaks_leaves_what_was_there",
    SaysNothing: "test_each_change_is_told_when_it_is_done",
    IsNoSnapshot: "test_a_value_stays_what_it_was",
}


def run(store, name):
    """Return whether a test of the contract is passed by a store."""

    class Tested(KeyValueStoreTestMixin, SimpleTestCase):
        def get_store(self):
            return store()

    result = unittest.TestResult()
    unittest.TestSuite([Tested(name)]).run(result)
    return result.wasSuccessful()


@pytest.mark.parametrize(("store", "name"), BROKEN.items())
def test_what_a_store_does_wrong_is_found(store, name):
    assert not run(store, name)
    assert run(DictMemoryStore, name)
