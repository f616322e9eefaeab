"""How much there is in a spool, and for how long it has waited."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from deliverystore import fsops
from deliverystore.spool.folders import SpoolFolders
from deliverystore.spool.names import is_hidden, parse


@dataclass(frozen=True, kw_only=True)
class SpoolStatus:
    """How many files wait, are claimed and have failed; when the oldest came.

    overdue are those of the claimed whose lease has ended. oldest is the time of the
    last change of the file that waits for longest, aware; None if none waits. Where
    counting ended at a limit, they speak of the files that were counted. ignored are
    folders, links and pipes in new, which are never claimed.
    """

    waiting: int
    claimed: int
    overdue: int
    failed: int
    oldest: datetime | None
    ignored: int = 0


def status(folders: SpoolFolders, now: float, limit: int | None) -> SpoolStatus:
    """Count; in each folder, look at no more than limit and one more.

    Raise FileNotFoundError if there is no new or cur.
    """
    most = None if limit is None else limit + 1
    waiting, ignored, oldest = 0, 0, None
    for entry in _visible(folders.new, most):
        try:
            modified = _modified(entry)
        except FileNotFoundError:
            continue
        if modified is None:
            ignored += 1
            continue
        waiting += 1
        oldest = modified if oldest is None else min(oldest, modified)
    ends = [
        parse(entry.name).until
        for entry in _visible(folders.cur, most)
        if entry.is_file(follow_symlinks=False)
    ]
    return SpoolStatus(
        waiting=waiting,
        claimed=len(ends),
        overdue=sum(end is not None and end < now for end in ends),
        failed=_count_failed(folders.failed, most),
        ignored=ignored,
        oldest=None if oldest is None else fsops.changed(oldest),
    )


def _count_failed(folder: Path, most: int | None) -> int:
    """Count all that is there; the folder is made when the first one fails."""
    try:
        return sum(1 for _ in _visible(folder, most))
    except FileNotFoundError:
        return 0


def _visible(folder: Path, most: int | None) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        shown = (entry for entry in entries if not is_hidden(entry.name))
        yield from islice(shown, most)


def _modified(entry: os.DirEntry[str]) -> float | None:
    """Return when a file was changed, in seconds since 1970; None if it is none."""
    if not entry.is_file(follow_symlinks=False):
        return None
    return entry.stat(follow_symlinks=False).st_mtime
