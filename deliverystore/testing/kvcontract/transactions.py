"""The contract: a transaction is done as a whole, or not at all."""

from __future__ import annotations

from threading import Thread

from django.db import connections

from deliverystore.testing.kvcontract.base import Interruption, KeyValueContractTests


class TransactionTests(KeyValueContractTests):
    """transaction."""

    def test_everything_is_there_when_the_block_ends(self) -> None:
        """Several keys, several kinds of change."""
        old, gone = self.put("old", b"old", a=1), self.put("gone")
        with self.store.transaction("several changes"):
            self.put("new", b"new", n=1)
            self.store.update_metadata(old, {"b": 2})
            self.store.set_data(old, b"changed")
            self.store.delete(gone)
        self.assert_value(self.key("new"), b"new", {"n": 1})
        self.assert_value(old, b"changed", {"a": 1, "b": 2})
        self.assert_missing(gone)

    def test_an_exception_undoes_everything(self) -> None:
        """And comes out."""
        old, gone = self.put("old", b"old", a=1), self.put("gone")
        with self.assertRaises(Interruption), self.store.transaction("undone"):
            self.put("new", b"new")
            self.store.set(old, (b"changed", {}))
            self.store.delete(gone)
            raise Interruption
        self.assert_value(old, b"old", {"a": 1})
        self.assert_value(gone, b"", {})
        self.assert_missing(self.key("new"))

    def test_inside_one_sees_what_one_has_done(self) -> None:
        """Also by queries and patterns."""
        old, gone = self.put("old", b"old", a=1), self.put("gone", b"", a=1)
        with self.store.transaction("seen from inside"):
            new = self.put("new", b"new", a=1)
            self.store.update_metadata(old, {"a": 2})
            self.store.delete(gone)
            self.assert_value(new, b"new", {"a": 1})
            self.assert_value(old, b"old", {"a": 2})
            self.assert_missing(gone)
            self.assertEqual(list(self.store.query_keys(a=1)), [new])
            self.assertEqual(sorted(self.store.query_keys()), sorted([new, old]))
            self.assertEqual(list(self.store.glob(self.key("n*"))), [new])
            with self.store.get_data_range(new, 1, 2) as part:
                self.assertEqual(part.read(), b"e")
            with self.assertRaises(KeyError):
                self.store.delete(gone)

    def test_what_is_done_twice_ends_as_the_last_one_left_it(self) -> None:
        """In every order."""
        key, other = self.put("key", b"old", a=1), self.key("other")
        with self.store.transaction("again and again"):
            self.store.delete(key)
            self.store.set_metadata(key, {"b": 1})
            self.store.update_metadata(key, {"c": 2})
            self.store.set_data(other, b"1")
            self.store.set_data(other, b"2")
            self.store.delete(other)
            self.store.set_data(self.key("third"), b"3")
            self.store.set_metadata(self.key("third"), {"d": 4})
        self.assert_value(key, b"", {"b": 1, "c": 2})
        self.assert_missing(other)
        self.assert_value(self.key("third"), b"3", {"d": 4})

    def test_the_outermost_block_commits(self) -> None:
        """What an inner one has done is undone with the outer one."""
        with self.store.transaction("outer"):
            with self.store.transaction("inner"):
                first = self.put("first", b"1")
            self.assert_value(first, b"1", {})
        self.assert_value(first, b"1", {})
        with self.assertRaises(Interruption), self.store.transaction("outer"):
            with self.store.transaction("inner"):
                self.put("second", b"2")
            raise Interruption
        self.assert_missing(self.key("second"))

    def test_an_inner_block_that_raises_undoes_its_own_changes(self) -> None:
        """If the outer one goes on, its changes are kept."""
        with self.store.transaction("outer"):
            outer = self.put("key", b"outer")
            with self.assertRaises(Interruption), self.store.transaction("inner"):
                self.put("key", b"inner")
                self.put("other")
                raise Interruption
            self.assert_value(outer, b"outer", {})
        self.assert_value(outer, b"outer", {})
        self.assert_missing(self.key("other"))

    def test_nobody_else_sees_it_before_the_end(self) -> None:
        """Another thread sees what was there before."""
        key = self.put("key", b"old")
        seen: list[object] = []

        def look() -> None:
            try:
                seen.append(self.store.to_bytes(key))
                seen.append(self.store.exists(self.key("new")))
            finally:
                # Django itself leaves those to a database in memory open.
                for one in connections.all(initialized_only=True):
                    if one.connection is not None:
                        one.connection.close()

        with self.store.transaction("not yet"):
            self.put("key", b"new")
            self.put("new")
            thread = Thread(target=look)
            thread.start()
            thread.join()
        self.assertEqual(seen, [b"old", False])
        self.assert_value(key, b"new", {})

    def test_an_empty_transaction_does_nothing(self) -> None:
        """Also if it is done again."""
        for _ in range(2):
            with self.store.transaction("nothing"):
                pass
        self.assertEqual(list(self.store.query()), [])
