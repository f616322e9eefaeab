"""The store in memory: the contract, and no more."""

from __future__ import annotations

from django.test import SimpleTestCase

from deliverystore.kvstore import DictMemoryStore
from deliverystore.testing import KeyValueStoreTestMixin


class TestDictMemoryStore(KeyValueStoreTestMixin, SimpleTestCase):
    def get_store(self):
        return DictMemoryStore()
