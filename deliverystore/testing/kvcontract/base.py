"""What the tests of the contract have in common: a store, and how to ask it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from django.dispatch import Signal

from deliverystore import signals
from deliverystore.kvstore import AbstractStore
from deliverystore.kvstore.events import StoreEvent
from deliverystore.kvstore.metadata import Metadata

# Only the class that a tester writes is a TestCase; else this one would be run too.
if TYPE_CHECKING:
    from unittest import TestCase
else:
    TestCase = object


class KeyValueContractTests(TestCase):
    """The store under test, which is empty at the beginning of each test.

    prefix is what all keys begin with, for stores that take no others.
    """

    prefix = ""

    def get_store(self) -> AbstractStore:
        """Return the store to test, empty; called once for each test."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a method get_store(self) that returns an "
            "empty store to test."
        )

    @cached_property
    def store(self) -> AbstractStore:
        """The store under test."""
        return self.get_store()

    def key(self, key: str = "key") -> str:
        """Return a key that the store takes."""
        return self.prefix + key

    def put(self, key: str = "key", data: bytes = b"", /, **metadata: object) -> str:
        """Store data and metadata; return the whole key."""
        whole = self.key(key)
        self.store.set(whole, (io.BytesIO(data), metadata))
        return whole

    def assert_value(self, key: str, data: bytes, metadata: Metadata) -> None:
        """Fail unless a key has exactly this, whichever way it is asked for."""
        self.assertTrue(self.store.exists(key), f"{key!r:.80} must exist")
        value = self.store.get(key)
        with value as stream:
            self.assertEqual(stream.read(), data, f"data of {key!r:.80}")
        self.assertEqual(value.metadata, metadata, f"metadata of {key!r:.80}")
        self.assertEqual(value.size, len(data), f"size of {key!r:.80}")
        self.assertEqual(self.store.to_bytes(key), data)
        self.assertEqual(self.store.get_metadata(key), metadata)

    def assert_missing(self, key: str) -> None:
        """Fail if there is anything under a key."""
        self.assertFalse(self.store.exists(key), f"{key!r:.80} must not exist")
        with self.assertRaises(KeyError):
            self.store.get(key)
        with self.assertRaises(KeyError):
            self.store.get_metadata(key)
        self.assertNotIn(key, list(self.store.query_keys()))

    @contextmanager
    def listening(self, *chosen: Signal) -> Iterator[list[StoreEvent]]:
        """Collect the events of this store while a block runs."""
        events: list[StoreEvent] = []

        def receive(sender: object, event: StoreEvent, **_: object) -> None:
            if event.source is self.store:
                events.append(event)

        every = chosen or (
            signals.store_set,
            signals.store_update,
            signals.store_delete,
        )
        for signal in every:
            signal.connect(receive, weak=False)
        try:
            yield events
        finally:
            for signal in every:
                signal.disconnect(receive)


class Interruption(Exception):
    """What breaks something off in these tests."""


def breaking(*chunks: bytes) -> Iterator[bytes]:
    """Yield chunks, then break off."""
    yield from chunks
    raise Interruption
