"""How states and numbers look: a word, a mark and a colour; green is for "done"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from deliverystore.admin.display import time_text
from deliverystore.models import Export, ImportRun

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from django.utils.safestring import SafeString

    from deliverystore.models.leased import Leased

_State = ImportRun.State
_LOOKS = {
    _State.WAITING: "open",
    _State.RUNNING: "open",
    _State.BROKEN: "bad",
    _State.FINISHED: "good",
    _State.PENDING: "left",
    _State.STOPPED: "left",
    _State.CANCELLED: "left",
    _State.RETRIED: "over",
    _State.DISCARDED: "over",
    _State.TRIED: "over",
    _State.FAILED: "bad",
}
# What the modes do, in words.
MODES = {
    "create": _lazy("create objects"),
    "update": _lazy("change objects"),
    "remove": _lazy("remove objects"),
    "upsert": _lazy("create or change objects"),
}
_EXACT, _MINUTE, _HOUR = 10, 60, 3600  # in seconds
# What is there at all is seen in a bar: its least length, of 100.
_VISIBLE = 2.0
_BREAK = mark_safe("<wbr>")
# What of a name stays on one line, if it has room there.
_PIECE = re.compile(r"[^._-]*[._-]+|[^._-]+").findall


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of a bar: where it begins and how long it is, of 100."""

    name: str
    start: float
    length: float


def badge(look: str, text: object) -> SafeString:
    """Return a text with a mark and a colour."""
    return format_html(
        '<span class="deliverystore-badge deliverystore-{}">{}</span>', look, text
    )


def run_badge(run: ImportRun) -> SafeString:
    """Return the state of a run, of which the counts need not be known."""
    return badge(_LOOKS[_State(run.state)], run.get_state_display())


def counted_badge(run: ImportRun) -> SafeString:
    """Return the state of a run whose counts are known, too."""
    if run.state == _State.CANCELLED and not run.rows:
        return badge("over", _("cancelled, nothing was read"))
    return run_badge(run)


def export_badge(export: Export, *, is_expired: bool) -> SafeString:
    """Return the state of an export."""
    if is_expired and export.state == Export.State.FINISHED:
        return badge("over", _("expired"))
    look = _LOOKS[_State(export.state)]
    return badge(look, export.get_state_display())


def with_progress(state: SafeString, share: int | None, what: object) -> SafeString:
    """Return a state and, if that is known, how many of a hundred parts are done."""
    if share is None:
        return state
    return format_html(
        '{} <progress max="100" value="{}" aria-label="{}">{} %</progress>',
        *(state, share, what, share),
    )


def number(count: int) -> str:
    """Return a number as people of this language write it: "1,200"."""
    return str(number_format(count, force_grouping=True))


def rows(count: int) -> str:
    """Return a number of rows: "1 row", "1,200 rows"."""
    text = ngettext("%(count)s row", "%(count)s rows", count)
    return text % {"count": number(count)}


def problems(count: int) -> str:
    """Return a number of problems: "1 problem", "1,200 problems"."""
    text = ngettext("%(count)s problem", "%(count)s problems", count)
    return text % {"count": number(count)}


def seconds(count: float) -> str:
    """Return a time, roughly: "12 s", "3 min", "2 h 5 min"."""
    if count < _MINUTE:
        return _("%(count)s s") % {"count": max(1, round(count))}
    if count < _HOUR:
        return _("%(count)s min") % {"count": round(count / _MINUTE)}
    hours, rest = divmod(round(count / _MINUTE), 60)
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}


def took(work: Leased) -> str:
    """Return how long some work was under way, "" if it has not ended: "0.3 s"."""
    time = duration(work.started, work.ended)
    if time is None:
        return ""
    count = time.total_seconds()
    if count < _EXACT:
        return _("%(count)s s") % {"count": decimal(max(0.1, count))}
    return seconds(count)


def duration(first: datetime | None, last: datetime | None) -> timedelta | None:
    """Return the time between two moments, if there was both and some."""
    if first is None or last is None or last <= first:
        return None
    return last - first


def bar(run: ImportRun) -> list[Part]:
    """Return the rows of a run as pieces of a bar: gone in, failed and blank."""
    counts = {name: getattr(run, name) for name in ("finished", "failed", "blank")}
    rows = max(run.rows, 1)
    lengths = {
        name: max(100 * count / rows, _VISIBLE) if count else 0.0
        for name, count in counts.items()
    }
    longest = max(lengths, key=lambda name: lengths[name])
    lengths[longest] -= max(0.0, sum(lengths.values()) - 100)
    parts, start = [], 0.0
    for name, length in lengths.items():
        parts.append(Part(name=name, start=round(start, 3), length=round(length, 3)))
        start += length
    return parts


def bar_text(run: ImportRun) -> str:
    """Return in words what the bar shows."""
    return _("%(rows)s read: %(finished)s in, %(failed)s failed, %(blank)s blank") % {
        "rows": rows(run.rows),
        "finished": number(run.finished),
        "failed": number(run.failed),
        "blank": number(run.blank),
    }


def decimal(value: float) -> str:
    """Return a number with one digit behind the point: "1,200.5"."""
    return str(number_format(round(value, 1), decimal_pos=1, force_grouping=True))


def export_kind(export: Export) -> str:
    """Return what kind of file an export becomes."""
    kind = str(export.get_format_display())
    if not export.for_spreadsheet:
        return kind
    return _("%(kind)s, for a spreadsheet") % {"kind": kind}


def counted(run: ImportRun) -> SafeString:
    """Return how many rows there are, a small bar, and what the bar says."""
    bars = format_html_join(
        "",
        '<rect class="deliverystore-bar-{}" x="{}" width="{}" height="1"/>',
        ((part.name, part.start, part.length) for part in bar(run)),
    )
    parts = [
        (run.finished, _("%(count)s in")),
        (run.failed, _("%(count)s failed")),
        (run.blank, _("%(count)s blank")),
    ]
    told = ", ".join(text % {"count": number(count)} for count, text in parts if count)
    done = "deliverystore-bar-done" if run.state == _State.FINISHED else ""
    drawn = format_html(
        '<svg class="deliverystore-bar {}" viewBox="0 0 100 1"'
        ' preserveAspectRatio="none" aria-hidden="true">{}</svg>',
        *(done, bars),
    )
    words = format_html('{} <span class="quiet">{}</span>', number(run.rows), told)
    return format_html("{}{}", words, drawn) if run.rows else words


def moment(at: datetime) -> str:
    """Return a moment in the time zone of the site, as all pages write it."""
    return time_text(at)


def breakable(name: str) -> SafeString:
    """Return a name that is broken, where it has to be, behind its dots and dashes."""
    return format_html_join(_BREAK, "{}", ((one,) for one in _PIECE(name)))


def begun(work: Leased) -> SafeString:
    """Return when some work was begun, and by whom."""
    return format_html(
        '{} <span class="quiet">{}</span>',
        *(moment(work.added), work.user or _("the site")),
    )
