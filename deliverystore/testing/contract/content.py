"""The contract: what is written is read, until it is removed or replaced."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable

from deliverystore.backends import Capability
from deliverystore.exceptions import FileNotFound
from deliverystore.models import FileMeta
from deliverystore.testing.contract.base import ContractTests

_PIECE = bytes(range(256)) * 256
_PIECES = 512
_MEMORY = 16 * 1024 * 1024


class ContentTests(ContractTests):
    """Writing, reading, removing, replacing, copying."""

    def test_bytes_are_read_back_as_written(self) -> None:
        """Every byte comes back, and in its place."""
        file, content = self.new_file(), bytes(range(256))
        self.write(file, content)
        self.assert_stored(file, content)

    def test_str_is_stored_as_utf8(self) -> None:
        """write() takes str too, encodes it as UTF-8, and can mix it with bytes."""
        file = self.new_file()
        self.write(file, "Grüße, ", "世界".encode(), "\n")
        self.assert_stored(file, "Grüße, 世界\n".encode())

    def test_an_empty_file_is_a_file(self) -> None:
        """A file without a single byte exists and can be read."""
        file = self.new_file()
        self.write(file)
        self.assertTrue(self.store.exists(file), "an empty file must exist")
        self.assert_stored(file, b"")

    def test_many_small_writes_make_one_file(self) -> None:
        """10,000 writes of a few bytes arrive in their order."""
        file, pieces = self.new_file(), [b"%d," % n for n in range(10_000)]
        self.write(file, *pieces)
        self.assert_stored(file, b"".join(pieces))

    def test_a_large_stream_comes_back_unchanged_and_needs_little_memory(self) -> None:
        """32 MiB go in and out in pieces of 64 KiB.

        A store whose content other processes see must not hold it in memory.
        """
        file, expected = self.new_file(), hashlib.sha256(_PIECE * _PIECES)
        # What a client loads at its first use is not counted.
        self.write(self.new_file(), b"short")
        was_tracing = tracemalloc.is_tracing()
        tracemalloc.start()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        found = self._digest_of_a_large_stream(file)
        growth = tracemalloc.get_traced_memory()[1] - before
        if not was_tracing:
            tracemalloc.stop()
        self.assertEqual(found, expected.hexdigest(), "a large file was changed")
        if Capability.SHARED in self.store.capabilities:
            self.assertLess(growth, _MEMORY, "bytes of memory for a file of 32 MiB")

    def test_a_missing_file_raises_file_not_found(self) -> None:
        """Every method that needs content says that there is none.

        FileNotFound is also the built-in FileNotFoundError.
        """
        missing, target = self.new_file(), self.new_file()
        calls: dict[str, Callable[[], object]] = {
            "read_open": lambda: self.store.read_open(missing),
            "read_range": lambda: self.store.read_range(missing, 0, 1),
            "remove": lambda: self.store.remove(missing),
            "copy": lambda: self.store.copy(missing, target),
        }
        for method, call in calls.items():
            with self.subTest(method=method):
                with self.assertRaises(FileNotFoundError) as caught:
                    call()
                self.assertIsInstance(caught.exception, FileNotFound, method)
        self.assert_missing(target, "there was nothing to copy to it")

    def test_a_file_exists_from_its_writing_to_its_removal(self) -> None:
        """exists() takes a FileMeta, or the name that name_of() gives."""
        file = self.new_file()
        self.assert_missing(file, "nothing was written yet")
        self.write(file, b"content")
        self.assertTrue(self.store.exists(file), "it was written")
        self.assertTrue(self.store.exists(self.store.name_of(file)), "by its name")
        self.store.remove(file)
        self.assert_missing(file, "it was removed")

    def test_a_file_can_be_removed_once(self) -> None:
        """The second removal raises FileNotFound."""
        file = self.new_file()
        self.write(file, b"content")
        self.store.remove(file)
        with self.assertRaises(FileNotFound):
            self.store.remove(file)

    def test_a_removed_file_can_be_written_again(self) -> None:
        """Nothing of the former content stays."""
        file = self.new_file()
        self.write(file, b"the former content")
        self.store.remove(file)
        self.write(file, b"new")
        self.assert_stored(file, b"new")

    def test_writing_again_replaces_the_whole_content(self) -> None:
        """A shorter content leaves nothing of the longer one before it."""
        file = self.new_file()
        self.write(file, b"a rather long content")
        self.write(file, b"short")
        self.assert_stored(file, b"short")

    def test_each_file_has_a_content_of_its_own(self) -> None:
        """Neither equal ids in two deliveries nor digits that join are mixed up."""
        one = self.new_file().delivery_id
        ids = [(one, 11), (10 * one + 1, 1), (one, 1), (one + 1, 11), (11, one)]
        files = [FileMeta(delivery_id=delivery, pk=pk) for delivery, pk in ids]
        for file in files:
            self.addCleanup(self._clear, file)
            self.write(file, f"{file.delivery_id} {file.pk}")
        for file in files:
            self.assert_stored(file, f"{file.delivery_id} {file.pk}".encode())

    def test_several_readers_do_not_disturb_each_other(self) -> None:
        """Each open file has a position of its own."""
        file = self.new_file()
        self.write(file, b"0123456789")
        with self.store.read_open(file) as one, self.store.read_open(file) as other:
            pairs = [(one.read(3), other.read(2)), (one.read(3), other.read(2))]
        self.assertEqual(pairs, [(b"012", b"01"), (b"345", b"23")])

    def test_a_copy_has_the_same_content_and_a_life_of_its_own(self) -> None:
        """Changing or removing the source leaves the copy as it is."""
        source, target = self.new_file(), self.new_file()
        self.write(source, b"content")
        self.store.copy(source, target)
        self.assert_stored(target, b"content")
        self.write(source, b"changed")
        self.assert_stored(target, b"content")
        self.store.remove(source)
        self.assert_stored(target, b"content")

    def test_a_copy_replaces_what_was_there(self) -> None:
        """Copying onto a file leaves nothing of its former content."""
        source, target = self.new_file(), self.new_file()
        self.write(source, b"new")
        self.write(target, b"the former content")
        self.store.copy(source, target)
        self.assert_stored(target, b"new")

    def test_the_files_of_a_group_are_there_when_it_ends(self) -> None:
        """write_open() and copy() can share a barrier."""
        one, other, copy = (self.new_file() for _ in range(3))
        self.write(one, b"before")
        with self.store.group() as group:
            self.store.copy(one, copy, group=group)
            for file in (one, other):
                with self.store.write_open(file, group=group) as stored:
                    stored.write(b"in a group")
        self.assert_stored(one, b"in a group")
        self.assert_stored(other, b"in a group")
        self.assert_stored(copy, b"before")

    def _digest_of_a_large_stream(self, file: FileMeta) -> str:
        with self.store.write_open(file) as stored:
            for _ in range(_PIECES):
                stored.write(_PIECE)
        digest = hashlib.sha256()
        with self.store.read_open(file) as content:
            while chunk := content.read(len(_PIECE)):
                digest.update(chunk)
        return digest.hexdigest()
