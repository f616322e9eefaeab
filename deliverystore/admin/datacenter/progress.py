"""How far an import or an export is, for the page that shows it live."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deliverystore.admin.datacenter import looks
from deliverystore.models import Export, ImportRun

if TYPE_CHECKING:
    from deliverystore.models.leased import Leased

Facts = dict[str, object]
# Those of an export have the same names.
_State = ImportRun.State
# Work that waits for longer may have been lost by the queue.
_LONG = 60
# A batch hardly takes longer.
_QUIET = timedelta(seconds=20)


def is_left_alone(work: Leased) -> bool:
    """Tell whether nobody seems to be at work that is not over."""
    now = timezone.now()
    if work.state == _State.WAITING:
        return (now - (work.heartbeat or work.added)).total_seconds() > _LONG
    is_late = work.lease_until is not None and work.lease_until < now
    return work.state == _State.BROKEN or (work.state == _State.RUNNING and is_late)


def is_unseen(run: ImportRun) -> bool:
    """Tell whether nobody sees how far a run is: it is one transaction, not ended."""
    return run.is_in_one_go and run.state == _State.RUNNING and not run.is_read


def share(work: ImportRun | Export) -> int | None:
    """Return how many of a hundred parts are done; None if that cannot be told."""
    part = _part(work)
    return None if part is None else min(100, int(100 * part))


def rate(work: Leased, rows: int) -> float | None:
    """Return how many rows a second were done since it was begun."""
    time = looks.duration(work.started, work.ended or work.heartbeat)
    return rows / time.total_seconds() if time and rows else None


def run_progress(run: ImportRun) -> Facts:
    """Return what is shown of a run that is under way, by the names of the places."""
    # If nobody is at it any more, other things can be done about it.
    alone = " alone" if is_left_alone(run) else ""
    return {
        "state": f"{run.state}{alone}",
        "isOver": run.is_over,
        "share": share(run),
        "bar": [[part.name, part.start, part.length] for part in looks.bar(run)],
        "texts": {
            "state": run.get_state_display(),
            "done": "" if is_unseen(run) else looks.rows(run.rows),
            "rows": looks.number(run.rows),
            "finished": looks.number(run.finished),
            "failed": looks.number(run.failed),
            "blank": looks.number(run.blank),
            "speed": _speed(run, run.rows),
            "bar": _speed(run, 0) if is_unseen(run) else looks.bar_text(run),
        },
    }


def export_progress(export: Export) -> Facts:
    """Return what is shown of an export that is under way."""
    return {
        "state": export.state,
        "isOver": export.is_over,
        "share": share(export),
        "bar": [],
        "texts": {
            "state": export.get_state_display(),
            "done": looks.rows(export.rows),
            "speed": _speed(export, export.rows),
            "bar": _("%(rows)s written") % {"rows": looks.rows(export.rows)},
        },
    }


def _speed(work: ImportRun | Export, rows: int) -> str:
    """Return rate and time left in words, "" if nothing is known yet."""
    if isinstance(work, ImportRun) and is_unseen(work):
        time = looks.duration(work.started, timezone.now()) or timedelta()
        return _("under way for %(time)s") % {
            "time": looks.seconds(time.total_seconds())
        }
    speed = rate(work, rows)
    if speed is None:
        return ""
    text = _rate_text(speed)
    if work.state != _State.RUNNING:
        return text
    if getattr(work, "cancelling", False):
        return _("it is to stop")
    silence = looks.duration(work.heartbeat, timezone.now()) or timedelta()
    if silence > _QUIET:
        # It may have been killed: then nothing is left but to wait for its lease.
        told = looks.seconds(silence.total_seconds())
        return _("no news for %(time)s") % {"time": told}
    left = _seconds_left(work)
    if left is not None:
        text += ", " + _("about %(time)s left") % {"time": looks.seconds(left)}
    return text


def _rate_text(speed: float) -> str:
    if not (count := round(speed)):
        return _("less than 1 row a second")
    text = ngettext("%(rate)s row a second", "%(rate)s rows a second", count)
    return text % {"rate": looks.number(count)}


def _seconds_left(work: ImportRun | Export) -> float | None:
    part = _part(work)
    time = looks.duration(work.started, work.heartbeat)
    if not part or time is None:
        return None
    return time.total_seconds() * (1 - part) / part


def _part(work: ImportRun | Export) -> float | None:
    if isinstance(work, ImportRun):
        return None if is_unseen(work) else work.share_read
    return work.share_done
