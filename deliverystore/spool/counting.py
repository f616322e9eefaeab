"""How much there is in a spool, and for how long it has waited."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from deliverystore.spool.folders import SpoolFolders
from deliverystore.spool.names import is_hidden, parse


@dataclass(frozen=True, kw_only=True)
class SpoolStatus:
    """How many files wait, are claimed and have failed; when the oldest came.

    overdue are those of the claimed whose lease has ended. oldest is the time of the
    last change of the file that waits for longest, aware; None if none waits. Where
    counting ended at a limit, they speak of the files that were counted.
    """

    waiting: int
    claimed: int
    overdue: int
    failed: int
    oldest: datetime | None


def status(folders: SpoolFolders, now: float, limit: int | None) -> SpoolStatus:
    """Count, in each folder up to limit and one more, if there is one.

    Raise FileNotFoundError if there is no new or cur.
    """
    most = None if limit is None else limit + 1
    waiting, oldest = 0, None
    for entry in _visible(folders.new, most):
        try:
            modified = entry.stat(follow_symlinks=False).st_mtime
        except FileNotFoundError:
            continue
        waiting += 1
        oldest = modified if oldest is None else min(oldest, modified)
    ends = [parse(entry.name).until for entry in _visible(folders.cur, most)]
    return SpoolStatus(
        waiting=waiting,
        claimed=len(ends),
        overdue=sum(end is not None and end < now for end in ends),
        failed=_count_failed(folders.failed, most),
        oldest=None if oldest is None else datetime.fromtimestamp(oldest, tz=UTC),
    )


def _count_failed(folder: Path, most: int | None) -> int:
    """Count all that is there; the folder is made when the first one fails."""
    try:
        with os.scandir(folder) as entries:
            shown = (entry for entry in entries if not is_hidden(entry.name))
            return sum(1 for _ in islice(shown, most))
    except FileNotFoundError:
        return 0


def _visible(folder: Path, most: int | None) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from islice(filter(_is_counted, entries), most)


def _is_counted(entry: os.DirEntry[str]) -> bool:
    return not is_hidden(entry.name) and entry.is_file(follow_symlinks=False)
