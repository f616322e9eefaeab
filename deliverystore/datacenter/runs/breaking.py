"""Runs that break off: whether they can be gone on with."""

from __future__ import annotations

from deliverystore.datacenter.reasons import reason
from deliverystore.exceptions import (
    ColumnsRefused,
    FileNotFound,
    ProcessorNotFound,
    RunRefused,
    TableUnreadable,
)
from deliverystore.models import ImportRun
from deliverystore.models.leases import Lease

# With these, trying again would end in the same way.
_HOPELESS = (
    *(ColumnsRefused, FileNotFound, ProcessorNotFound, RunRefused),
    TableUnreadable,
)


def break_off(run: ImportRun, lease: Lease, error: Exception) -> None:
    """Write down why a run ends before its rows are read.

    It has failed only if none was: what has gone in would go in again with another
    run, so that this one has to be gone on with.
    """
    told = reason(run, error)
    run.refresh_from_db(fields=["rows"])
    has_failed = isinstance(error, _HOPELESS) and not run.rows
    state = ImportRun.State.FAILED if has_failed else ImportRun.State.BROKEN
    lease.release(state=state, error=told)
