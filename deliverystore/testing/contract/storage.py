"""The contract: a delivery store is a Django storage, too."""

from __future__ import annotations

from io import BytesIO

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile

from deliverystore.backends import Capability
from deliverystore.testing.contract.base import ContractTests, Interruption


class StorageTests(ContractTests):
    """save, open, exists, delete and size, as FileFields use them."""

    def test_save_returns_the_name_to_open_the_content_by(self) -> None:
        """The name exists, and holds what was saved."""
        name = self._save(self.new_name(), b"content")
        self.assertTrue(self.store.exists(name), f"save() answered {name!r}")
        with self.store.open(name) as stored:
            self.assertEqual(stored.read(), b"content")

    def test_save_starts_at_the_start_of_the_content(self) -> None:
        """Also if somebody has read from it before."""
        content = ContentFile(b"content")
        content.read(3)
        name = self.store.save(self.new_name(), content)
        self.addCleanup(self._clear, name)
        self.assert_stored(name, b"content")

    def test_save_takes_any_file_object(self) -> None:
        """A BytesIO is as good as a Django File."""
        name = self.store.save(self.new_name(), BytesIO(b"content"))
        self.addCleanup(self._clear, name)
        self.assert_stored(name, b"content")

    def test_save_does_not_replace(self) -> None:
        """UNIQUE: a name that is taken gives another name, and both contents stay."""
        self.require(Capability.UNIQUE)
        first = self._save(self.new_name(), b"first")
        second = self._save(first, b"second")
        self.assertNotEqual(first, second)
        self.assert_stored(first, b"first")
        self.assert_stored(second, b"second")

    def test_save_refuses_names_that_leave_the_store(self) -> None:
        """With SuspiciousFileOperation, as Django does."""
        for name in ["../outside", "/etc/outside", "a/../../outside"]:
            with self.subTest(name=name), self.assertRaises(SuspiciousFileOperation):
                self.store.save(name, ContentFile(b"content"))

    def test_a_saved_file_is_found_by_the_methods_of_a_delivery_store(self) -> None:
        """read_range, copy and remove take its name."""
        name, copy = self._save(self.new_name(), b"content"), self.new_name("copy.txt")
        with self.store.read_range(name, 1, 3) as part:
            self.assertEqual(part.read(), b"ont")
        self.store.copy(name, copy)
        self.store.remove(name)
        self.assert_missing(name, "it was removed")
        self.assert_stored(copy, b"content")

    def test_open_for_writing_publishes_at_close(self) -> None:
        """open(name, "wb") keeps the promises of write_open()."""
        name = self.new_name()
        with self.store.open(name, "wb") as stored:
            stored.write(b"content")
            self.assert_missing(name, "it is still being written")
        self.assert_stored(name, b"content")

    def test_open_for_writing_discards_if_the_block_raises(self) -> None:
        """No half file, also through the API of Django."""
        name = self.new_name()
        with self.assertRaises(Interruption), self.store.open(name, "wb") as stored:
            stored.write(b"half a file")
            raise Interruption
        self.assert_missing(name, "the block that wrote it raised")

    def test_open_of_a_missing_file_raises_file_not_found(self) -> None:
        """At open(), not at the first read."""
        with self.assertRaises(FileNotFoundError):
            self.store.open(self.new_name())

    def test_delete_removes_and_does_not_mind_repeating(self) -> None:
        """Unlike remove(), delete() is silent where there is nothing."""
        name = self._save(self.new_name(), b"content")
        self.store.delete(name)
        self.assert_missing(name, "it was deleted")
        self.store.delete(name)

    def test_size_counts_bytes(self) -> None:
        """If the store can tell sizes, in bytes; FileNotFoundError if missing."""
        name = self._save(self.new_name(), "Grüße".encode())
        try:
            size = self.store.size(name)
        except NotImplementedError:
            return
        self.assertEqual(size, 7)
        with self.assertRaises(FileNotFoundError):
            self.store.size(self.new_name("missing.txt"))

    def _save(self, name: str, content: bytes) -> str:
        name = self.store.save(name, ContentFile(content))
        self.addCleanup(self._clear, name)
        return name
