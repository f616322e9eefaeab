"""The contract: those who listen are told what has happened."""

from __future__ import annotations

from typing import Any

from deliverystore import signals
from deliverystore.kvstore import (
    StoreDeleteEvent,
    StoreProgressEndEvent,
    StoreProgressStartEvent,
    StoreProgressStepEvent,
    StoreSetEvent,
    StoreTransactionEndEvent,
    StoreTransactionStartEvent,
    StoreUpdateEvent,
)
from deliverystore.testing.kvcontract.base import (
    Interruption,
    KeyValueContractTests,
    breaking,
)


class EventTests(KeyValueContractTests):
    """Events, through Django's signals."""

    def test_each_change_is_told_when_it_is_done(self) -> None:
        """A new key is set, one that was there is updated, one that went deleted."""
        key = self.key()
        with self.listening() as events:
            self.put("key", b"", a=1)
            self.put("key", b"", a=2)
            self.store.set_data(key, b"data")
            self.store.set_metadata(key, {"a": 3})
            self.store.update_metadata(key, {"b": 4})
            self.store.delete(key)
        change: dict[str, Any] = {"source": self.store, "key": key}
        expected = [
            StoreSetEvent(**change, metadata={"a": 1}),
            StoreUpdateEvent(**change, metadata={"a": 2}),
            StoreUpdateEvent(**change, metadata={"a": 2}),
            StoreUpdateEvent(**change, metadata={"a": 3}),
            StoreUpdateEvent(**change, metadata={"a": 3, "b": 4}),
            StoreDeleteEvent(**change, metadata={"a": 3, "b": 4}),
        ]
        self.assertEqual(events, expected)

    def test_what_a_receiver_sees_is_there(self) -> None:
        """The store holds the new value when the event comes."""
        seen: list[bytes] = []

        def receive(sender: object, event: StoreSetEvent, **_: object) -> None:
            if event.source is self.store:
                seen.append(self.store.to_bytes(event.key))

        signals.store_set.connect(receive)
        try:
            self.put("key", b"data")
        finally:
            signals.store_set.disconnect(receive)
        self.assertEqual(seen, [b"data"])

    def test_nothing_is_told_of_what_did_not_happen(self) -> None:
        """A stream that breaks, a key that is missing, a transaction undone."""
        with self.listening() as events:
            with self.assertRaises(Interruption):
                self.store.set(self.key(), (breaking(b"half"), {}))
            with self.assertRaises(KeyError):
                self.store.delete(self.key())
            with self.assertRaises(Interruption), self.store.transaction("undone"):
                self.put()
                raise Interruption
        self.assertEqual(events, [])

    def test_a_transaction_tells_at_its_end_what_became_of_each_key(self) -> None:
        """After it has told that it is done; of what came and went, nothing."""
        gone = self.put("gone", b"", a=1)
        chosen = (
            signals.store_transaction_start,
            signals.store_transaction_end,
            signals.store_set,
            signals.store_update,
            signals.store_delete,
        )
        with self.listening(*chosen) as events, self.store.transaction("notes"):
            self.put("key", b"", a=1)
            self.put("key", b"", a=2)
            self.put("brief")
            self.store.delete(self.key("brief"))
            self.store.delete(gone)
            started = len(events)
        source: dict[str, Any] = {"source": self.store}
        expected = [
            StoreTransactionStartEvent(**source, notes="notes"),
            StoreTransactionEndEvent(**source, notes="notes", state="done"),
            StoreSetEvent(**source, key=self.key(), metadata={"a": 2}),
            StoreDeleteEvent(**source, key=gone, metadata={"a": 1}),
        ]
        self.assertEqual(started, 1)
        self.assertCountEqual(events, expected)
        self.assertEqual(events[:2], expected[:2])

    def test_a_transaction_that_fails_tells_so(self) -> None:
        """And nothing of keys."""
        with (
            self.listening(signals.store_transaction_end) as events,
            self.assertRaises(Interruption),
            self.store.transaction(),
        ):
            self.put()
            raise Interruption
        expected = StoreTransactionEndEvent(source=self.store, notes="", state="failed")
        self.assertEqual(events, [expected])

    def test_a_receiver_that_fails_harms_nobody(self) -> None:
        """The error is logged by Django, the value is there."""

        def fail(sender: object, **_: object) -> None:
            raise Interruption

        signals.store_set.connect(fail)
        try:
            with self.assertLogs("django.dispatch", "ERROR"):
                key = self.put("key", b"data")
        finally:
            signals.store_set.disconnect(fail)
        self.assert_value(key, b"data", {})

    def test_copies_tell_how_far_they_are(self) -> None:
        """Start, a step for each buffer, and the end."""
        chosen = (
            signals.store_progress_start,
            signals.store_progress_step,
            signals.store_progress_end,
        )
        with self.listening(*chosen) as events:
            self.store.set(self.key(), (b"0123456789", {"a": 1}), buffer_size=4)
            self.store.to_bytes(self.key(), buffer_size=5)
        kinds = [type(event) for event in events]
        start, step, end = (
            StoreProgressStartEvent,
            StoreProgressStepEvent,
            StoreProgressEndEvent,
        )
        self.assertEqual(kinds, [start, step, step, step, end, start, step, step, end])
        steps = [e.step for e in events if isinstance(e, StoreProgressStepEvent)]
        self.assertEqual(steps, [4, 8, 10, 5, 10])
        with self.listening(*chosen) as events, self.assertRaises(Interruption):
            self.store.set(self.key(), (breaking(b"half"), {}))
        last = events[-1]
        assert isinstance(last, StoreProgressEndEvent)  # noqa: S101 - for mypy
        self.assertEqual(last.exit_state, "exception")
