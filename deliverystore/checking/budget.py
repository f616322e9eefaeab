"""How much a check may do before it stops, to go on another time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from deliverystore.models import Check


class Interrupted(Exception):
    """The check is to stop: what it is at is looked at again later."""


@dataclass(kw_only=True)
class Budget:
    """The limits of one call: after so many bytes or seconds, nothing new is begun.

    interrupt() stops also in the middle of a file; it may be called by a signal.
    """

    max_bytes: float = math.inf
    max_seconds: float = math.inf
    bytes_read: int = 0
    _is_interrupted: bool = False
    _started: float = field(default_factory=time.monotonic)

    def interrupt(self) -> None:
        """Ask the check to stop."""
        self._is_interrupted = True

    def read(self, size: int) -> None:
        """Count bytes that were read; raise Interrupted if the check is to stop."""
        self.bytes_read += size
        if self._is_interrupted:
            raise Interrupted

    def check(self) -> None:
        """Raise Interrupted if nothing new is to be begun."""
        if self.ending():
            raise Interrupted

    def ending(self) -> Check.Ending | None:
        """Return why nothing new is to be begun, or None."""
        if self._is_interrupted:
            return Check.Ending.INTERRUPTED
        seconds = time.monotonic() - self._started
        if self.bytes_read >= self.max_bytes or seconds >= self.max_seconds:
            return Check.Ending.LIMIT
        return None
