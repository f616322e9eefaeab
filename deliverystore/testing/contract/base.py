"""What the tests of the contract have in common: files to store, and how to ask."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from functools import cached_property
from threading import Barrier, Thread
from typing import TYPE_CHECKING, NoReturn

from deliverystore.backends import Capability, DeliveryStoreInterface
from deliverystore.exceptions import FileNotFound
from deliverystore.models import FileMeta

# Only the class that a tester writes is a TestCase; else this one would be run too.
if TYPE_CHECKING:
    from unittest import TestCase
else:
    TestCase = object

_SECONDS_TO_WAIT = 60


class ContractTests(TestCase):
    """The store under test and the FileMetas that are put into it.

    The FileMetas are not in the database, which is not used. Their ids are random and
    what is stored for them is removed, so that a store may outlive the tests.
    """

    def get_storageobj(self) -> DeliveryStoreInterface:
        """Return the store to test; called once for each test."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a method get_storageobj(self) that returns "
            "the store to test."
        )

    @cached_property
    def store(self) -> DeliveryStoreInterface:
        """The store under test."""
        return self.get_storageobj()

    def new_file(self) -> FileMeta:
        """Return a FileMeta for which nothing is stored."""
        file = FileMeta(pk=_new_id(), delivery_id=_new_id(), filename="essay.txt")
        self.addCleanup(self._clear, file)
        return file

    def new_name(self, name: str = "essay.txt") -> str:
        """Return a storage name under which nothing is stored."""
        name = f"contract-{secrets.token_hex(8)}/{name}"
        self.addCleanup(self._clear, name)
        return name

    def write(self, file: str | FileMeta, *pieces: bytes | str) -> None:
        """Store pieces of content in one go."""
        with self.store.write_open(file) as stored:
            for piece in pieces:
                stored.write(piece)

    def read(self, file: str | FileMeta) -> bytes:
        """Return all that is stored for a file."""
        with self.store.read_open(file) as stored:
            return stored.read()

    def assert_stored(self, file: str | FileMeta, expected: bytes) -> None:
        """Fail unless a file has exactly this content."""
        found = self.read(file)
        if found != expected:
            self.fail(
                f"{file!r} should hold {_described(expected)}, "
                f"but holds {_described(found)}"
            )

    def assert_missing(self, file: str | FileMeta, why: str) -> None:
        """Fail if anything is stored for a file."""
        self.assertFalse(self.store.exists(file), f"exists() must be false: {why}")
        with self.assertRaises(FileNotFound, msg=f"nothing to read: {why}"):
            self.store.read_open(file).close()

    def require(self, capability: Capability) -> None:
        """Skip the test if the store does not promise what it asks for."""
        if capability not in self.store.capabilities:
            self.skipTest(
                f"{type(self.store).__name__} does not promise "
                f"Capability.{capability.name}"
            )

    def in_threads(self, *actions: Callable[[], object]) -> None:
        """Run all actions at once and fail if one of them raises."""
        errors: list[BaseException] = []
        barrier = Barrier(len(actions))

        def run(action: Callable[[], object]) -> None:
            try:
                barrier.wait()
                action()
            except BaseException as error:  # noqa: BLE001 - it is reported below
                errors.append(error)

        threads = [Thread(target=run, args=[action]) for action in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def in_another_process(
        self, action: Callable[[], object], *, after: Callable[[], object] | None = None
    ) -> None:
        """Run an action in a copy of this process and fail unless it succeeds.

        What is to happen after the copy was made, but before the action, happens here.
        """
        waiting, starting = os.pipe()
        with warnings.catch_warnings():
            # The copy has one thread only, and does next to nothing.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            os.close(starting)
            os.read(waiting, 1)
            _run_and_exit(action)
        try:
            if after is not None:
                after()
        finally:
            os.close(waiting)
            os.close(starting)
            status = _exit_status(pid)
        self.assertEqual(status, 0, "another process could not do its part; see stderr")

    def _clear(self, file: str | FileMeta) -> None:
        with contextlib.suppress(FileNotFound):
            self.store.remove(file)


class Interruption(Exception):
    """What breaks a block off in these tests."""


def _new_id() -> int:
    # Above 32 bits: ids may be that large.
    return 2**32 + secrets.randbelow(2**31)


def _described(content: bytes) -> str:
    return f"{len(content):,} bytes beginning with {content[:30]!r}"


def _run_and_exit(action: Callable[[], object]) -> NoReturn:
    status = 1
    try:
        action()
        status = 0
    except BaseException:  # noqa: BLE001 - nothing of it may leave the copy
        traceback.print_exc()
    finally:
        os._exit(status)


def _exit_status(pid: int) -> int:
    deadline = time.monotonic() + _SECONDS_TO_WAIT
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError(f"another process did not end in {_SECONDS_TO_WAIT} seconds")
