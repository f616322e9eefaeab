"""All files copied from one store into another, several at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import chain

from django.db import connections
from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _

from deliverystore.copying.files import Copied, Copier, Outcome, Stopped
from deliverystore.exceptions import (
    DeliveryStoreError,
    FileNotFound,
    StoreUnavailable,
    SyncFailed,
)
from deliverystore.models import FileMeta

_FIELDS = ("delivery_id", "filename", "size", "digest", "stored_as", "completed")
_ROWS_AT_ONCE = 500
# What a thread takes at once: these files share a barrier.
_FILES_AT_ONCE = 32
_BYTES_AT_ONCE = 32 * 1024 * 1024
# So many one after the other are not the fault of the files.
_GIVE_UP_AFTER = 100
_IN_VAIN = frozenset({Outcome.FAILED, Outcome.MISSING})


def totals() -> tuple[int, int]:
    """Return how many complete files there are, and how many bytes they have."""
    sums = _complete().aggregate(files=Count("pk"), bytes=Sum("size"))
    return sums["files"], sums["bytes"] or 0


def copy_all(copier: Copier, *, jobs: int) -> Iterator[Copied]:
    """Copy all complete files and yield what has become of each.

    It ends early, with the copier stopped, when a hundred fail one after the other.
    Raise StoreUnavailable if a hundred are missing, and the source has no others
    either. Whoever does not take all results stops it, too.
    """
    in_a_row = 0
    try:
        for copied in _copy_in_threads(copier, jobs):
            in_a_row = in_a_row + 1 if copied.outcome in _IN_VAIN else 0
            yield copied
            if in_a_row == _GIVE_UP_AFTER:
                in_a_row = 0
                if copied.outcome is Outcome.FAILED:
                    copier.stop()
                else:
                    _check_source(copier)
    except BaseException:
        copier.stop()
        raise


def _check_source(copier: Copier) -> None:
    if not FileMeta.objects.any_in(copier.source):
        text = _("The source has none of the files that it should have.")
        raise StoreUnavailable(text)


def _copy_in_threads(copier: Copier, jobs: int) -> Iterator[Copied]:
    portions = _portions()
    running: set[Future[list[Copied]]] = set()
    with ThreadPoolExecutor(jobs, thread_name_prefix="copying") as pool:
        while True:
            while len(running) < 2 * jobs and not copier.is_stopped:
                if (files := next(portions, None)) is None:
                    break
                running.add(pool.submit(_copy_together, copier, files))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield from _settled(copier, future.result())


def _copy_together(copier: Copier, files: Sequence[FileMeta]) -> list[Copied]:
    """Copy files behind one barrier; if that fails, each behind its own."""
    results: list[Copied] = []
    try:
        with copier.target.group() as group:
            results = _copy_each(copier, files, group)
    except SyncFailed as error:
        # Asked once more, the disk might say yes and have nothing.
        return _without_copies(copier, results, str(error))
    except (OSError, DeliveryStoreError) as error:
        # Which file is at fault, each will show.
        _without_copies(copier, results, str(error))
        return _copy_each(copier, files, None)
    finally:
        # Some storages keep bytes in a database.
        connections.close_all()
    return results


def _without_copies(
    copier: Copier, results: Sequence[Copied], reason: str
) -> list[Copied]:
    """Remove what was copied in vain: its name may be there, but not on the disk."""
    return [
        _taken_back(copier, one, Outcome.FAILED, reason)
        if one.outcome is Outcome.COPIED
        else one
        for one in results
    ]


def _copy_each(
    copier: Copier, files: Sequence[FileMeta], group: object | None
) -> list[Copied]:
    results = []
    with contextlib.suppress(Stopped):
        for file in files:
            results.append(copier.copy(file, group))  # noqa: PERF401 - may stop
    return results


def _settled(copier: Copier, results: Sequence[Copied]) -> Iterator[Copied]:
    """Yield results, after a look at the rows of all that was not simply there.

    Bytes are removed after their row. So who removes the bytes of a row that is seen
    here finds its copy, which is there already.
    """
    asked = [one.file.pk for one in results if one.outcome is not Outcome.PRESENT]
    rows = FileMeta.objects.filter(pk__in=asked).values_list("pk", "stored_as")
    names = dict(rows) if asked else {}
    for one in results:
        if (
            one.outcome is Outcome.PRESENT
            or names.get(one.file.pk) == one.file.stored_as
        ):
            yield one
        elif one.file.pk in names:
            reason = _("Its row names other bytes by now. Copy once more.")
            yield _taken_back(copier, one, Outcome.FAILED, reason)
        else:
            yield _taken_back(copier, one, Outcome.REMOVED)


def _taken_back(
    copier: Copier, copied: Copied, outcome: Outcome, reason: str = ""
) -> Copied:
    if copied.outcome is Outcome.COPIED and not copier.dry_run:
        try:
            copier.target.remove(copied.file)
        except FileNotFound:
            pass
        except OSError as error:
            outcome = Outcome.FAILED
            reason = _("It was deleted, but its copy cannot be removed: %s") % error
    return replace(copied, outcome=outcome, reason=reason)


def _complete() -> QuerySet[FileMeta]:
    return FileMeta.objects.exclude(completed=None)


def _portions() -> Iterator[list[FileMeta]]:
    """Yield all complete files, a few at a time, or fewer if they are large."""
    portion: list[FileMeta] = []
    size = 0
    for file in chain.from_iterable(_batches()):
        portion.append(file)
        size += file.size
        if len(portion) >= _FILES_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _batches() -> Iterator[list[FileMeta]]:
    files = _complete().order_by("pk").only(*_FIELDS)
    last = 0
    while True:
        _renew_connection(files.db)
        batch = list(files.filter(pk__gt=last)[:_ROWS_AT_ONCE])
        if not batch:
            return
        last = batch[-1].pk
        yield batch


def _renew_connection(alias: str) -> None:
    """Close a connection as after a request: it may have idled, and be lost."""
    connection = connections[alias]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
