"""Pending files: the rows that a run has left, and who may do something with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from deliverystore.datacenter import importers, naming, registry
from deliverystore.datacenter.naming import Kind
from deliverystore.datacenter.rows.arranging import RESERVED
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import NotPermitted
from deliverystore.models import ImportRun
from deliverystore.models.access import User


def run_of(path: str) -> ImportRun | None:
    """Return the run of which a file has the rows that are left."""
    return runs_of([path]).get(path)


def runs_of(paths: Collection[str]) -> dict[str, ImportRun]:
    """Return the runs of which files have the rows that are left, by one query."""
    names = {
        path: naming.spelled(path)
        for path in paths
        if naming.parse(path).kind is Kind.PENDING
    }
    left = ImportRun.objects.filter(
        pending_file__in=set(names.values()), state__in=ImportRun.LEFT_OVER
    )
    # Sorted here: for an order, a database may do without the index of the names.
    newest = {run.pending_file: run for run in sorted(left, key=lambda run: run.pk)}
    return {path: newest[name] for path, name in names.items() if name in newest}


def run_for(path: str) -> ImportRun | None:
    """Return the same for a file that comes in, also if it has nearly that name."""
    if (left := run_of(path)) is not None:
        return left
    meant = naming.nearly_pending(path)
    return run_of(meant) if meant else None


def may_handle(user: User, run: ImportRun) -> bool:
    """Tell whether a user may import what a run has left."""
    processor = registry.get_processors().get(run.processor)
    return processor is not None and importers.may_import(
        user, processor, Mode(run.mode)
    )


def has_secrets(run: ImportRun) -> bool:
    """Tell whether what a run has left has cells that are not to be shown.

    Nobody knows any more of a processor that is gone.
    """
    processor = registry.get_processors().get(run.processor)
    if processor is None:
        return True
    return not set(processor.sensitive).isdisjoint(run.mapping.values())


def hidden_in(run: ImportRun, header: Sequence[str]) -> list[str]:
    """Return the columns of a file, which a run has left, that are not to be shown.

    If there are such, then so are those which the run does not know: the file may be
    read in another way now.
    """
    if not has_secrets(run):
        return []
    processor = registry.get_processors().get(run.processor)
    secret = processor.sensitive if processor is not None else ()
    known = run.mapping if processor is not None else {}
    return [
        name
        for name in header
        if name not in RESERVED and (name not in known or known[name] in secret)
    ]


def ask(user: User | None, run: ImportRun, what: str, *permissions: str) -> None:
    """Raise NotPermitted unless a user may do something with what a run has left.

    That is who may import it, who has one of the permissions, and the site itself.
    what completes the sentence "they may not …".
    """
    if user is None or any(map(user.has_perm, permissions)):
        return
    if not may_handle(user, run):
        raise NotPermitted(f"{user} may not {what}: they are of import {run.pk}.")
