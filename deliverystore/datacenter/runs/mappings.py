"""Which column of a file goes to which field: suggested, and remembered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from deliverystore.datacenter import importers, registry
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.arranging import RESERVED, ColumnProblem, Mapped
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs.texts import group_key
from deliverystore.datacenter.words import did_you_mean, listed
from deliverystore.exceptions import ColumnsRefused
from deliverystore.models import SavedMapping
from deliverystore.models.access import User

_BLANKS = re.compile(r"[\s_-]+")


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """To each column the field that it seems to be for; unknown has the others.

    None stands for a column that is left out. The unknown ones have to be mapped, or
    left out, before a run can begin.
    """

    mapping: dict[str, str | None]
    unknown: tuple[str, ...]


def suggested_mapping(
    header: Sequence[str],
    processor: str,
    mode: str,
    *,
    mapping: Mapped | None = None,
    user: User | None = None,
) -> Suggestion:
    """Suggest a field for each column of a file; what mapping says is kept.

    First comes what was remembered of files with this header, then the same name, the
    same but for case and blanks, an alias, and what people call the field. A field is
    suggested once. Raise NotPermitted, ProcessorNotFound; ColumnsRefused if mapping
    names a column that the file has not, or what is no name of a field.
    """
    importers.ask(user, processor, mode)
    found = registry.get_processor(processor)
    columns = _columns(header)
    given = mapping or {}
    _check(given, header)
    chosen = {column: given[column] for column in columns if column in given}
    free = set(found.get_cells()) - set(found.forbidden.get(Mode(mode), ()))
    free -= set(chosen.values())
    for names in (_remembered(processor, columns), *by_name(found, columns)):
        for column, name in names.items():
            if column not in chosen and (name is None or name in free):
                chosen[column] = name
                free.discard(name)
    return Suggestion(
        mapping={column: chosen[column] for column in columns if column in chosen},
        unknown=tuple(column for column in columns if column not in chosen),
    )


def remember(
    processor: str, header: Sequence[str], mapping: Mapped, user_id: int | str | None
) -> None:
    """Remember a mapping for all files of a processor that have the same columns."""
    columns = _columns(header)
    said = {one: mapping[one] for one in columns if one in mapping}
    key = group_key(*sorted(columns))
    SavedMapping.remember(processor, key, user_id, mapping=said)


def by_name(
    processor: BatchProcessor, columns: Sequence[str]
) -> Iterator[Mapping[str, str | None]]:
    """Yield what columns are by their names, the surest way first."""
    cells = processor.get_cells()
    yield {column: column.strip() for column in columns}
    for names in (
        ((name, name) for name in cells),
        ((one, name) for name, them in processor.aliases.items() for one in them),
        ((cell.label, name) for name, cell in cells.items()),
    ):
        fields = _unambiguous(names)
        yield {one: fields[_key(one)] for one in columns if _key(one) in fields}


def _check(mapping: Mapping[str, object], header: Sequence[str]) -> None:
    """Raise ColumnsRefused if a mapping does not fit the file, or names no name."""
    problems = [
        *(_absent(column, header) for column in mapping if column not in header),
        *(
            ColumnProblem(
                code="unknown",
                column=column,
                message=gettext(
                    "“%(column)s” needs the name of a field, not %(given)r."
                )
                % {"column": column, "given": name},
            )
            for column, name in mapping.items()
            if not isinstance(name, str | None)
        ),
    ]
    if problems:
        raise ColumnsRefused(problems)


def _absent(column: str, header: Sequence[str]) -> ColumnProblem:
    columns = _columns(header)
    text = gettext("The file has no column “%(column)s”") % {"column": column}
    question = did_you_mean(column, columns)
    has = gettext("It has: %(columns)s.") % {"columns": listed(columns)}
    text = f"{text}; {question}" if question else f"{text}."
    return ColumnProblem(code="absent", column=column, message=f"{text} {has}")


def _columns(header: Sequence[str]) -> list[str]:
    return [column for column in header if column not in RESERVED]


def _remembered(processor: str, columns: Sequence[str]) -> Mapped:
    saved = SavedMapping.objects.filter(
        processor=processor, key=group_key(*sorted(columns))
    ).first()
    return saved.mapping if saved else {}


def _unambiguous(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the field of each name, by its key, without those that several have."""
    fields: dict[str, set[str]] = {}
    for called, field in names:
        fields.setdefault(_key(called), set()).add(field)
    return {key: found.pop() for key, found in fields.items() if len(found) == 1}


def _key(name: str) -> str:
    return _BLANKS.sub(" ", name).strip().casefold()
