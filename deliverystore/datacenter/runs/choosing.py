"""Which processor a file seems to be for, by the names of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deliverystore.datacenter import registry
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.arranging import RESERVED
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs.mappings import by_name


def likely_choice(
    header: Sequence[str], choices: Mapping[str, Sequence[Mode]]
) -> tuple[str, Mode] | None:
    """Return the processor, with a mode, whose fields are most of these columns.

    None if no processor has more than half of them, or several fit as well.
    """
    columns = [column for column in header if column not in RESERVED]
    rated = sorted(
        (
            (_fit(registry.get_processor(name), columns, modes[0]), name, modes[0])
            for name, modes in choices.items()
        ),
        reverse=True,
    )
    if not rated or rated[0][0] <= 0:
        return None
    if len(rated) > 1 and rated[1][0] == rated[0][0]:
        return None
    return rated[0][1], rated[0][2]


def _fit(processor: BatchProcessor, columns: Sequence[str], mode: Mode) -> int:
    """Return how many columns have a field, less those without and those missing."""
    cells = processor.get_cells()
    fields: dict[str, str] = {}
    for names in by_name(processor, columns):
        for column, field in names.items():
            if field in cells and column not in fields:
                fields[column] = str(field)
    found = set(fields.values())
    missing = set(processor.required_in(mode)) - found
    return len(found) - (len(columns) - len(fields)) - len(missing)
