"""The files that wait, oldest first, of which one look at the folder finds many."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from deliverystore import fsops
from deliverystore.spool.names import is_hidden

# So many names are kept, so that memory has a bound; twice as many are compared.
LIMIT = 128 * 1024
# How long names are good, in seconds, and in times of what it took to find them.
_SHORTEST = 1.0
_TIMES = 50
# How far a worker goes at most past names that others have taken: a power of two.
_FARTHEST = 10


class LookAhead:
    """Gives out the names in a folder, oldest first.

    They may be gone by then, and missed() wants to be told. The folder is read again
    when all are given out, or when reading it costs little beside the time that has
    passed since. settle is for how many seconds a file must not have been changed: by
    the clock of the file system (st_ctime), since programs that copy a file set the
    time of its last change (st_mtime) to that of the original. By that one they are
    given out. With a settle, what is open for writing is not given out either.
    """

    def __init__(self, folder: Path, settle: float) -> None:
        self._folder = folder
        self._settle = settle
        # The oldest is the last.
        self._names: list[str] = []
        self._good_until = 0.0
        self._misses = 0

    def next(self) -> str | None:
        """Return the name of the file that waits for longest, or None if none does."""
        if not self._names or time.monotonic() > self._good_until:
            self._look()
        while self._names:
            name = self._names.pop()
            if not self.is_being_written(f"{self._folder}/{name}"):
                return name
        return None

    def is_being_written(self, path: str) -> bool:
        """Tell whether a file is open for writing; not asked without a settle."""
        return self._settle > 0 and fsops.is_open_for_writing(path)

    def missed(self) -> None:
        """Take note that somebody else was faster.

        Others work at the same end of the list: what follows is probably gone, too.
        So some names are left out, the more the more often this happens. A later
        look finds those that nobody took.
        """
        self._misses = min(self._misses + 1, _FARTHEST)
        if left_out := random.randrange(1 << self._misses):  # noqa: S311
            del self._names[-left_out:]

    def hit(self) -> None:
        """Take note that the file was there."""
        if self._misses:
            self._misses -= 1

    def _look(self) -> None:
        begun = time.monotonic()
        found: list[tuple[int, str]] = []
        newest = (time.time() - self._settle) * 1e9 if self._settle else None
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if (status := _status(entry)) is None:
                    continue
                if newest is None or status.st_ctime_ns <= newest:
                    found.append((status.st_mtime_ns, entry.name))
                if len(found) > 2 * LIMIT:
                    found = sorted(found)[:LIMIT]
        found.sort(reverse=True)
        self._names = [name for _, name in found[-LIMIT:]]
        now = time.monotonic()
        self._good_until = now + max(_SHORTEST, _TIMES * (now - begun))


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Return what is known of a file; None if it cannot be claimed."""
    if is_hidden(entry.name) or not entry.is_file(follow_symlinks=False):
        return None
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
