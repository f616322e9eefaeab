"""What became of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

# The number of a row, and its cells as they stand in the file.
Row = tuple[int, Sequence[str]]


class Mode(StrEnum):
    """What the rows of a file are for."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    UPSERT = "upsert"


class Action(StrEnum):
    """What a row did."""

    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class CellError:
    """One reason why a row failed.

    column is the name in the header, "" if it is the row as a whole; value is the cell
    as it stands in the file, "" for a row or a sensitive field.
    """

    code: str
    message: str
    column: str = ""
    value: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What a field was and is, as text; the text of a sensitive field is stars."""

    field: str
    old: str
    new: str


class Outcome(NamedTuple):
    """What became of one row.

    pk and label are those of the object; fields has the names of the fields that an
    update changed; changes is filled only when details are asked for. (A tuple, since
    there is one for each row of a large file.)
    """

    number: int
    action: Action
    pk: object = None
    label: str = ""
    fields: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    errors: tuple[CellError, ...] = ()
