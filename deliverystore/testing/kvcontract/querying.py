"""The contract: keys are found by what their metadata is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deliverystore.exceptions import MetadataInvalid
from deliverystore.kvstore.metadata import Metadata
from deliverystore.testing.kvcontract.base import KeyValueContractTests


class QueryTests(KeyValueContractTests):
    """query, query_keys, glob."""

    def test_without_conditions_everything_is_found(self) -> None:
        """Each key once, with its metadata."""
        for name in "abc":
            self.put(name, b"", name=name)
        expected = {self.key(name): {"name": name} for name in "abc"}
        found = list(self.store.query())
        self.assertEqual(dict(found), expected)
        self.assertEqual(len(found), 3)
        self.assertEqual(sorted(self.store.query_keys()), sorted(expected))

    def test_all_conditions_must_hold(self) -> None:
        """Each of them exactly."""
        self.put("a", b"", kind="egg", version=1)
        self.put("b", b"", kind="egg", version=2)
        self.put("c", b"", kind="wheel", version=1)
        self.assert_found({"a", "b"}, kind="egg")
        self.assert_found({"a"}, kind="egg", version=1)
        self.assert_found(set(), kind="egg", version=3)
        self.assert_found(set(), kind="eg")
        self.assert_found(set(), other="egg")

    def test_equal_is_what_json_takes_for_equal(self) -> None:
        """1 is 1.0, but true is not 1, "1" is not 1, and what is absent is not null."""
        self.put("int", b"", v=1)
        self.put("float", b"", v=1.0)
        self.put("true", b"", v=True)
        self.put("text", b"", v="1")
        self.put("none", b"", v=None)
        self.put("zero", b"", v=0)
        self.put("false", b"", v=False)
        self.put("absent", b"", w=1)
        self.put("large", b"", v=2**60)
        self.put("larger", b"", v=2**60 + 1)
        self.put("huge", b"", v=1.5e300)
        self.assert_found({"int", "float"}, v=1)
        self.assert_found({"int", "float"}, v=1.0)
        self.assert_found({"true"}, v=True)
        self.assert_found({"text"}, v="1")
        self.assert_found({"none"}, v=None)
        self.assert_found({"zero"}, v=-0.0)
        self.assert_found({"false"}, v=False)
        self.assert_found({"large"}, v=2**60)
        self.assert_found({"huge"}, v=1.5e300)

    def test_lists_and_dicts_are_compared_as_a_whole(self) -> None:
        """The order counts in a list, not in a dict; a part is not enough."""
        self.put("list", b"", v=[1, 2])
        self.put("dict", b"", v={"a": 1, "b": [True]})
        self.put("empty", b"", v={})
        self.assert_found({"list"}, v=[1, 2.0])
        self.assert_found({"list"}, v=(1, 2))
        self.assert_found(set(), v=[2, 1])
        self.assert_found(set(), v=[1])
        self.assert_found({"dict"}, v={"b": [True], "a": 1})
        self.assert_found(set(), v={"a": 1})
        self.assert_found({"empty"}, v={})
        self.assert_found(set(), v=[])

    def test_any_name_can_be_asked_for(self) -> None:
        """Also one that is no identifier."""
        self.put("a", b"", **{"a b": 1, "a__b": 2, "": 3, "ä": 4, "key": 5})
        self.put("b", b"", **{"a b": 2})
        matches: list[dict[str, Any]] = [
            {"a b": 1},
            {"a__b": 2},
            {"": 3},
            {"ä": 4},
            {"key": 5},
        ]
        for match in matches:
            self.assert_found({"a"}, **match)

    def test_what_json_cannot_hold_cannot_be_asked_for(self) -> None:
        """MetadataInvalid, at once."""
        with self.assertRaises(MetadataInvalid):
            self.store.query(a=object())
        with self.assertRaises(MetadataInvalid):
            self.store.query_keys(a="\0")

    def test_select_leaves_out_absent_names(self) -> None:
        """As get_metadata() does; the conditions may be about others."""
        self.put("a", b"", a=1, b=2)
        self.put("b", b"", a=1)
        found = dict(self.store.query(select=iter(["b", "c"]), a=1))
        self.assertEqual(found, {self.key("a"): {"b": 2}, self.key("b"): {}})

    def test_changes_change_what_is_found(self) -> None:
        """Nothing is found by what it no longer is."""
        key = self.put("a", b"", v=1, w=1)
        self.store.update_metadata(key, {"v": 2})
        self.assert_found(set(), v=1)
        self.assert_found({"a"}, v=2, w=1)
        self.store.update_metadata(key, {"w": True})
        self.assert_found(set(), w=1)
        self.assert_found({"a"}, w=True)
        self.store.set_metadata(key, {"v": 3})
        self.assert_found(set(), w=True)
        self.assert_found({"a"}, v=3)
        self.store.set_data(key, b"data")
        self.assert_found({"a"}, v=3)
        self.store.delete(key)
        self.assert_found(set(), v=3)

    def test_a_query_is_lazy(self) -> None:
        """It is an iterator, which can be left, and changed under."""
        for number in range(20):
            self.put(f"{number:02}", b"", v=1)
        query = self.store.query(v=1)
        self.assertIsInstance(query, Iterator)
        first, _ = next(query)
        for key in list(self.store.query_keys()):
            if key != first:
                self.store.delete(key)
        self.assertLessEqual(len(list(query)), 19)
        self.assert_found({first.removeprefix(self.prefix)}, v=1)

    def test_a_pattern_finds_keys(self) -> None:
        """*, ? and [abc] as in a shell, where a * matches slashes, too."""
        for key in ("a1", "a2", "b1", "a/b/c", "A1", "a[1]", "x\ny", "%_"):
            self.put(key)
        for pattern, expected in (
            ("*", {"a1", "a2", "b1", "a/b/c", "A1", "a[1]", "x\ny", "%_"}),
            ("a?", {"a1", "a2"}),
            ("[ab]1", {"a1", "b1"}),
            ("[!a]1", {"b1", "A1"}),
            ("a*", {"a1", "a2", "a/b/c", "a[1]"}),
            ("*1", {"a1", "b1", "A1"}),
            ("a/*", {"a/b/c"}),
            ("a[[]1]", {"a[1]"}),
            ("a1", {"a1"}),
            ("%*", {"%_"}),
            ("x*y", {"x\ny"}),
            ("nothing*", set()),
            ("", set()),
        ):
            with self.subTest(pattern=pattern):
                found = list(self.store.glob(self.key(pattern)))
                self.assertEqual(set(found), {self.key(key) for key in expected})
                self.assertEqual(len(found), len(expected))

    def assert_found(self, names: set[str], /, **matches: object) -> None:
        """Fail unless exactly these are found, each once."""
        expected = sorted(map(self.key, names))
        found: list[tuple[str, Metadata]] = list(self.store.query(None, **matches))
        self.assertEqual(sorted(key for key, _ in found), expected, matches)
        self.assertEqual(sorted(self.store.query_keys(**matches)), expected, matches)
