"""Imports that run in steps: each is whole or not done, and none is done twice."""

from __future__ import annotations

from deliverystore.datacenter.runs.controlling import (
    cancel,
    go_on,
    left,
    resume,
    unfinished,
)
from deliverystore.datacenter.runs.corrections import correct_values, discard, edit_row
from deliverystore.datacenter.runs.mappings import Suggestion, suggested_mapping
from deliverystore.datacenter.runs.permissions import may_import, processors_for
from deliverystore.datacenter.runs.reconciling import (
    Difference,
    Disagreement,
    reconcile,
)
from deliverystore.datacenter.runs.results import write_finished, write_pending
from deliverystore.datacenter.runs.starting import retry, start_run
from deliverystore.datacenter.runs.working import work

__all__ = [
    "Difference",
    "Disagreement",
    "Suggestion",
    "cancel",
    "correct_values",
    "discard",
    "edit_row",
    "go_on",
    "left",
    "may_import",
    "processors_for",
    "reconcile",
    "resume",
    "retry",
    "start_run",
    "suggested_mapping",
    "unfinished",
    "work",
    "write_finished",
    "write_pending",
]
