"""One worker for each piece of work: who has the lease may write, and nobody else."""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from dataclasses import dataclass

from django.db import router, transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from deliverystore.exceptions import RunBusy
from deliverystore.models.imports import ImportRun
from deliverystore.models.leased import Leased


@dataclass(frozen=True)
class Lease:
    """The right to do some work, as long as nobody has taken it over."""

    work: Leased
    worker: str

    def write(self, **values: object) -> None:
        """Write to the work's row, and keep the lease. Raise RunBusy if it is lost.

        In a transaction, the row is locked from here on, so that it stays ours.
        """
        now = timezone.now()
        if not self._mine.update(
            heartbeat=now, lease_until=now + self.work.LEASE, **values
        ):
            raise RunBusy(f"Another worker has taken over {_named(self.work)}.")

    def release(self, **values: object) -> bool:
        """Give the work back, if it is still ours; tell whether it was."""
        return bool(self._mine.update(worker="", lease_until=None, **values))

    @property
    def _mine(self) -> QuerySet[Leased]:
        return _all(self.work).filter(pk=self.work.pk, worker=self.worker)


def take(work: Leased, *related: str, **also: object) -> Lease:
    """Take work that waits, or whose worker is dead, and read its row anew.

    related names foreign keys whose rows are read along, also gives further values of
    the row. Raise RunBusy if it has a worker.
    """
    host = socket.gethostname()
    worker = f"{host}:{os.getpid()}:{uuid.uuid4().hex}"
    now = timezone.now()
    values = {
        "worker": worker,
        "lease_until": now + work.LEASE,
        "heartbeat": now,
        "state": work.RUNNING,
        "started": work.started or now,
        "error": "",
        **also,
    }
    with transaction.atomic(using=database(type(work))):
        # Hardly ever somebody has died.
        taken = _waiting(work).update(**values) or _unlocked(work).update(**values)
    if not taken:
        raise RunBusy(f"Another worker is at {_named(work)}, or it is over.")
    rows = _all(work)
    work.refresh_from_db(
        from_queryset=rows.select_related(*related) if related else rows
    )
    return Lease(work, worker)


def database(model: type[Model] = ImportRun) -> str:
    """Return the alias of the database with the runs, or with other work."""
    return str(router.db_for_write(model))


def is_left(work: Leased) -> bool:
    """Tell whether nobody is at work that is not over.

    A worker whose lease has run out may be in a transaction that takes longer. Where
    rows can be locked, that is seen; on SQLite it cannot be.
    """
    free = _free(work).filter(pk=work.pk)
    if free.exclude(worker="").exists():
        # Locked only if somebody seems to have died: elsewhere, a worker that looks
        # for work at this moment would pass it by.
        with transaction.atomic(using=database(type(work))):
            return bool(free.select_for_update(skip_locked=True))
    return free.exists()


def _all(work: Leased) -> QuerySet[Leased]:
    objects: QuerySet[Leased] = type(work)._default_manager.all()
    return objects


def _named(work: Leased) -> str:
    return f"{work._meta.verbose_name} {work.pk}"


def _waiting(work: Leased) -> QuerySet[Leased]:
    return _all(work).filter(pk=work.pk, worker="", state__in=work.HOLDING)


def _free(work: Leased) -> QuerySet[Leased]:
    gone = Q(worker="") | Q(lease_until__lt=timezone.now()) | _dead_here(work)
    return _all(work).filter(gone, state__in=work.HOLDING)


def _unlocked(work: Leased) -> QuerySet[Leased]:
    """Return the work if it can be taken: one in the middle of a step is locked."""
    free = _free(work).filter(pk=work.pk).select_for_update(skip_locked=True)
    return _all(work).filter(pk__in=free.values("pk"))


def _dead_here(work: Leased) -> Q:
    """Return the condition for work whose worker was a process of this machine."""
    condition = Q(pk__in=[])
    here = f"{socket.gethostname()}:"
    its = _all(work).filter(pk=work.pk, state=work.RUNNING, worker__startswith=here)
    for worker in its.values_list("worker", flat=True):
        pid = int(worker.removeprefix(here).partition(":")[0])
        if not _is_alive(pid):
            condition |= Q(worker=worker)
    return condition


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
