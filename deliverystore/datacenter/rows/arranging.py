"""Which column of a file goes to which field, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from deliverystore.datacenter.rows.cells import Cell, Mark
from deliverystore.datacenter.rows.columns import Column, Columns
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import ColumnsRefused

if TYPE_CHECKING:
    from deliverystore.datacenter.processors import BatchProcessor

# Columns of the app's own in result files: read by nobody.
RESERVED = ("--ERRORS--",)

# To each header its field; None for a column that is left out on purpose.
Mapped = Mapping[str, str | None]
# To each header the cells that are corrected, as they stand in the file.
ValueMaps = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnProblem:
    """What does not fit: an unknown, forbidden, duplicate or missing column, a mode."""

    code: str
    column: str
    message: str


def arrange(
    processor: BatchProcessor,
    headers: Sequence[str],
    mode: Mode,
    *,
    mapping: Mapped | None = None,
    value_maps: ValueMaps | None = None,
) -> Columns:
    """Return the columns that a run reads. Raise ColumnsRefused with all problems."""
    mapping = mapping or {}
    cells = processor.get_cells()
    chosen: dict[str, tuple[int, str]] = {}
    problems: list[ColumnProblem] = []
    if mode not in processor.modes:
        message = _("This processor does not %(mode)s.")
        problems.append(_worded("mode", "", message, mode=mode.value))
    for index, header in enumerate(headers):
        name = mapping.get(header, header.strip())
        if name is None or header in RESERVED:
            continue
        if problem := _problem(processor, mode, cells, header, name, chosen):
            problems.append(problem)
        elif mode is not Mode.REMOVE or processor.is_key(name):
            chosen[name] = (index, header)
    problems += _missing(processor, mode, {*chosen, *_tried(problems, mapping)})
    if problems:
        raise ColumnsRefused(problems)
    columns = [
        Column(
            index=index,
            header=header,
            cell=cells[name],
            sensitive=name in processor.sensitive,
            clear_token=processor.clear_token,
            special=_special(processor, cells[name], mode),
            corrections=dict((value_maps or {}).get(header, {})),
        )
        for name, (index, header) in chosen.items()
    ]
    return Columns(columns, processor.keys)


def _problem(
    processor: BatchProcessor,
    mode: Mode,
    cells: Mapping[str, Cell],
    header: str,
    name: str,
    chosen: Mapping[str, tuple[int, str]],
) -> ColumnProblem | None:
    if name not in cells:
        message = _("There is no field for the column “%(column)s”.")
        return _worded("unknown", header, message)
    if name in processor.forbidden.get(mode, ()):
        message = _("The column “%(column)s” is not allowed when rows %(mode)s.")
        return _worded("forbidden", header, message, mode=mode.value)
    if name in chosen:
        message = _("The columns “%(other)s” and “%(column)s” are for the same field.")
        return _worded("duplicate", header, message, other=chosen[name][1])
    return None


def _tried(problems: Sequence[ColumnProblem], mapping: Mapped) -> Iterator[str]:
    """Yield fields whose columns are refused already: they are not missing, too."""
    for problem in problems:
        yield mapping.get(problem.column) or problem.column.strip()


def _missing(
    processor: BatchProcessor, mode: Mode, present: set[str]
) -> Iterator[ColumnProblem]:
    for name in processor.required_in(mode):
        if name not in present:
            yield _worded("missing", name, _("The column “%(column)s” is missing."))
    if mode is Mode.CREATE or any(present.issuperset(key) for key in processor.keys):
        return
    keys = _(" or ").join(" + ".join(key) for key in processor.keys)
    message = _("Columns that tell which object is meant are missing: %(column)s.")
    yield _worded("missing", keys, message)


def _worded(code: str, column: str, message: str, **params: str) -> ColumnProblem:
    return ColumnProblem(
        code=code, column=column, message=message % {"column": column, **params}
    )


def _special(processor: BatchProcessor, cell: Cell, mode: Mode) -> dict[str, object]:
    """Return the values of the empty cell, and of the one that clears."""
    special: dict[str, object] = {}
    if mode is Mode.UPSERT:
        special[""] = Mark.EMPTY
    else:
        special[""] = _value(lambda: processor.empty(cell, mode))
    if processor.clear_token and mode is not Mode.REMOVE:
        special[processor.clear_token] = _value(cell.cleared)
    return special


def _value(make: Callable[[], object]) -> object:
    try:
        return make()
    except ValidationError as error:
        return error
