"""What processes have left behind that died: claims to give back, files to remove."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deliverystore import fsops
from deliverystore.exceptions import ClaimLost
from deliverystore.spool.claims import Terms
from deliverystore.spool.folders import SpoolFolders
from deliverystore.spool.names import SpoolName, parse

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """How many files wait again, and how many were tried too often."""

    waiting: int = 0
    failed: int = 0


def recover(folders: SpoolFolders, terms: Terms, now: float) -> Recovery:
    """Give back the files of claims whose leases ended before now."""
    used: list[Path] = []
    for claim in _expired(folders.cur, now):
        try:
            folder = folders.give_back(
                claim, counted=True, max_attempts=terms.max_attempts
            )
        except ClaimLost:
            # Somebody else gives back, too; or it was done at the last moment.
            continue
        logger.warning(
            "The lease of attempt %d at %r ended; it is in %s now.",
            claim.attempts,
            claim.filename,
            folder,
        )
        used.append(folder)
    if used:
        folders.sync_given_back(used)
    failed = used.count(folders.failed)
    return Recovery(waiting=len(used) - failed, failed=failed)


def leftovers(folders: SpoolFolders, before: float) -> list[str]:
    """Return the paths of the files in tmp that were not changed since."""
    return [path for path, modified in _files(folders.tmp) if modified < before]


def sweep(folders: SpoolFolders, before: float) -> int:
    """Remove files in tmp that were not changed since; return how many."""
    removed = sum(map(fsops.drop, leftovers(folders, before)))
    if removed:
        fsops.sync_folders([folders.tmp], folders.policy)
    return removed


def _expired(cur: Path, now: float) -> list[SpoolName]:
    with os.scandir(cur) as entries:
        names = [parse(entry.name) for entry in entries]
    return [name for name in names if name.until is not None and name.until < now]


def _files(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield paths and times, in seconds since 1970, of temporary ones as well."""
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                if entry.is_file(follow_symlinks=False):
                    yield entry.path, entry.stat(follow_symlinks=False).st_mtime
            except FileNotFoundError:
                continue
