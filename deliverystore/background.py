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


def hand_over(task: Any, pk: int, *, using: str, otherwise: str) -> None:
    """Hand the work of a row to a worker, once the transaction is committed.

    Without a framework, or if its queue cannot be reached, it waits; otherwise says
    for what, in the log.
    """
    if task is None:
        logger.info(otherwise)
        return
    # The row is kept by now, whatever becomes of its task.
    transaction.on_commit(lambda: task.enqueue(pk), using=using, robust=True)
