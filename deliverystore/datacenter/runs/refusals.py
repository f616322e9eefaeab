"""Why columns are refused, in words that say what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.utils.translation import gettext

from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.arranging import ColumnProblem, Mapped
from deliverystore.datacenter.runs.mappings import by_name
from deliverystore.datacenter.words import did_you_mean, listed
from deliverystore.exceptions import ColumnsRefused

_UNKNOWN = "unknown"


def explained(
    error: ColumnsRefused, processor: BatchProcessor, mapping: Mapped
) -> ColumnsRefused:
    """Return the error with more to be said of columns without a field.

    Namely: which field was named that there is not, or which column has the field
    already; and at the end the fields that there are. mapping is the whole one.
    """
    return ColumnsRefused(list(_explained(error.problems, processor, mapping)))


def _explained(
    problems: Sequence[ColumnProblem], processor: BatchProcessor, mapping: Mapped
) -> Iterator[ColumnProblem]:
    unknown = [one for one in problems if one.code == _UNKNOWN]
    for problem in problems:
        if problem.code != _UNKNOWN:
            yield problem
            continue
        message = _message(problem.column, processor, mapping)
        if problem is unknown[-1]:
            fields = listed(list(processor.get_cells()))
            message += " " + gettext("The fields are: %(fields)s.") % {"fields": fields}
        yield replace(problem, message=message)


def _message(column: str, processor: BatchProcessor, mapping: Mapped) -> str:
    fields = list(processor.get_cells())
    name = mapping.get(column)
    if name is not None:
        text = gettext("There is no field “%(field)s” for the column “%(column)s”")
        text %= {"field": name, "column": column}
        return _asked(text, did_you_mean(name, fields))
    columns = {field: other for other, field in mapping.items()}
    for names in by_name(processor, [column]):
        field = names.get(column)
        if field in columns:
            return gettext(
                "The column “%(column)s” has no field: the column “%(other)s” has "
                "“%(field)s” already. Leave one of them out, or map it to another "
                "field."
            ) % {"column": column, "field": field, "other": columns[field]}
    text = gettext("There is no field for the column “%(column)s”")
    free = [one for one in fields if one not in columns]
    return _asked(text % {"column": column}, did_you_mean(column, free))


def _asked(text: str, question: str) -> str:
    return f"{text}; {question}" if question else f"{text}."
