"""Work for workers, by Django's tasks framework or its backport."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.db import transaction

logger = logging.getLogger(__name__)


def as_task(function: Callable[..., None]) -> Any:
    """Make a task of a function, to be enqueued; None if there is no framework.

    A decorator: workers look for the task under the name of the function.
    """
    for name in ("django.tasks", "django_tasks"):
        with contextlib.suppress(ImportError):
            return import_module(name).task(function)
    return None


def hand_over(
    task: Any,
    pk: int,
    *,
    using: str,
    otherwise: str,
    done: Callable[[], object] = bool,
) -> None:
    """Hand the work of a row to a worker, once the transaction is committed.

    Without a framework, or if its queue cannot be reached, it waits; otherwise says
    for what, in the log. done is called if the work is over when it is handed over,
    as with a backend that does it at once.
    """
    if task is None:
        logger.info(otherwise)
        return

    def enqueue() -> None:
        if task.enqueue(pk).is_finished:
            done()

    # The row is kept by now, whatever becomes of its task.
    transaction.on_commit(enqueue, using=using, robust=True)
