"""The contract: what changes do, and what they leave."""

from __future__ import annotations

import io
from enum import Enum, IntEnum

from deliverystore.exceptions import MetadataInvalid
from deliverystore.testing.kvcontract.base import (
    Interruption,
    KeyValueContractTests,
    breaking,
)


class Colour(str, Enum):  # noqa: UP042 - str() of a StrEnum would be its value
    """A text that is a member of an enum."""

    RED = "red"


class Number(IntEnum):
    """A number that is a member of an enum."""

    ONE = 1


def nested(times: int) -> list[object]:
    """Return lists in lists."""
    found: list[object] = []
    for _ in range(times):
        found = [found]
    return found


class ChangeTests(KeyValueContractTests):
    """set, set_data, set_metadata, update_metadata, delete, multiset …, info."""

    def test_set_replaces_data_and_metadata(self) -> None:
        """Nothing of the former value stays."""
        self.put("key", b"a rather long value", old=1)
        self.assert_value(self.put("key", b"new", new=2), b"new", {"new": 2})

    def test_set_data_leaves_the_metadata(self) -> None:
        """Of a new key, it is empty."""
        key = self.put("key", b"old", a=1)
        self.store.set_data(key, io.BytesIO(b"new"))
        self.assert_value(key, b"new", {"a": 1})
        self.store.set_data(self.key("other"), io.BytesIO(b"first"))
        self.assert_value(self.key("other"), b"first", {})

    def test_set_metadata_leaves_the_data(self) -> None:
        """It replaces all metadata; the data of a new key is empty."""
        key = self.put("key", b"data", a=1)
        self.store.set_metadata(key, {"b": 2})
        self.assert_value(key, b"data", {"b": 2})
        self.store.set_metadata(self.key("other"), {"c": 3})
        self.assert_value(self.key("other"), b"", {"c": 3})

    def test_update_metadata_keeps_the_other_names(self) -> None:
        """It is what dict.update() does."""
        key = self.put("key", b"data", a=1, b={"c": 2})
        self.store.update_metadata(key, {"b": 3, "d": 4})
        self.assert_value(key, b"data", {"a": 1, "b": 3, "d": 4})

    def test_a_deleted_key_is_gone_and_can_be_set_again(self) -> None:
        """With nothing of what it had."""
        key = self.put("key", b"data", a=1)
        self.store.delete(key)
        self.assert_missing(key)
        with self.assertRaises(KeyError):
            self.store.delete(key)
        self.store.set_data(key, b"again")
        self.assert_value(key, b"again", {})

    def test_a_stream_that_breaks_leaves_what_was_there(self) -> None:
        """Whole, and nothing under a new key."""
        key = self.put("key", b"old", a=1)
        with self.assertRaises(Interruption):
            self.store.set(key, (breaking(b"half of it"), {"a": 2}))
        with self.assertRaises(Interruption):
            self.store.set_data(key, breaking(b"x" * 3_000_000))
        self.assert_value(key, b"old", {"a": 1})
        with self.assertRaises(Interruption):
            self.store.set(self.key("new"), (breaking(b"half"), {}))
        self.assert_missing(self.key("new"))

    def test_metadata_that_json_cannot_hold_is_refused(self) -> None:
        """MetadataInvalid, a ValueError; and what was there stays."""
        key = self.put("key", b"old", a=1)
        wrong: list[dict[object, object]] = [
            {"a": object()},
            {"a": float("nan")},
            {"a": [float("inf")]},
            {"a": {"b": b"bytes"}},
            {1: "a"},
            {"a": {2: "b"}},
            {"a": "NUL \0"},
            {"\ud800": "a surrogate"},
            {"a": 10**5000},
            {"a": nested(2000)},
        ]
        for metadata in wrong:
            with self.subTest(metadata=str(metadata.keys())):
                with self.assertRaises(ValueError) as caught:
                    self.store.set(key, (b"new", metadata))  # type: ignore[arg-type]
                self.assertIsInstance(caught.exception, MetadataInvalid)
                with self.assertRaises(MetadataInvalid):
                    self.store.set_metadata(key, metadata)  # type: ignore[arg-type]
                with self.assertRaises(MetadataInvalid):
                    self.store.update_metadata(key, metadata)  # type: ignore[arg-type]
        self.assert_value(key, b"old", {"a": 1})

    def test_a_tuple_becomes_a_list(self) -> None:
        """As JSON has it."""
        self.assert_value(self.put("key", b"", a=(1, (2,))), b"", {"a": [1, [2]]})

    def test_values_of_classes_of_their_own_become_plain_ones(self) -> None:
        """Such as members of an enum, as JSON has them."""
        key = self.put("key", b"", text=Colour.RED, number=Number.ONE)
        found = self.store.get_metadata(key)
        self.assertEqual(found, {"text": "red", "number": 1})
        self.assertEqual({type(one) for one in found.values()}, {str, int})

    def test_metadata_may_be_nested(self) -> None:
        """A hundred times; what is deeper is found by no query, and breaks none."""
        key = self.put("key", b"", a=nested(98))
        self.assertEqual(list(self.store.query_keys(a=nested(98))), [key])
        self.assert_value(key, b"", {"a": nested(98)})

    def test_a_buffer_of_no_bytes_is_refused(self) -> None:
        """ValueError; and what was there stays."""
        key = self.put("key", b"old")
        for size in (0, -1):
            with self.subTest(size=size):
                with self.assertRaises(ValueError):
                    self.store.set(key, (io.BytesIO(b"new"), {}), buffer_size=size)
                with self.assertRaises(ValueError):
                    self.store.set_data(key, io.BytesIO(b"new"), buffer_size=size)
                with self.assertRaises(ValueError):
                    self.store.to_bytes(key, buffer_size=size)
        self.assert_value(key, b"old", {})

    def test_many_values_are_set_in_one_call(self) -> None:
        """A surplus of keys or values is ignored, as by zip()."""
        keys = [self.key(name) for name in "abc"]
        values = [(io.BytesIO(b"%d" % n), {"n": n}) for n in range(4)]
        self.store.multiset(iter(keys), iter(values))
        for number, key in enumerate(keys):
            self.assert_value(key, b"%d" % number, {"n": number})
        self.store.multiset_data([*keys, self.key("d")], [b"x", b"y", b"z"])
        self.store.multiset_metadata(keys, [{"m": 1}, {"m": 2}])
        self.store.multiupdate_metadata(keys, [{"u": 1}] * 9)
        self.assert_value(keys[0], b"x", {"m": 1, "u": 1})
        self.assert_value(keys[2], b"z", {"n": 2, "u": 1})
        self.assert_missing(self.key("d"))

    def test_many_values_are_set_together_or_not_at_all(self) -> None:
        """If one of them breaks, all is as before."""
        first = self.put("a", b"old")
        with self.assertRaises(Interruption):
            self.store.multiset(
                [first, self.key("b")], [(b"new", {}), (breaking(b"half"), {})]
            )
        self.assert_value(first, b"old", {})
        self.assert_missing(self.key("b"))
        with self.assertRaises(KeyError):
            self.store.multiupdate_metadata([first, self.key("b")], [{"n": 1}] * 2)
        self.assert_value(first, b"old", {})

    def test_data_can_be_whatever_has_bytes(self) -> None:
        """A file, bytes, an iterable; a file is read from where it stands."""
        file = io.BytesIO(b"0123")
        file.seek(2)
        for data, expected in ((file, b"23"), (b"ab", b"ab"), ([b"a", b"b"], b"ab")):
            self.store.set(self.key(), (data, {}))
            self.assert_value(self.key(), expected, {})

    def test_the_store_connects_and_disconnects(self) -> None:
        """And says whether it is connected; info() is a dict."""
        self.store.connect()
        self.assertTrue(self.store.is_connected())
        self.assertFalse(self.store.info()["readonly"])
        self.store.disconnect()
        self.assertFalse(self.store.is_connected())
