"""Doing an export: one worker writes its file, which is there when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from time import monotonic

from django.utils import timezone

from deliverystore.conf import conf
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.exports import files
from deliverystore.datacenter.exports.exporters import ModelExporter
from deliverystore.datacenter.exports.writing import chunks
from deliverystore.datacenter.reasons import reason
from deliverystore.exceptions import ExportRefused, ProcessorNotFound, RunBusy
from deliverystore.models import Export, leases
from deliverystore.models.leases import Lease

State = Export.State
Advance = Callable[[Export], object]
# So often, in seconds, it is written down how far an export is.
_STEP = 1.0
# With these, repeating it would end in the same way.
_HOPELESS = (ExportRefused, ProcessorNotFound)


def work(
    export: Export,
    *,
    advance: Advance = lambda _export: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Export:
    """Do an export from its beginning.

    Killed, it leaves no file, and can be called again. advance is called after each
    batch. Once is_stopped says so, the export waits again. Raise RunBusy if another
    worker is at it, or it was deleted; what else is raised is in its error, too.
    """
    lease = leases.take(export)
    try:
        _write(_Progress(export, lease, advance, is_stopped))
    except _Stopped:
        lease.release(state=State.WAITING)
    except RunBusy:
        raise
    except Exception as error:
        hopeless = isinstance(error, _HOPELESS)
        state = State.FAILED if hopeless else State.BROKEN
        told = reason(export, error)
        lease.release(state=state, error=told, ended=timezone.now())
        raise
    export.refresh_from_db()
    return export


def expiry() -> datetime:
    """Return until when an export is kept that begins or ends now."""
    return timezone.now() + conf.DELIVERY_STORE_KEEP_EXPORTS


class _Stopped(Exception):
    """The export was asked to stop."""


class _Progress:
    """How far an export is, written down now and then, which keeps the lease."""

    def __init__(
        self,
        export: Export,
        lease: Lease,
        advance: Advance,
        is_stopped: Callable[[], bool],
    ) -> None:
        self.export, self.lease = export, lease
        self._advance, self._is_stopped = advance, is_stopped
        self._written = monotonic()

    def add(self, rows: int) -> None:
        """Take notice that so many more rows are written."""
        self.export.rows += rows
        self._advance(self.export)

    def watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the pieces of a file on. Raise RunBusy, or _Stopped."""
        for piece in pieces:
            if self._is_stopped():
                raise _Stopped
            if monotonic() - self._written > _STEP:
                self.lease.write(rows=self.export.rows)
                self._written = monotonic()
            yield piece


def _write(progress: _Progress) -> None:
    export = progress.export
    exporter = ModelExporter.named(export.processor, filters=export.filters)
    export.rows, export.total = 0, exporter.count()
    progress.lease.write(rows=0, total=export.total, ended=None)
    pieces = chunks(
        exporter,
        export.format,
        for_spreadsheet=export.for_spreadsheet,
        advance=progress.add,
    )
    place = DataCenter().place
    name = place.create([files.new_name(export)], progress.watch(pieces))
    try:
        progress.lease.write(
            state=State.FINISHED,
            file=name,
            rows=export.rows,
            size=place.entry(name).size,
            ended=timezone.now(),
            expires=expiry(),
        )
    except RunBusy:
        place.delete(name)
        raise
    progress.lease.release()
