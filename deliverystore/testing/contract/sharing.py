"""The contract: what happens at once, in threads and in other processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from threading import Event

from django.core.files.base import ContentFile

from deliverystore.backends import Capability
from deliverystore.models import FileMeta
from deliverystore.testing.contract.base import ContractTests

_WRITERS = 8
_SIZE = 200_000


class SharingTests(ContractTests):
    """What a store promises beyond the contract: each test names the capability."""

    def test_of_several_writers_at_once_one_wins(self) -> None:
        """REPLACE: the content is that of one writer, whole."""
        self.require(Capability.REPLACE)
        file = self.new_file()
        for _ in range(5):
            self.in_threads(
                *(partial(self._write_version, file, n) for n in range(_WRITERS))
            )
            self._assert_whole(file)

    def test_readers_during_replaces_read_whole_contents(self) -> None:
        """REPLACE: each reader gets an old or a new content, and never none."""
        self.require(Capability.REPLACE)
        file = self.new_file()
        self._write_version(file, 0)

        done = Event()

        def replace() -> None:
            try:
                for n in range(40):
                    self._write_version(file, n)
            finally:
                done.set()

        def read() -> None:
            while not done.is_set():
                self._assert_whole(file)

        self.in_threads(replace, read, read, read)

    def test_saves_of_one_name_at_once_are_all_kept(self) -> None:
        """UNIQUE: save() gives each its own name and keeps each content."""
        self.require(Capability.UNIQUE)
        name = self.new_name()
        saved: dict[int, str] = {}

        def save(n: int) -> None:
            saved[n] = self.store.save(name, _SlowUpload(_version(n)))
            self.addCleanup(self._clear, saved[n])

        self.in_threads(*(partial(save, n) for n in range(_WRITERS)))
        self.assertEqual(
            len(set(saved.values())), _WRITERS, f"names were given twice: {saved}"
        )
        for n, name in saved.items():
            self.assert_stored(name, _version(n))

    def test_another_process_reads_what_was_written(self) -> None:
        """SHARED: the process that reads ran already when the file was written."""
        self.require(Capability.SHARED)
        file = self.new_file()
        self.in_another_process(
            partial(self.assert_stored, file, b"content"),
            after=partial(self.write, file, b"content"),
        )

    def test_what_another_process_wrote_or_removed_is_seen(self) -> None:
        """SHARED: this process looks at the medium, not at its memory of it."""
        self.require(Capability.SHARED)
        file = self.new_file()
        self.assert_missing(file, "nothing was written yet")
        self.in_another_process(partial(self.write, file, b"from another process"))
        self.assert_stored(file, b"from another process")
        self.in_another_process(partial(self.store.remove, file))
        self.assert_missing(file, "another process removed it")

    def test_a_process_that_dies_while_writing_leaves_nothing(self) -> None:
        """SHARED: neither half a file, nor one that counts as written."""
        self.require(Capability.SHARED)
        file = self.new_file()

        def write_and_die() -> None:
            stored = self.store.write_open(file)
            stored.write(_version(1) * 20)
            os._exit(0)

        self.in_another_process(write_and_die)
        self.assert_missing(file, "the process that wrote it died")

    def _write_version(self, file: FileMeta, n: int) -> None:
        with self.store.write_open(file) as stored:
            for start in range(0, len(_version(n)), 64 * 1024):
                stored.write(_version(n)[start : start + 64 * 1024])

    def _assert_whole(self, file: FileMeta) -> None:
        found = self.read(file)
        if found != _version(found[0] if found else 0):
            self.fail(
                f"{len(found):,} bytes were read that are neither the old nor the new "
                f"content; the versions in it: {sorted(set(found))}"
            )


class _SlowUpload(ContentFile):
    """Content that arrives late enough for others to take the name meanwhile."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        time.sleep(0.02)
        yield from super().chunks(chunk_size)


def _version(n: int) -> bytes:
    """Return a content that tells its number, and by its length if it is whole."""
    return bytes([n]) * (_SIZE + n)
