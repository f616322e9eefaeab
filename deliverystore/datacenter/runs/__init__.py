"""Imports that run in steps: each is whole or not done, and none is done twice."""

from __future__ import annotations

from deliverystore.datacenter.importers import may_import, processors_for
from deliverystore.datacenter.runs.controlling import (
    cancel,
    go_on,
    left,
    left_over_of,
    resume,
    unfinished,
    unsettled,
)
from deliverystore.datacenter.runs.corrections import (
    correct_values,
    discard,
    edit_row,
    own_cells,
    own_columns,
    remember_values,
)
from deliverystore.datacenter.runs.mappings import Suggestion, suggested_mapping
from deliverystore.datacenter.runs.reconciling import (
    Difference,
    Disagreement,
    reconcile,
)
from deliverystore.datacenter.runs.remembered import (
    corrections_of,
    forget_correction,
    may_forget,
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
    "corrections_of",
    "discard",
    "edit_row",
    "forget_correction",
    "go_on",
    "left",
    "left_over_of",
    "may_forget",
    "may_import",
    "own_cells",
    "own_columns",
    "processors_for",
    "reconcile",
    "remember_values",
    "resume",
    "retry",
    "start_run",
    "suggested_mapping",
    "unfinished",
    "unsettled",
    "work",
    "write_finished",
    "write_pending",
]
