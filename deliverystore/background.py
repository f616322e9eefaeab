"""Functions as tasks of Django's tasks framework, or of its backport."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from importlib import import_module
from typing import Any


def as_task(function: Callable[..., None]) -> Any:
    """Make a task of a function, to be enqueued; None if there is no framework.

    A decorator: workers look for the task under the name of the function.
    """
    for name in ("django.tasks", "django_tasks"):
        with contextlib.suppress(ImportError):
            return import_module(name).task(function)
    return None
