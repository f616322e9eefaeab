"""Why rows failed, the most frequent reason first, and what to read instead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models.functions import Left
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import looks
from deliverystore.admin.datacenter.keyset import KeysetPage, page_of, place
from deliverystore.admin.datacenter.shortened import JSON, loaded, shown
from deliverystore.datacenter.runs.texts import group_key
from deliverystore.datacenter.words import did_you_mean
from deliverystore.models import FailedRow, FailureGroup, ImportRun, ValueCorrection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.http import HttpRequest

    from deliverystore.admin.datacenter.run_base import Columns, May

GROUPS_PER_PAGE = 25
# So many cells of a row are shown as an example, and so much of each.
_MAX_CELLS, _CELL = 6, 30
_MESSAGE = 300
# How the name of the input for a group begins.
RIGHT = "right-"


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the field of a column takes; the id is that of its list on the page."""

    id: str
    values: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class ShownGroup:
    """Rows that failed for one reason, as they are shown."""

    name: str
    column: str
    value: str
    message: str
    rows: str
    number: int
    example: str
    can_be_corrected: bool
    correction: str
    choices: Choices | None
    # A question for what is perhaps meant.
    hint: str


@dataclass(frozen=True, kw_only=True)
class Groups:
    """A page of groups; choices are the lists to which its inputs refer."""

    page: KeysetPage[ShownGroup]
    choices: Sequence[Choices]
    # What of the address says which page it is.
    place: str


def page_of_groups(
    request: HttpRequest, run: ImportRun, columns: Columns, *, may: May
) -> Groups:
    """Return a page of the groups of a run, the largest first."""
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    page = page_of(
        partial(_read, run),
        lambda group: (group.count, group.pk),
        size=GROUPS_PER_PAGE,
        after=place(after, 2),
        before=place(before, 2),
    )
    corrections = _corrections(run, page.rows)
    examples = _examples(run, columns, [group.first_number for group in page.rows])
    choices = (
        _choices(columns, {group.column for group in page.rows}) if may.correct else {}
    )
    rows = [
        _shown(
            group,
            columns,
            may=may,
            example=examples.get(group.first_number, ""),
            correction=corrections.get(group.pk, ""),
            choices=choices.get(group.column),
        )
        for group in page.rows
    ]
    shown_page = KeysetPage(rows=rows, next=page.next, previous=page.previous)
    query = f"after={after}" if after else f"before={before}" if before else ""
    return Groups(page=shown_page, choices=list(choices.values()), place=query)


def values_of(
    run: ImportRun, columns: Columns, data: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return what a form says of wrong values: by column, by value, what is meant.

    What is said already is left out.
    """
    said = {
        int(name.removeprefix(RIGHT)): text.strip()
        for name, text in data.items()
        if name.startswith(RIGHT) and name.removeprefix(RIGHT).isdecimal()
    }
    wanted = [pk for pk, text in said.items() if text][:GROUPS_PER_PAGE]
    groups = list(FailureGroup.objects.filter(run=run, pk__in=wanted))
    known = _corrections(run, groups)
    found: dict[str, dict[str, str]] = {}
    for group in groups:
        right = said[group.pk]
        if columns.can_be_corrected(group.column) and right != known.get(group.pk):
            found.setdefault(group.column, {})[group.value] = right
    return found


def _read(
    run: ImportRun,
    limit: int,
    at: tuple[int, ...] | None,
    is_back: bool,  # noqa: FBT001 - the contract of a Reader
) -> list[Any]:
    """Return groups behind a place: those of the same size, then the smaller ones.

    Two queries, as the index has them; one with both conditions would read all.
    """
    groups = FailureGroup.objects.filter(run=run).defer("value_json", "message_json")
    groups = groups.annotate(
        value_start=Left("value_json", JSON), message_start=Left("message_json", JSON)
    )
    groups = (
        groups.order_by("count", "-id") if is_back else groups.order_by("-count", "id")
    )
    if at is None:
        return list(groups[:limit])
    count, pk = at
    same, others = (
        ({"pk__lt": pk}, {"count__gt": count})
        if is_back
        else ({"pk__gt": pk}, {"count__lt": count})
    )
    found = list(groups.filter(count=count, **same)[:limit])
    return found + list(groups.filter(**others)[: limit - len(found)])


def _corrections(run: ImportRun, groups: Iterable[FailureGroup]) -> dict[int, str]:
    """Return what is read by now instead of the values of groups."""
    keys = {
        key: group.pk
        for group in groups
        for value in {_value(group), _value(group).strip()}
        for key in [group_key(group.column, value)]
    }
    known = ValueCorrection.objects.filter(processor=run.processor, key__in=keys)
    return {keys[one.key]: str(loaded(one.right_json)) for one in known}


def _examples(
    run: ImportRun, columns: Columns, numbers: Sequence[int]
) -> dict[int, str]:
    """Return the first cells of rows."""
    rows = FailedRow.objects.filter(run=run, number__in=numbers)
    starts = rows.values_list("number", Left("cells_json", JSON))
    return {number: _example(columns, loaded(start)) for number, start in starts}


def _example(columns: Columns, cells: Sequence[str]) -> str:
    told = [
        "***" if name in columns.hidden else shown(cell, _CELL)
        for name, cell in zip(columns.run.header, cells, strict=False)
        if cell.strip() and name in columns.names
    ]
    return ", ".join(told[:_MAX_CELLS]) + (", …" if len(told) > _MAX_CELLS else "")


def _choices(columns: Columns, names: set[str]) -> dict[str, Choices]:
    found = {}
    for number, name in enumerate(sorted(names)):
        if values := columns.values_for(name) if columns.can_be_corrected(name) else ():
            found[name] = Choices(id=f"choices-{number}", values=values)
    return found


def _shown(
    group: FailureGroup,
    columns: Columns,
    *,
    may: May,
    example: str,
    correction: str,
    choices: Choices | None,
) -> ShownGroup:
    column = group.column
    return ShownGroup(
        name=f"{RIGHT}{group.pk}",
        column=shown(column) if column else _("the row as a whole"),
        value=_shown_value(column, columns, _value(group)),
        message=shown(str(loaded(group.message_start)), _MESSAGE),  # type: ignore[attr-defined]
        rows=looks.rows(group.count),
        number=group.first_number,
        example=example,
        can_be_corrected=may.correct and columns.can_be_corrected(column),
        correction=shown(correction, 200),
        choices=choices,
        hint=_hint(_value(group), choices),
    )


def _hint(value: str, choices: Choices | None) -> str:
    if choices is None or len(value) > _CELL:
        return ""
    return did_you_mean(value, [one for pair in choices.values for one in pair])


def _shown_value(column: str, columns: Columns, value: str) -> str:
    if not column:
        return ""
    if column in columns.hidden:
        return "***"
    return shown(value) if value.strip() else _("(empty)")


def _value(group: FailureGroup) -> str:
    """Return the value, or of a long one the beginning, if no more is loaded."""
    start = getattr(group, "value_start", None)
    return group.value if start is None else str(loaded(start))
