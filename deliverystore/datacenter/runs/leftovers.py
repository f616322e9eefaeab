"""Rows that a run has left: who does something about them keeps all others out."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F

from deliverystore.exceptions import RunRefused
from deliverystore.models import ImportRun


def lock(
    run: ImportRun, states: Collection[ImportRun.State] = ImportRun.LEFT_OVER
) -> None:
    """Lock a run with rows that are left, in a transaction, and read it again.

    Raise RunRefused if none are left. It is written to: who only reads first, may be
    refused the writing on SQLite.
    """
    left = ImportRun.objects.filter(pk=run.pk, state__in=states)
    if not left.update(state=F("state")):
        raise RunRefused(f"No rows of import {run.pk} are left.")
    run.refresh_from_db()


def end(run: ImportRun) -> None:
    """Write down that what a run had left was tried again."""
    left = ImportRun.objects.filter(pk=run.pk, state__in=ImportRun.LEFT_OVER)
    left.update(state=ImportRun.State.RETRIED)
    run.refresh_from_db()


def are_tried(run: ImportRun) -> bool:
    """Tell whether a run that is not over has the rows that this one has left.

    As long as this one is locked, that one cannot end.
    """
    return run.children.filter(state__in=ImportRun.HOLDING).exists()
