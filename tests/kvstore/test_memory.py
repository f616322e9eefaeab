"""The store in memory: the contract, and no more."""

from __future__ import annotations

import io

import pytest
from django.test import SimpleTestCase

from deliverystore.kvstore import DictMemoryStore
from deliverystore.testing import KeyValueStoreTestMixin


class TestDictMemoryStore(KeyValueStoreTestMixin, SimpleTestCase):
    def get_store(self):
        return DictMemoryStore()


@pytest.mark.parametrize(
    "value", [b"x", b"xy", "ab", io.BytesIO(b"one\ntwo\n"), (b"x",), None, 1]
)
def test_a_value_that_is_no_pair_is_refused_with_the_key(value):
    store = DictMemoryStore()

    with pytest.raises(
        TypeError, match=r"Setting 'key': a value is \(data, metadata\)"
    ):
        store.set("key", value)
    with pytest.raises(TypeError, match="Setting 'key'"):
        store.multiset(["key"], [value])
    assert not store.exists("key")
