"""Rows whose cells are a guess, known again in a pending file that nobody edited."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest

from django.db.models import Min

from deliverystore.datacenter.rows.outcomes import CellError
from deliverystore.datacenter.runs.texts import group_key
from deliverystore.models import FailedRow

# What the codes begin with of errors that were in the file before any processor saw it.
FILE_CODE = "file."


def guessed(errors: Sequence[CellError]) -> list[CellError]:
    """Return those errors for which the cells of a row are a guess."""
    return [error for error in errors if error.code.startswith(FILE_CODE)]


def guess_key(columns: Sequence[str], cells: Sequence[str]) -> str:
    """Return what tells a row by its cells, wherever its columns stand.

    Empty cells do not count: those that a row lacks are written as such.
    """
    named = zip_longest(columns, cells, fillvalue="")
    return group_key(*(text for one in sorted(named) if one[1] for text in one))


class Guesses:
    """The rows of a run that were guessed, to be looked for in its pending file."""

    def __init__(self, run_id: int | None) -> None:
        self._rows = FailedRow.objects.filter(run_id=run_id).exclude(guess="")
        self.are_there = run_id is not None and self._rows.exists()

    def among(self, keys: dict[int, str]) -> dict[int, list[CellError]]:
        """Return the errors of those rows, by number, whose keys are unchanged."""
        mine = self._rows.filter(guess__in=set(keys.values()))
        # One of each: any number of rows may have the same cells.
        found = dict(mine.values_list("guess").annotate(Min("errors_json")))
        return {
            number: [CellError(**error) for error in json.loads(found[key])]
            for number, key in keys.items()
            if key in found
        }
