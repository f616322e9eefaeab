"""The folders of a spool: where its sections are, and when they are synced."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Literal

from deliverystore import fsops
from deliverystore.exceptions import ClaimLost, SectionUnknown
from deliverystore.spool.names import SpoolName, shortened

SECTIONS = ("tmp", "new", "cur")
FAILED = "failed"

Section = Literal["tmp", "new", "cur"]

logger = logging.getLogger(__name__)


class SpoolFolders:
    """The folders below one root, and changes that take more than one step.

    Claims are not synced: after a power cut, what was claimed waits again. But the
    end of a claim must not be answered before it is known that the file cannot come
    back to where it was claimed.
    """

    def __init__(self, root: Path, durability: fsops.Durability) -> None:
        self.root = root
        self.tmp, self.new, self.cur = (root / section for section in SECTIONS)
        self.failed = root / FAILED
        # Files appear in folders that prepare() has made: only these are synced.
        self.policy = fsops.Policy(root=self.new, durability=durability)
        # Joining paths takes as long as renaming a file.
        self._new, self._cur = str(self.new), str(self.cur)
        self._is_confirmed = False
        self._numbers = count(1)
        self._taken = 0
        self._confirmed = 0
        # How many files went to failed without a claim.
        self.put_aside_count = 0

    def prepare(self) -> None:
        """Make the three sections, whoever else does it meanwhile."""
        policy = fsops.Policy(root=self.root, durability=self.policy.durability)
        for folder in (self.tmp, self.new, self.cur):
            fsops.make_folders(folder, policy)
        self.confirm()

    def confirm(self) -> None:
        """Sync the folders, once: whether those who made them got so far is unknown."""
        if not self._is_confirmed:
            fsops.sync_folders([self.root], self.policy)
            # Who may not read the parent has not made the root there.
            with contextlib.suppress(PermissionError):
                fsops.sync_folders([self.root.parent], self.policy)
            self._is_confirmed = True

    def section(self, name: str) -> Path:
        """Return the folder of a section. Raise SectionUnknown if there is none."""
        if name not in SECTIONS:
            raise SectionUnknown(f"{name!r} is no section: {', '.join(SECTIONS)}.")
        return self.root / name

    def take(self, name: str, claimed: str) -> int | None:
        """Move a file from new to cur; return the number of this, or None if gone."""
        try:
            is_there = fsops.take(f"{self._new}/{name}", f"{self._cur}/{claimed}")
        except OSError as error:
            if error.errno == errno.EXDEV:
                error.strerror = "The sections must be on one file system"
            raise
        if not is_there:
            # Without cur, every file would seem to be somebody else's.
            os.stat(self._cur)  # noqa: PTH116
            return None
        # Of threads that are here together, each gets a number of its own.
        number = self._taken = next(self._numbers)
        return number

    def status(self, claimed: str) -> os.stat_result | None:
        """Return what the system knows of a claimed file, or None if it is gone."""
        try:
            return os.lstat(f"{self._cur}/{claimed}")
        except FileNotFoundError:
            return None

    def finish(self, claimed: str, number: int) -> bool:
        """Remove a claimed file for good; tell whether it was still there.

        number is that of the claim. One sync of new does for all claims before it.
        """
        if not fsops.drop(f"{self._cur}/{claimed}"):
            return False
        fsops.sync_folders([self.cur], self.policy)
        if number > self._confirmed:
            taken = self._taken
            fsops.sync_folders([self.new], self.policy)
            self._confirmed = max(self._confirmed, taken)
        return True

    def give_back(self, claim: SpoolName, *, counted: bool, max_attempts: int) -> Path:
        """Move a claimed file to new or, tried too often, to failed; return where.

        The caller syncs. Raise ClaimLost if it is gone.
        """
        free = claim.given_back(counted=counted)
        folder = self.new
        if counted and free.attempts >= max_attempts:
            folder = self.failed
            self.make_failed()
        if not fsops.take(f"{self.cur}/{claim}", f"{folder}/{free}"):
            raise lost(claim)
        return folder

    def put_aside(self, name: str) -> None:
        """Move a file that cannot be claimed, its name being too long, to failed."""
        self.make_failed()
        if fsops.take(f"{self.new}/{name}", f"{self.failed}/{shortened(name)}"):
            logger.error("%r is in %s now: its name is too long.", name, self.failed)
            self.put_aside_count += 1
            fsops.sync_folders([self.failed, self.new], self.policy)

    def refuse(self, claim: SpoolName) -> None:
        """Move what is no file, and came in the place of one, from cur to failed."""
        self.make_failed()
        free = claim.given_back(counted=True)
        if fsops.take(f"{self.cur}/{claim}", f"{self.failed}/{free}"):
            logger.error("%r is in %s now: it is no file.", free, self.failed)
            self.put_aside_count += 1
            self.sync_given_back([self.failed])

    def sync_given_back(self, folders: Iterable[Path]) -> None:
        """Sync where claimed files were moved to, then where they were."""
        fsops.sync_folders([*folders, self.new, self.cur], self.policy)

    def make_failed(self) -> None:
        """Make the folder of what was tried too often, when it is needed first."""
        policy = fsops.Policy(root=self.root, durability=self.policy.durability)
        fsops.make_folders(self.failed, policy)


def lost(claim: SpoolName) -> ClaimLost:
    """Return the error to raise when a claimed file is not there any more."""
    return ClaimLost(
        f"The claim {claim.token} of {claim.filename!r} is over: its lease ended, and "
        "the file was given back. Nothing was changed."
    )
