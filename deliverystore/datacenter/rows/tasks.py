"""A row on its way through a batch."""

from __future__ import annotations

from collections.abc import Sequence

from deliverystore.datacenter.rows.columns import Values
from deliverystore.datacenter.rows.indexes import Entry, Index, Key
from deliverystore.datacenter.rows.outcomes import Action, Outcome, Row
from deliverystore.datacenter.rows.plans import Changed
from deliverystore.datacenter.rows.states import State


class OrderMatters(Exception):
    """The rows have to be written one after the other."""


class Task:
    """A row on its way: its values, what is stored for them, what was done."""

    __slots__ = (
        *("action", "changed", "entry", "index", "key", "outcome", "row", "state"),
        "values",
    )

    def __init__(self, row: Row, values: Values) -> None:
        self.row = row
        self.values = values
        self.state: State = values
        # Where the row's own key is looked up, and the key.
        self.index: Index | None = None
        self.key: Key = None
        self.entry: Entry | None = None
        self.action = Action.CREATED
        self.changed: Sequence[Changed] = ()
        # What became of it, if it failed.
        self.outcome: Outcome | None = None
