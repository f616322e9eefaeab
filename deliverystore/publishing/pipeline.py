"""Doing a publication: one worker lets a media processor work on one file."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from deliverystore.exceptions import ProcessingFailed, RunBusy
from deliverystore.models import Publication, PublishedFile, leases
from deliverystore.models.leases import Lease
from deliverystore.publishing import placing, registry
from deliverystore.publishing.jobs import Job
from deliverystore.publishing.workbench import WorkbenchManager

logger = logging.getLogger(__name__)

_State = Publication.State


def work(
    publication: Publication, *, advance: Callable[[float], object] = float
) -> Publication:
    """Do a publication from its beginning, and return it with its new state.

    Killed at any moment, it can be called again. What was public stays until the new
    files are in place; what a processor raises is in the publication's error. advance
    is told how much is done, from 0 to 1. Raise RunBusy if another worker is at it.
    """
    is_first = publication.heartbeat is None
    lease = leases.take(publication, "filemeta")
    placed: list[PublishedFile] = []
    try:
        if not is_first:
            placing.take_back(lease, publication.filemeta)
        _process(publication, lease, placed, advance)
    except RunBusy:
        placing.discard(placed)
        raise
    except Exception as error:  # noqa: BLE001 - it is logged, and in the row
        _log(publication, error)
        placing.discard(placed)
        _fail(publication, lease, error)
        publication.refresh_from_db()
    return publication


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
        registry.get_processor(publication.processor).process(job)
    values = {"state": _State.PROCESSED, "progress": 1.0, "ended": timezone.now()}
    placing.show(lease, file, placed, **values)
    for name, value in {**values, "worker": "", "lease_until": None}.items():
        setattr(publication, name, value)


def _fail(publication: Publication, lease: Lease, error: Exception) -> None:
    """Write an error down, unless the commit that raised it has arrived after all."""
    mine = Publication.objects.filter(
        pk=publication.pk, worker=lease.worker, state=_State.PROCESSING
    )
    mine.update(worker="", lease_until=None, **_failure(error))


def _log(publication: Publication, error: Exception) -> None:
    """Log a failure; one that lies in the file is no fault of the site."""
    if isinstance(error, ProcessingFailed):
        logger.info("%s failed: %s", publication, error)
    else:
        logger.error("%s failed", publication, exc_info=error)


def _failure(error: Exception) -> dict[str, Any]:
    metadata = error.metadata if isinstance(error, ProcessingFailed) else {}
    return {
        "state": _State.FAILED,
        "error_class": type(error).__name__,
        "error": str(error),
        "error_metadata": json.loads(
            json.dumps(metadata, cls=DjangoJSONEncoder, default=str)
        ),
        "ended": timezone.now(),
    }
