"""The columns of a file and their fields, as a form offers them and says them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.sample import MAX_CELL, examples
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter.rows.arranging import RESERVED
from deliverystore.datacenter.runs.texts import dumped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deliverystore.datacenter import Report
    from deliverystore.datacenter.processors import BatchProcessor
    from deliverystore.datacenter.rows.arranging import Mapped
    from deliverystore.datacenter.rows.outcomes import Mode

# A page has no more selects than these, nor options in all of them.
MAX_COLUMNS = 200
MAX_OPTIONS = 20_000
FEWEST_COLUMNS = 20

IGNORE = "ignore"
FIELD = "field:"
REST = "rest"


@dataclass(kw_only=True)
class Column:
    """A column with its select: value is what is chosen, "" if nothing is."""

    index: int
    header: str
    value: str = ""
    examples: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of its select."""
        return f"column-{self.index}"

    @property
    def label(self) -> str:
        """Its header, cut."""
        return shown(self.header, MAX_CELL)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A field that a column can be."""

    value: str
    label: str


def digest_of(header: Sequence[str]) -> str:
    """Return what tells whether columns are still those that a form was made for."""
    return hashlib.sha256(dumped(list(header)).encode()).hexdigest()[:32]


def choices_of(processor: BatchProcessor, mode: Mode) -> list[Choice]:
    """Return the fields that columns can be, with what is to be known of each."""
    abouts = {one.name: one for one in processor.describe(mode)}
    forbidden = processor.forbidden.get(mode, ())
    found = []
    for name, cell in processor.get_cells().items():
        if name in forbidden:
            continue
        about = abouts.get(name)
        label = name if cell.label.casefold() == name else f"{name}: {cell.label}"
        if about is not None and about.required:
            label = _("%(field)s (required)") % {"field": label}
        elif about is not None and about.is_key:
            label = _("%(field)s (key)") % {"field": label}
        found.append(Choice(value=f"{FIELD}{name}", label=label))
    return found


def most_columns(choices: Sequence[Choice]) -> int:
    """Return how many columns a page offers to be mapped one by one."""
    return min(MAX_COLUMNS, max(FEWEST_COLUMNS, MAX_OPTIONS // (len(choices) + 2)))


def columns_of(report: Report, mapping: Mapped) -> list[Column]:
    """Return the columns of a file that are its own, with what is known of each."""
    return [
        Column(index=index, header=header, value=_value(header, mapping))
        for index, header in enumerate(report.header)
        if header not in RESERVED
    ]


def shown_of(columns: Sequence[Column], most: int) -> list[Column]:
    """Return the columns that a page has: those with a field are always among them."""
    with_field = [one for one in columns if one.value.startswith(FIELD)]
    others = [one for one in columns if not one.value.startswith(FIELD)]
    room = max(0, most - len(with_field))
    return sorted([*with_field, *others[:room]], key=lambda one: one.index)


def show_examples(columns: Sequence[Column], report: Report) -> None:
    """Put some values of each column beside it."""
    for column in columns:
        column.examples = examples(report, column.index)


def hidden_in(columns: Sequence[Column], processor: BatchProcessor) -> set[int]:
    """Return the columns that are to become sensitive fields."""
    secret = {f"{FIELD}{name}" for name in processor.sensitive}
    return {column.index for column in columns if column.value in secret}


def read(columns: Sequence[Column], data: Mapping[str, str]) -> None:
    """Take over what a form says; the rest is what has no select of its own."""
    leaves_rest_out = REST in data
    for column in columns:
        column.value = data.get(column.name, column.value)
        if not column.value and leaves_rest_out:
            column.value = IGNORE


def said(columns: Sequence[Column]) -> dict[str, str | None]:
    """Return the mapping that columns stand for, without those that say nothing."""
    return {
        column.header: column.value.removeprefix(FIELD)
        if column.value.startswith(FIELD)
        else None
        for column in columns
        if column.value
    }


def _value(header: str, mapping: Mapped) -> str:
    if header not in mapping:
        return ""
    name = mapping[header]
    return IGNORE if name is None else f"{FIELD}{name}"
