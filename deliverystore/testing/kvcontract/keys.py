"""The contract: keys of every shape are different keys, and stay in the store."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousFileOperation

from deliverystore.testing.kvcontract.base import KeyValueContractTests

SHAPES = (
    *("key", "KEY", "Key", "../x", "../../x", "a/../b", "b", "a/b", "/a/b", "a//b"),
    *("a/", "", ".", "..", ".FSStore", ".deliverystore-x", "~", "-", " ", " a "),
    *("a\\b", "C:\\a", "nul\0", "\0", "new\nline", "tab\t", "\x7f"),
    *("%", "%2F", "%00", "%~", "100%", "a%2Fb", "a.b", "key.data", "key.metadata"),
    *(".data", ".metadata", "*", "?", "[a]", "a'b\"c", "<&>"),
    *("ä", "a\u0308", "Ä", "世界", "ключ", "مفتاح", "🗝", "\u200b", "\u202e"),
    *("x" * 200, "x" * 237, "x" * 238, "x" * 255, "x" * 4000, "X" * 4000),
    *("x" * 3999 + "y", "世" * 4000, "/" * 4000, "🗝" * 4000),
)


class KeyTests(KeyValueContractTests):
    """../x, a/../b, NUL, 4,000 characters, twins by case, other scripts."""

    def test_keys_of_every_shape_have_values_of_their_own(self) -> None:
        """All at once, so that none is mistaken for another."""
        keys = [self.key(shape) for shape in SHAPES]
        data = [key.encode() for key in keys]
        self.store.multiset(keys, [(one, {"n": n}) for n, one in enumerate(data)])
        for number, key in enumerate(keys):
            self.assert_value(key, data[number], {"n": number})
        self.assertEqual(sorted(self.store.query_keys()), sorted(keys))
        self.assertEqual(sorted(k for k, _ in self.store.query()), sorted(keys))

    def test_keys_of_every_shape_are_found_changed_and_deleted(self) -> None:
        """By query, and by their own pattern."""
        for shape in SHAPES:
            with self.subTest(key=shape[:20]):
                key = self.key(shape)
                self.store.set_data(key, b"data")
                self.store.update_metadata(key, {"shape": "this"})
                self.assertEqual(list(self.store.query_keys(shape="this")), [key])
                self.assert_value(key, b"data", {"shape": "this"})
                self.store.delete(key)
                self.assert_missing(key)
        self.assertEqual(list(self.store.query_keys()), [])

    def test_what_is_no_text_is_no_key(self) -> None:
        """A lone surrogate, or no str: ValueError, whatever is asked."""
        wrong: list[Any] = ["\ud800", "a\udfff", b"key", None, 1]
        for key in wrong:
            with self.subTest(key=key):
                for method in (
                    self.store.get,
                    self.store.exists,
                    self.store.get_metadata,
                    self.store.delete,
                ):
                    with self.assertRaises(ValueError) as caught:
                        method(key)
                    self.assertIsInstance(caught.exception, SuspiciousFileOperation)
                with self.assertRaises(ValueError):
                    self.store.set(key, (b"", {}))
