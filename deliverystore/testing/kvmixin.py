"""The contract of a key-value store as a reusable test."""

from __future__ import annotations

from deliverystore.testing.kvcontract import (
    ChangeTests,
    EventTests,
    KeyTests,
    QueryTests,
    TransactionTests,
    ValueTests,
)


class KeyValueStoreTestMixin(
    ValueTests, ChangeTests, KeyTests, QueryTests, TransactionTests, EventTests
):
    """Tests whether a key-value store keeps the contract.

    Write one class with one method, which runs under unittest and pytest:

        class TestMyStore(KeyValueStoreTestMixin, SimpleTestCase):
            def get_store(self):
                return MyStore()

    The store is to be empty each time. If it takes only keys that begin in a certain
    way, say so in the attribute prefix.
    """
