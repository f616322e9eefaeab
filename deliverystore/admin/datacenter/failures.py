"""Why rows failed, the most frequent reason first, and what to read instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models.functions import Left
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import looks
from deliverystore.admin.datacenter.keyset import KeysetPage, page_of, place
from deliverystore.admin.datacenter.masking import STARS
from deliverystore.admin.datacenter.shortened import JSON, loaded, shown
from deliverystore.admin.ids import id_of
from deliverystore.datacenter.runs.guesses import FILE_CODE
from deliverystore.datacenter.runs.texts import group_key
from deliverystore.datacenter.words import did_you_mean
from deliverystore.exceptions import RunRefused
from deliverystore.models import FailedRow, FailureGroup, ImportRun, ValueCorrection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.http import HttpRequest

from deliverystore.admin.datacenter.run_base import Columns, May

GROUPS_PER_PAGE = 25
# So many cells of a row are shown as an example, and so much of each.
_MAX_CELLS, _CELL = 6, 30
_MESSAGE = 300
# How the names of the input for a group, and of the tick for "nothing", begin.
RIGHT, EMPTY = "right-", "empty-"
# A longer text is not given to a browser to be sent back.
_MAX_OFFERED = 200


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
    # The tick that says that nothing is meant; "" if the field needs a value.
    empty_name: str
    # What is read instead, as it can be changed; else, in words.
    correction: str
    read_as: str
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

    @property
    def can_be_corrected(self) -> bool:
        """Whether there is a value on the page for which another one can be read."""
        return any(group.can_be_corrected for group in self.page.rows)


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
            correction=corrections.get(group.pk),
            choices=choices.get(group.column),
        )
        for group in page.rows
    ]
    shown_page = KeysetPage(rows=rows, next=page.next, previous=page.previous)
    query = f"after={after}" if after else f"before={before}" if before else ""
    return Groups(page=shown_page, choices=list(choices.values()), place=query)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is meant by values of a column, and how many rows have each of them."""

    values: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows failed with these values."""
        return sum(self.counts.values())


def values_of(
    run: ImportRun, columns: Columns, data: Mapping[str, str]
) -> dict[str, Said]:
    """Return what a form says of wrong values, by column.

    What is said already is left out. Raise RunRefused if both a new text and nothing
    are meant by one value.
    """
    said = {pk: text for pk, text in _numbered(data, RIGHT).items() if text}
    nothing = _numbered(data, EMPTY).keys()
    wanted = list(said | dict.fromkeys(nothing, ""))[:GROUPS_PER_PAGE]
    groups = list(FailureGroup.objects.filter(run=run, pk__in=wanted))
    known = _corrections(run, groups)
    for group in groups:
        if group.pk in nothing and columns.can_be_empty(group.column):
            # The text that stood there already is nobody's wish.
            if said.get(group.pk, "") not in ("", known.get(group.pk)):
                raise _both_said(group, said[group.pk])
            said[group.pk] = ""
    groups = [group for group in groups if group.pk in said]
    found: dict[str, Said] = {}
    for group in groups:
        right = said[group.pk]
        if _is_value(group, columns) and right != known.get(group.pk):
            one = found.setdefault(group.column, Said())
            one.values[group.value] = right
            # A row may have two reasons at one value.
            count = max(group.count, one.counts.get(group.value, 0))
            one.counts[group.value] = count
    return found


def _both_said(group: FailureGroup, text: str) -> RunRefused:
    message = _(
        "%(column)s, “%(value)s”: both “%(text)s” and an empty cell are said. Choose "
        "one of them; nothing was remembered."
    )
    facts = {"column": group.column, "value": group.value, "text": text}
    return RunRefused(message % {name: shown(one) for name, one in facts.items()})


def _numbered(data: Mapping[str, str], prefix: str) -> dict[int, str]:
    """Return what fields of a form say whose names end with the id of a group."""
    pairs = (
        (id_of(name.removeprefix(prefix)), text)
        for name, text in data.items()
        if name.startswith(prefix)
    )
    return {pk: text.strip() for pk, text in pairs if pk is not None}


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
    starts = known.values_list("key", Left("right_json", JSON))
    return {keys[key]: str(loaded(start)) for key, start in starts}


def _examples(
    run: ImportRun, columns: Columns, numbers: Sequence[int]
) -> dict[int, str]:
    """Return the first cells of rows."""
    rows = FailedRow.objects.filter(run=run, number__in=numbers)
    starts = rows.values_list("number", Left("cells_json", JSON))
    return {number: _example(columns, loaded(start)) for number, start in starts}


def _example(columns: Columns, cells: Sequence[str]) -> str:
    told = [
        STARS if name in columns.hidden else shown(cell, _CELL)
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
    correction: str | None,
    choices: Choices | None,
) -> ShownGroup:
    column = group.column
    offered = bool(correction) and is_offered(correction or "")
    return ShownGroup(
        name=f"{RIGHT}{group.pk}",
        column=shown(column) if column else _("the row as a whole"),
        value=_shown_value(column, columns, _value(group)),
        message=shown(str(loaded(group.message_start)), _MESSAGE),  # type: ignore[attr-defined]
        rows=looks.rows(group.count),
        number=group.first_number,
        example=example,
        can_be_corrected=may.correct and _is_value(group, columns),
        empty_name=f"{EMPTY}{group.pk}" if columns.can_be_empty(column) else "",
        correction=correction or "" if offered else "",
        read_as="" if offered or correction is None else in_words(correction),
        choices=choices,
        hint=_hint(_value(group), choices),
    )


def _is_value(group: FailureGroup, columns: Columns) -> bool:
    """Tell whether rows failed for a value that another one can be read for.

    What could not be read is no value, nor is nothing: that is in many other rows.
    """
    is_read = not group.code.startswith(FILE_CODE)
    return (
        is_read
        and bool(_value(group).strip())
        and columns.can_be_corrected(group.column)
    )


def is_offered(text: str) -> bool:
    """Tell whether a browser would send a text back as it is."""
    return text == text.strip() and text == shown(text, _MAX_OFFERED)


def in_words(text: str) -> str:
    """Return what is read instead of a value, to be looked at."""
    return shown(text) if text.strip() else _("(empty)")


def _hint(value: str, choices: Choices | None) -> str:
    if choices is None or len(value) > _CELL:
        return ""
    return did_you_mean(value, [one for pair in choices.values for one in pair])


def _shown_value(column: str, columns: Columns, value: str) -> str:
    if not column:
        return ""
    if column in columns.hidden:
        return STARS
    return shown(value) if value.strip() else _("(empty)")


def _value(group: FailureGroup) -> str:
    """Return the value, or of a long one the beginning, if no more is loaded."""
    start = getattr(group, "value_start", None)
    return group.value if start is None else str(loaded(start))
