"""Removing what nobody needs: what was given up, and bytes whose rows are gone."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from django.db import models

from deliverystore import fsops
from deliverystore.conf import conf
from deliverystore.exceptions import DeliveryNotOpen
from deliverystore.models import Delivery, FileMeta, Removal, StoredRemoval, Upload
from deliverystore.models.access import User
from deliverystore.models.removal import patience, untouched_since
from deliverystore.models.upload import orphans, partial_files_policy
from deliverystore.spool import FileStore, get_spools

_BATCH = 500

logger = logging.getLogger(__name__)

_Row = TypeVar("_Row", bound=models.Model)
# Of each thing, whether it went; None: it was not there any more, or is in use again.
_Results = Generator[bool | None, None, None]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """How many deliveries were abandoned, and uploads and bytes of files removed.

    temporary counts the temporary files of broken writes that were removed, in the
    store and in spools; refused what could not be removed: the log says why.
    """

    deliveries: int = 0
    uploads: int = 0
    files: int = 0
    temporary: int = 0
    refused: int = 0


class _Stopped(Exception):
    """Leaves a walk through the store, which may have nothing to tell for long."""


class Sweeper:
    """Sweeps, or only says what a sweep would do.

    advance is told how many more things were looked at.
    """

    def __init__(
        self, *, dry_run: bool = False, advance: Callable[[int], object] = int
    ) -> None:
        self.dry_run = dry_run
        self.is_stopped = False
        self._advance = advance
        self._counts: Counter[str] = Counter()

    @property
    def so_far(self) -> Sweep:
        """What was done until now, or would be."""
        return Sweep(**self._counts)

    def stop(self) -> None:
        """Have nothing new begun; may be called by a signal."""
        self.is_stopped = True

    def run(self) -> None:
        """Sweep, until it is done or stopped.

        If it cannot be seen what there is of one kind, the others go, and then that
        error is raised.
        """
        failures = []
        for name, results in (
            ("deliveries", self._deliveries()),
            ("uploads", self._uploads()),
            ("files", self._files()),
            ("temporary", self._temporary()),
            *(("temporary", self._spool(one)) for one in get_spools().values()),
        ):
            try:
                self._count(name, results)
            except OSError as error:
                failures.append(error)
        for other in failures[1:]:
            logger.error("The sweep was kept from more: %s", other)
        if failures:
            raise failures[0]

    def _count(self, name: str, results: _Results) -> None:
        with closing(results):
            while not self.is_stopped:
                try:
                    result = next(results)
                except (StopIteration, _Stopped):
                    return
                self._advance(1)
                if result is not None:
                    self._counts[name if result else "refused"] += 1

    # -- What goes -----------------------------------------------------------------

    def _deliveries(self) -> _Results:
        stale = Delivery.objects.stale()
        if self.dry_run:
            yield from _would_go(stale.count())
            return
        yield from map(_abandon, _by_id(stale))

    def _uploads(self) -> _Results:
        if not conf.DELIVERY_STORE_UPLOAD_ROOT:
            return
        stale = Upload.objects.stale()
        if self.dry_run:
            yield from _would_go(stale.count())
            yield from (True for _ in orphans())
            return
        for upload in _by_id(stale):
            yield _tried(partial(_expire, upload), f"The upload {upload.pk}")
        for path in orphans():
            yield _tried(partial(_remove_orphan, path), f"The upload {path.name}")

    def _files(self) -> _Results:
        due, stored = Removal.objects.due(), StoredRemoval.objects.due()
        if self.dry_run:
            yield from _would_go(due.without_row().count() + stored.count())
            return
        yield from due.carry_out_each(FileMeta.deliverystore)
        yield from stored.carry_out_each()

    def _temporary(self) -> _Results:
        store = FileMeta.deliverystore
        for name in store.leftovers(untouched_since(), visit=self._visit):
            if self.dry_run:
                yield True
            else:
                yield _tried(partial(_remove_leftover, name), f"The file {name!r}")

    def _spool(self, spool: FileStore) -> _Results:
        # A spool has no folders before it is used.
        with suppress(FileNotFoundError):
            if self.dry_run:
                yield from _would_go(len(spool.leftovers(patience())))
            else:
                yield from (True for _ in range(spool.sweep(patience())))

    def _visit(self, folder: str, error: OSError | None) -> None:
        if self.is_stopped:
            raise _Stopped
        if error is not None:
            self._counts["refused"] += 1
            logger.error("Temporary files may stay in %r: %s", folder, error)


def sweep(advance: Callable[[int], object] = int) -> Sweep:
    """Abandon what is open for too long; remove bytes after the grace period.

    The times are DELIVERY_STORE_ABANDON_AFTER and DELIVERY_STORE_GRACE. Safe beside
    running uploads, and safe to interrupt and repeat. advance is told how many more
    things were looked at.
    """
    sweeper = Sweeper(advance=advance)
    sweeper.run()
    return sweeper.so_far


def preview() -> Sweep:
    """Return what sweep() would do now."""
    sweeper = Sweeper(dry_run=True)
    sweeper.run()
    return sweeper.so_far


def abandon(deliveries: Iterable[Delivery], user: User) -> list[Delivery]:
    """Abandon open deliveries and return them; finished ones stay.

    Raise NotPermitted, before any is abandoned, unless the user may.
    """
    deliveries = list(deliveries)
    for delivery in deliveries:
        delivery.check_permission(user, "abandon")
    return [delivery for delivery in deliveries if _abandon(delivery)]


def _would_go(count: int) -> Iterator[bool]:
    return (True for _ in range(count))


def _by_id(rows: models.QuerySet[_Row]) -> Iterator[_Row]:
    """Yield rows, some of which are deleted on the way; few are in memory at once."""
    rest = rows.order_by("pk")
    batch = list(rest[:_BATCH])
    while batch:
        yield from batch
        batch = list(rest.filter(pk__gt=batch[-1].pk)[:_BATCH])


def _tried(remove: Callable[[], bool | None], what: str) -> bool | None:
    """Remove something: true if that was done, false if it is refused.

    None if remove says so, or if it is gone, or in use.
    """
    try:
        return remove()
    except (BlockingIOError, FileNotFoundError):
        return None
    except OSError:
        logger.exception("%s stays for now.", what)
        return False


def _abandon(delivery: Delivery) -> bool | None:
    try:
        delivery.abandon()
    except DeliveryNotOpen:
        # Finished, or abandoned by its owner, since the list was made.
        return None
    return True


def _expire(upload: Upload) -> bool | None:
    try:
        with fsops.exclusive(upload.path):
            # It may have gone on since the list was made.
            if stale := Upload.objects.stale().filter(pk=upload.pk).first():
                stale.discard()
                return True
            return None
    except FileNotFoundError:
        # The file was handed in; only the row was left, for clients that ask.
        Upload.objects.filter(pk=upload.pk).delete()
        return True


def _remove_orphan(path: Path) -> bool:
    with fsops.exclusive(path):
        fsops.remove(path, partial_files_policy())
    return True


def _remove_leftover(name: str) -> bool:
    FileMeta.deliverystore.remove_leftover(name)
    return True
