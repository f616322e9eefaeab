"""A worker at a spool: takes one file after the other, and survives their errors."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event

from django.db import InterfaceError, OperationalError, close_old_connections

from deliverystore.exceptions import (
    ClaimLost,
    ColumnsRefused,
    DeliveryStoreError,
    FileChanged,
    InvalidName,
    LimitExceeded,
    StoreUnavailable,
    SyncFailed,
    TableUnreadable,
    TooManyFiles,
)
from deliverystore.management.spool_targets import Target
from deliverystore.spool import Claim

# Nothing is wrong with the file: it will go in when these are over.
_OUTAGES = (
    InterfaceError,
    OperationalError,
    StoreUnavailable,
    SyncFailed,
    TooManyFiles,
)
# Something is, and another attempt would not change it.
_FAULTS = (ColumnsRefused, InvalidName, LimitExceeded, TableUnreadable)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
# In seconds; each pause is twice as long as the one before.
_SHORTEST, _LONGEST = 1.0, 60.0

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Worker:
    """Does what target says with each claim, until stop is set.

    say is told, in a line, what became of each file. done counts files, failed counts
    attempts. An outage, of the database for example, is no attempt: it is waited for,
    or raised if not is_patient.
    """

    target: Target
    say: Callable[[str], object]
    is_patient: bool = True
    stop: Event = field(default_factory=Event)
    done: int = 0
    failed: int = 0
    _pause: float = _SHORTEST

    def run(self, claims: Iterator[Claim]) -> None:
        """Work until there are no more claims, or stop is set."""
        for claim in claims:
            self._work(claim)
            if self.stop.is_set():
                return

    def _work(self, claim: Claim) -> None:
        begun = time.monotonic()
        # A database may have closed connections that were left idle.
        close_old_connections()
        try:
            with claim:
                result = self._target_of(claim)
        except ClaimLost as error:
            self.failed += 1
            self.say(f"{claim.filename!r}: {error}")
            return
        except Exception as error:  # one bad file must not stop the others
            if not _is_outage(error):
                self._note_failure(error, claim)
            elif self.is_patient:
                self._wait_for_the_end_of(error, claim)
            else:
                raise
            return
        self._pause = _SHORTEST
        what = f": {result}" if isinstance(result, str) else ""
        # The target may have ended the claim in another way.
        if claim.ended == "done":
            self.done += 1
            spent = time.monotonic() - begun
            self.say(f"{claim.filename!r}: done in {spent:.2f} s{what}")
            return
        self.failed += claim.ended != "released"
        self.say(f"{claim.filename!r}: {claim.ended}{what}")

    def _target_of(self, claim: Claim) -> object:
        try:
            result = self.target(claim)
        except Exception as error:
            if _is_outage(error):
                claim.release()
            elif isinstance(error, _FAULTS):
                claim.refuse()
            raise
        if not claim.is_unchanged():
            raise FileChanged("Somebody was still writing to it, so it is tried again.")
        return result

    def _note_failure(self, error: Exception, claim: Claim) -> None:
        self.failed += 1
        if isinstance(error, _FAULTS):
            self.say(f"{claim.filename!r}: refused: {error}")
            return
        logger.error(
            "Attempt %d at %r failed.", claim.attempt, claim.filename, exc_info=error
        )
        self.say(f"{claim.filename!r}: attempt {claim.attempt} failed: {_told(error)}")

    def _wait_for_the_end_of(self, error: Exception, claim: Claim) -> None:
        logger.error("%r waits for an outage to end: %s", claim.filename, error)
        self.say(f"{claim.filename!r}: next try in {self._pause:.0f} s: {error}")
        self.stop.wait(self._pause)
        self._pause = min(2 * self._pause, _LONGEST)


def _told(error: Exception) -> str:
    """Say what went wrong; errors of others say less without their class."""
    if isinstance(error, DeliveryStoreError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _is_outage(error: Exception) -> bool:
    """Tell whether the file would go in if something else were as usual."""
    is_full = isinstance(error, OSError) and error.errno in _FULL
    return is_full or isinstance(error, _OUTAGES)
