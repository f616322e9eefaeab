"""A claim: the right of one process to a file, until it is done or the lease ends."""

from __future__ import annotations

import logging
import os
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal

from deliverystore import fsops
from deliverystore.exceptions import ClaimLost
from deliverystore.spool.folders import SpoolFolders, lost
from deliverystore.spool.names import SpoolName

logger = logging.getLogger(__name__)


Ending = Literal["done", "released", "failed", "refused"]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """For how many seconds a file is claimed, and how often it is tried."""

    lease: float
    max_attempts: int


class Claim(AbstractContextManager["Claim"]):
    """A file that nobody else gets until the lease ends.

    As a context manager: when the block ends, the file is done(); an exception is a
    fail(); a request to end, such as KeyboardInterrupt, is a release(). A claim that
    was ended in the block is left alone.
    """

    def __init__(
        self,
        folders: SpoolFolders,
        terms: Terms,
        name: SpoolName,
        number: int,
        status: os.stat_result,
    ) -> None:
        self._folders = folders
        self._terms = terms
        self._name = name
        self._number = number
        self._status = status
        self._ended: Ending | None = None

    def __repr__(self) -> str:
        return f"<Claim {self.token} of {self.filename!r}>"

    @property
    def filename(self) -> str:
        """What the file is called by whoever handed it over."""
        return self._name.filename

    @property
    def path(self) -> Path:
        """Where the file is, until the claim is over or renewed."""
        return self._folders.cur / str(self._name)

    @property
    def token(self) -> str:
        """What tells this claim from all others, of the same file too."""
        return self._name.token

    @property
    def attempt(self) -> int:
        """The how-manieth time the file is tried, from 1 on."""
        return self._name.attempts

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._status.st_size

    @property
    def modified(self) -> datetime:
        """When the file was changed last, aware: its age."""
        return fsops.changed(self._status.st_mtime)

    @property
    def expires(self) -> datetime:
        """When the lease ends, aware."""
        return datetime.fromtimestamp(self._name.until or 0, tz=UTC)

    @property
    def ended(self) -> Ending | None:
        """How it was ended: "done", "released", "failed" or "refused"; None before."""
        return self._ended

    def is_unchanged(self) -> bool:
        """Tell whether nobody has written to the file since it was claimed.

        What was given back meanwhile counts as unchanged.
        """
        now = self._folders.status(str(self._name))
        return now is None or _version(now) == _version(self._status)

    def open(self) -> BinaryIO:
        """Open the file for reading; the caller closes it.

        Raise ClaimLost if the claim is over. A link is not followed.
        """
        try:
            return open(self.path, "rb", opener=fsops.open_file_itself)
        except FileNotFoundError as error:
            raise self._lost() from error

    def renew(self) -> None:
        """Let the lease begin anew; path changes, what is open stays open.

        Raise ClaimLost if the claim is over.
        """
        until = time.time() + self._terms.lease
        new = replace(self._name, until=until)
        target = f"{self._folders.cur}/{new}"
        if self._ended or not fsops.take(str(self.path), target):
            raise self._lost()
        self._name = new

    def done(self) -> None:
        """Remove the file: when this returns, nobody gets it again.

        Raise ClaimLost, and do nothing, if the claim is over.
        """
        if self._ended or not self._folders.finish(str(self._name), self._number):
            raise self._lost()
        self._ended = "done"

    def release(self) -> None:
        """Give the file back as if it had not been claimed.

        Raise ClaimLost, and do nothing, if the claim is over.
        """
        self._give_back("released")

    def refuse(self) -> None:
        """Put the file with the failed ones: another attempt would end like this one.

        Raise ClaimLost, and do nothing, if the claim is over.
        """
        folder = self._give_back("refused", max_attempts=1)
        logger.warning("%r is refused; it is in %s now.", self.filename, folder)

    def fail(self) -> None:
        """Give the file back, the attempt counted; after the last one, to failed.

        Raise ClaimLost, and do nothing, if the claim is over.
        """
        folder = self._give_back("failed", self._terms.max_attempts)
        where = "waits again" if folder == self._folders.new else f"is in {folder} now"
        logger.warning(
            "Attempt %d at %r failed; it %s.", self.attempt, self.filename, where
        )

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._ended:
            return
        if exc is None:
            self.done()
            return
        try:
            if isinstance(exc, Exception):
                self.fail()
            else:
                self.release()
        except ClaimLost as error:
            # What went wrong before is what the caller has to know.
            logger.warning("%s", error)

    def _give_back(self, ending: Ending, max_attempts: int | None = None) -> Path:
        """Give the file back; with max_attempts, this was one of them."""
        if self._ended:
            raise self._lost()
        folder = self._folders.give_back(
            self._name,
            counted=max_attempts is not None,
            max_attempts=max_attempts or self._terms.max_attempts,
        )
        self._ended = ending
        self._folders.sync_given_back([folder])
        return folder

    def _lost(self) -> ClaimLost:
        """Return the error to raise when this is over."""
        if self._ended is None:
            return lost(self._name)
        return ClaimLost(
            f"The claim {self.token} of {self.filename!r} is over: it was "
            f"{self._ended} before. Nothing was changed."
        )


def _version(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
