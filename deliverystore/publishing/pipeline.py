"""Doing a publication: one worker lets a media processor work on one file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress

from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone

from deliverystore.exceptions import ProcessingFailed, RunBusy
from deliverystore.models import Publication, PublishedFile, leases
from deliverystore.models.leases import Lease
from deliverystore.publishing import placing, registry
from deliverystore.publishing.failures import failure
from deliverystore.publishing.jobs import Job
from deliverystore.publishing.processors import MediaProcessor
from deliverystore.publishing.workbench import WorkbenchManager

logger = logging.getLogger(__name__)

_State = Publication.State
# A file that has killed so many workers is not tried again by itself.
MAX_ATTEMPTS = 5


def work(
    publication: Publication, *, advance: Callable[[float], object] = float
) -> Publication:
    """Do a publication from its beginning, and return it with its new state.

    Killed at any moment, it can be called again. What was public stays until the new
    files are in place; what a processor raises is in the publication's error. advance
    is told how much is done, from 0 to 1. Once MAX_ATTEMPTS workers were killed or
    ended at it, it has failed. Raise RunBusy if another worker is at it, or
    the publication was taken off the site meanwhile.
    """
    is_first = publication.heartbeat is None
    lease = leases.take(publication, "filemeta", attempts=F("attempts") + 1)
    placed: list[PublishedFile] = []
    try:
        if not is_first:
            placing.take_back(lease, publication.filemeta)
        _check_attempts(publication)
        _process(publication, lease, placed, advance)
    except RunBusy:
        placing.discard(placed)
        raise
    except SystemExit:
        # A worker that is asked to stop may end like this, or a media processor.
        logger.exception("%s: the process was ended", publication)
        with suppress(DatabaseError):
            lease.release()
        raise
    except Exception as error:  # noqa: BLE001 - it is logged, and in the row
        _log(publication, error)
        placing.discard(placed)
        _fail(publication, lease, error)
    return publication


def _check_attempts(publication: Publication) -> None:
    """Raise ProcessingFailed if the file has killed too many workers."""
    killed = publication.attempts - 1
    if killed >= MAX_ATTEMPTS:
        raise ProcessingFailed(
            f"{killed} workers were killed or ended while they were at this file. What "
            "their logs and the system's say of it may tell why; then try it again."
        )


def _process(
    publication: Publication,
    lease: Lease,
    placed: list[PublishedFile],
    advance: Callable[[float], object],
) -> None:
    """Do the work; placed gets what was put into the public store."""
    file = publication.filemeta
    with WorkbenchManager().create() as workbench:
        job = Job(file, workbench, lease, placed=placed, advance=advance)
        _process_with(registry.get_processor(publication.processor), job)
    values = {"state": _State.PROCESSED, "progress": 1.0, "ended": timezone.now()}
    placing.show(lease, file, placed, **values)
    for name, value in {**values, "worker": "", "lease_until": None}.items():
        setattr(publication, name, value)


def _process_with(processor: MediaProcessor, job: Job) -> None:
    """Let a processor work. Raise TypeError if it has only said that it would."""
    process: Callable[[Job], object] = processor.process
    result = process(job)
    if isinstance(result, Generator | Coroutine):
        result.close()
        raise TypeError(
            f"{type(processor).__qualname__}.process() has done nothing: it must be a "
            "plain method, without yield and async."
        )


def _fail(publication: Publication, lease: Lease, error: Exception) -> None:
    """Write an error down, unless the commit that raised it has arrived after all.

    Raise RunBusy if there is no publication any more.
    """
    mine = Publication.objects.filter(
        pk=publication.pk, worker=lease.worker, state=_State.PROCESSING
    )
    mine.update(
        **failure(error),
        worker="",
        lease_until=None,
        state=_State.FAILED,
        ended=timezone.now(),
    )
    try:
        publication.refresh_from_db()
    except Publication.DoesNotExist:
        text = f"Publication {lease.work.pk} was taken off the site."
        raise RunBusy(text) from error


def _log(publication: Publication, error: Exception) -> None:
    """Log a failure; one that lies in the file is no fault of the site."""
    if isinstance(error, ProcessingFailed):
        logger.info("%s failed: %s", publication, error)
    else:
        logger.error("%s failed", publication, exc_info=error)
