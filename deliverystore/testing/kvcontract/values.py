"""The contract: what is under a key, and how it is read."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from deliverystore.exceptions import KeyNotFound
from deliverystore.kvstore import DictMemoryStore
from deliverystore.testing.kvcontract.base import KeyValueContractTests


class ValueTests(KeyValueContractTests):
    """get, get_data, get_data_range, get_metadata, multiget, to_file, to_bytes."""

    def test_data_and_metadata_come_back_as_they_were_set(self) -> None:
        """Every byte, and every kind of value that JSON has."""
        metadata = {
            "text": "Grüße, 世界",
            "none": None,
            "true": True,
            "int": 2**53 + 1,
            "float": 0.1,
            "list": [1, "two", [3]],
            "dict": {"a": {"b": None}},
        }
        key = self.put("key", bytes(range(256)) * 1000, **metadata)
        self.assert_value(key, bytes(range(256)) * 1000, metadata)

    def test_numbers_come_back_equal(self) -> None:
        """Also large and small ones; and they are found."""
        numbers = [0.1 + 0.2, 1e16, 1e23, 2.0**64, 5e-324, -1.7976931348623157e308]
        metadata = {f"n{place}": number for place, number in enumerate(numbers)}
        key = self.put("key", b"data", **metadata)
        self.assert_value(key, b"data", metadata)
        for name, number in metadata.items():
            with self.subTest(number=number):
                found = self.store.query_keys(**{name: number})
                self.assertEqual(list(found), [key])

    def test_a_missing_key_is_a_key_error(self) -> None:
        """Whatever is asked of it: KeyNotFound, which is a KeyError."""
        key, store = self.key("missing"), self.store
        self.assertFalse(store.exists(key))
        calls: dict[str, Callable[[], object]] = {
            "get": lambda: store.get(key),
            "get_data": lambda: store.get_data(key),
            "get_data_range": lambda: store.get_data_range(key, 0, 1),
            "get_metadata": lambda: store.get_metadata(key),
            "update_metadata": lambda: store.update_metadata(key, {"a": 1}),
            "delete": lambda: store.delete(key),
            "to_bytes": lambda: store.to_bytes(key),
            "multiget": lambda: list(store.multiget([key])),
            "multiget_data": lambda: list(store.multiget_data([key])),
            "multiget_metadata": lambda: list(store.multiget_metadata([key])),
        }
        for method, call in calls.items():
            with self.subTest(method=method):
                with self.assertRaises(KeyError) as caught:
                    call()
                self.assertIsInstance(caught.exception, KeyNotFound)

    def test_a_value_unpacks_as_data_and_metadata(self) -> None:
        """So it is the pair that set() takes."""
        data, metadata = self.store.get(self.put("key", b"data", a=1))
        self.assertEqual(metadata, {"a": 1})
        self.store.set(self.key("copy"), (data, metadata))
        data.close()
        self.assert_value(self.key("copy"), b"data", {"a": 1})

    def test_a_value_is_a_context_manager_that_gives_its_data(self) -> None:
        """And closes it."""
        with self.store.get(self.put("key", b"data")) as data:
            self.assertEqual(data.read(), b"data")
        self.assertTrue(data.closed)

    def test_metadata_is_a_fresh_copy_each_time(self) -> None:
        """Who changes it changes nothing in the store."""
        key = self.put("key", b"", a={"b": [1]})
        value = self.store.get(key)
        value.metadata["a"]["b"].append(2)
        self.store.get_metadata(key)["a"]["b"].append(2)
        for _, found in self.store.query():
            found["a"]["b"].append(2)
        self.assertEqual(value.metadata, {"a": {"b": [1]}})
        self.assert_value(key, b"", {"a": {"b": [1]}})

    def test_what_was_handed_in_can_be_changed_afterwards(self) -> None:
        """The store keeps a copy."""
        metadata: dict[str, list[int]] = {"a": [1]}
        self.store.set(self.key(), (io.BytesIO(b""), metadata))
        metadata["a"].append(2)
        self.assertEqual(self.store.get_metadata(self.key()), {"a": [1]})

    def test_select_leaves_out_what_is_absent(self) -> None:
        """Of the names in select, those that are there."""
        key = self.put("key", b"", a=1, b=2)
        self.assertEqual(self.store.get_metadata(key, select=["b", "c"]), {"b": 2})
        self.assertEqual(self.store.get_metadata(key, select=[]), {})
        found = list(self.store.multiget_metadata([key, key], select=iter(["a"])))
        self.assertEqual(found, [{"a": 1}, {"a": 1}])

    def test_a_range_goes_from_start_up_to_but_not_with_end(self) -> None:
        """None is the beginning or the end; what lies past the end is left out."""
        key = self.put("key", b"0123456789")
        value = self.store.get(key)
        for start, end, expected in (
            (2, 5, b"234"),
            (None, 3, b"012"),
            (7, None, b"789"),
            (None, None, b"0123456789"),
            (8, 100, b"89"),
            (100, None, b""),
            (3, 3, b""),
        ):
            with self.subTest(start=start, end=end):
                with self.store.get_data_range(key, start, end) as part:
                    self.assertEqual(part.read(), expected)
                with value.range(start, end) as part:
                    self.assertEqual(part.read(), expected)
        value.close()

    def test_a_range_that_counts_from_the_end_is_refused(self) -> None:
        """ValueError, as also for an end before the start."""
        key = self.put("key", b"0123456789")
        for start, end in ((-1, None), (0, -1), (5, 2)):
            with self.subTest(start=start, end=end), self.assertRaises(ValueError):
                self.store.get_data_range(key, start, end)

    def test_a_value_says_when_it_was_modified(self) -> None:
        """An aware time, which does not go back, if the medium keeps it."""
        first = self.store.get(self.put("key", b"1")).modified
        second = self.store.get(self.put("key", b"2")).modified
        if first is None or second is None:
            self.skipTest(f"{type(self.store).__name__} does not keep times")
        self.assertEqual(first.utcoffset(), timedelta(0))
        self.assertLessEqual(first, second)

    def test_a_value_stays_what_it_was(self) -> None:
        """Whatever becomes of its key meanwhile; data and metadata belong together."""
        key = self.put("key", b"old", version=1)
        value = self.store.get(key)
        self.put("key", b"the new one", version=2)
        self.store.delete(key)
        with value as data:
            self.assertEqual((data.read(), value.metadata), (b"old", {"version": 1}))

    def test_several_values_are_asked_for_in_one_call(self) -> None:
        """In the order of the keys."""
        keys = [self.put(name, name.encode(), n=name) for name in "cab"]
        values = list(self.store.multiget(keys))
        self.assertEqual([v.metadata["n"] for v in values], ["c", "a", "b"])
        datas = list(self.store.multiget_data(keys))
        self.assertEqual([data.read() for data in datas], [b"c", b"a", b"b"])
        found = list(self.store.multiget_metadata(keys))
        self.assertEqual(found, [{"n": "c"}, {"n": "a"}, {"n": "b"}])
        for value in values:
            value.close()
        for data in datas:
            data.close()

    def test_data_goes_to_a_file_and_comes_from_one(self) -> None:
        """to_file replaces a file; from_file leaves the metadata."""
        key = self.put("key", b"in the store", a=1)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            path.write_bytes(b"something longer that was there before")
            self.store.to_file(key, path)
            self.assertEqual(path.read_bytes(), b"in the store")
            path.write_bytes(b"from a file")
            self.store.from_file(key, str(path))
        self.assert_value(key, b"from a file", {"a": 1})
        self.store.from_bytes(key, b"from bytes")
        self.assert_value(key, b"from bytes", {"a": 1})

    def test_a_missing_key_leaves_the_file_as_it_was(self) -> None:
        """to_file() of nothing writes nothing."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            path.write_bytes(b"there before")
            with self.assertRaises(KeyError):
                self.store.to_file(self.key("missing"), path)
            self.assertEqual(path.read_bytes(), b"there before")

    def test_a_value_of_one_store_can_be_set_in_another(self) -> None:
        """b.set(key, a.get(key)) copies, both ways, and onto itself."""
        other = DictMemoryStore()
        key = self.put("key", b"data", a=[1])
        other.set(key, self.store.get(key))
        self.store.set(self.key("copy"), other.get(key))
        self.store.set(key, self.store.get(key))
        self.assert_value(self.key("copy"), b"data", {"a": [1]})
        self.assert_value(key, b"data", {"a": [1]})

    def test_large_data_comes_back_in_pieces(self) -> None:
        """Several times the size of a buffer, read in another one."""
        content = b"".join(b"%08d" % n for n in range(400_000))
        self.store.set(self.key(), (io.BytesIO(content), {}), buffer_size=65_537)
        with self.store.get_data(self.key()) as data:
            self.assertEqual(b"".join(iter(lambda: data.read(99_991), b"")), content)
        with self.store.get_data_range(self.key(), 3_000_000, 3_000_008) as part:
            self.assertEqual(part.read(), b"00375000")
