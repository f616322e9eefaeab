"""The imports of the same rows side by side, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deliverystore.admin.datacenter import looks
from deliverystore.datacenter.runs.tries import Together, together, tries_of

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from deliverystore.admin.datacenter.links import RunLinks
    from deliverystore.models import ImportRun


@dataclass(frozen=True, kw_only=True)
class Try:
    """One of the imports: its url is "" on its own page."""

    id: int
    url: str
    badge: SafeString
    what: str
    counts: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Tries:
    """All of them, and a sentence that says what has become of the rows."""

    tries: Sequence[Try]
    sum: Sequence[str]
    words: str


def tries(run: ImportRun, links: RunLinks) -> Tries | None:
    """Return the imports of a run's rows, if there are others, and all can be seen."""
    found = tries_of(run)
    if len(found) == 1 or not all(map(links.url, found)):
        return None
    total = together(found)
    return Tries(
        tries=[_try(one, run, links) for one in found],
        sum=_sum(total) if total else (),
        words=_in_words(total) if total else "",
    )


def _try(one: ImportRun, shown: ImportRun, links: RunLinks) -> Try:
    return Try(
        id=one.pk,
        url="" if one.pk == shown.pk else links.url(one),
        badge=looks.counted_badge(one),
        what=_what(one),
        counts=_counts(one.rows, one.finished, one.failed, one.blank),
    )


def _what(one: ImportRun) -> str:
    if one.parent_id is None:
        return _("the file as it came")
    if one.from_parent:
        return _("the rows that import %(id)s left") % {"id": one.parent_id}
    return _("the pending file of import %(id)s") % {"id": one.parent_id}


def _counts(*counts: int) -> list[str]:
    return list(map(looks.number, counts))


def _sum(total: Together) -> list[str]:
    rows, finished, blank = _counts(total.rows, total.finished, total.blank)
    left = _left(total)
    if total.gone:
        count = {"count": looks.number(total.gone)}
        left += ", " + _("%(count)s did not come back") % count
    return [rows, finished, left, blank]


def _in_words(total: Together) -> str:
    facts = {
        "rows": looks.rows(total.rows),
        "finished": looks.number(total.finished),
        "left": _left(total),
        "blank": looks.number(total.blank),
    }
    text = _("Of %(rows)s: %(finished)s in, %(left)s, %(blank)s blank.")
    return " ".join([text % facts, *_changed(total)])


def _changed(total: Together) -> Iterator[str]:
    """Say how files that were mended by hand have other rows than had failed."""
    if total.gone:
        yield ngettext(
            "%(count)s row that failed did not come back in the file that was tried "
            "again.",
            "%(count)s rows that failed did not come back in the file that was tried "
            "again.",
            total.gone,
        ) % {"count": looks.number(total.gone)}
    if total.new:
        yield ngettext(
            "%(count)s row is new.", "%(count)s rows are new.", total.new
        ) % {"count": looks.number(total.new)}


def _left(total: Together) -> str:
    count = {"count": looks.number(total.left)}
    text = _("%(count)s given up") if total.is_given_up else _("%(count)s left")
    return text % count
