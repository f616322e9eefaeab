"""The contract: a file is whole or not there, and names stay inside the store."""

from __future__ import annotations

import gc
from collections.abc import Callable

from django.core.exceptions import SuspiciousFileOperation

from deliverystore.testing.contract.base import ContractTests, Interruption

# More than a store is likely to buffer.
_PLENTY = b"half a file" * 300_000


class SafetyTests(ContractTests):
    """Writes that break off, and names that want to get out."""

    def test_nothing_is_visible_before_the_end(self) -> None:
        """Until the block ends there is no file, however much was written."""
        file = self.new_file()
        with self.store.write_open(file) as stored:
            stored.write(_PLENTY)
            self.assert_missing(file, "it is still being written")
        self.assert_stored(file, _PLENTY)

    def test_the_old_content_is_read_until_the_new_one_is_complete(self) -> None:
        """Who reads while a file is being replaced reads the old content."""
        file = self.new_file()
        self.write(file, b"old")
        with self.store.write_open(file) as stored:
            stored.write(_PLENTY)
            self.assert_stored(file, b"old")

    def test_close_publishes_and_can_be_repeated(self) -> None:
        """close() works without a with block; a second one does nothing."""
        file = self.new_file()
        stored = self.store.write_open(file)
        stored.write(b"content")
        stored.close()
        self.assert_stored(file, b"content")
        stored.close()
        self.assert_stored(file, b"content")

    def test_a_block_that_raises_leaves_nothing(self) -> None:
        """The exception comes out, and no file is there."""
        file = self.new_file()
        with self.assertRaises(Interruption), self.store.write_open(file) as stored:
            stored.write(_PLENTY)
            raise Interruption
        self.assert_missing(file, "the block that wrote it raised")

    def test_a_block_that_raises_leaves_what_was_there(self) -> None:
        """The former content is whole."""
        file = self.new_file()
        self.write(file, b"old")
        with self.assertRaises(Interruption), self.store.write_open(file) as stored:
            stored.write(_PLENTY)
            raise Interruption
        self.assert_stored(file, b"old")

    def test_a_discarded_write_leaves_nothing(self) -> None:
        """After discard() nothing is published, neither at once nor by close()."""
        file = self.new_file()
        stored = self.store.write_open(file)
        stored.write(_PLENTY)
        stored.discard()
        self.assert_missing(file, "the write was discarded")
        stored.close()
        self.assert_missing(file, "close() came after discard()")

    def test_a_writer_that_is_lost_leaves_nothing(self) -> None:
        """A writer that nobody closes is no complete file."""
        file = self.new_file()
        stored = self.store.write_open(file)
        stored.write(_PLENTY)
        del stored
        gc.collect()
        self.assert_missing(file, "its writer was never closed")

    def test_a_lost_writer_leaves_what_was_there(self) -> None:
        """The former content is whole."""
        file = self.new_file()
        self.write(file, b"old")
        stored = self.store.write_open(file)
        stored.write(_PLENTY)
        del stored
        gc.collect()
        self.assert_stored(file, b"old")

    def test_names_in_every_script_can_be_used(self) -> None:
        """Spaces, accents, other scripts and emoji are no reason to refuse a name."""
        for last in ["mein Aufsatz.txt", "übung.txt", "作业.txt", "🎓.txt", "a'b.txt"]:
            with self.subTest(last=last):
                name = self.new_name(last)
                self.write(name, last)
                self.assert_stored(name, last.encode())

    def test_names_cannot_leave_the_store(self) -> None:
        """Every method refuses them with SuspiciousFileOperation."""
        inside = self.new_file()
        self.write(inside, b"content")
        calls: dict[str, Callable[[str], object]] = {
            "open": self.store.open,
            "read_open": self.store.read_open,
            "write_open": self.store.write_open,
            "exists": self.store.exists,
            "remove": self.store.remove,
            "copy": lambda name: self.store.copy(inside, name),
        }
        for name in ["../outside", "a/../../outside", "/etc/outside", "..", "a\0b"]:
            for method, call in calls.items():
                with (
                    self.subTest(method=method, name=name),
                    self.assertRaises(SuspiciousFileOperation),
                ):
                    call(name)
