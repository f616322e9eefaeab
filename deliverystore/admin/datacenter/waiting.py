"""What waits, for the page of figures: in the data center by age, and in spools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from deliverystore.admin.datacenter import looks
from deliverystore.datacenter import DataCenter, figures
from deliverystore.exceptions import DeliveryStoreError
from deliverystore.spool import look_at_spools

if TYPE_CHECKING:
    from deliverystore.datacenter.figures import Waiting
    from deliverystore.spool import SpoolLook, SpoolStatus

_AGES = {
    timedelta(hours=1): _lazy("under an hour"),
    timedelta(days=1): _lazy("under a day"),
    timedelta(days=7): _lazy("under a week"),
    timedelta(days=30): _lazy("under 30 days"),
    timedelta.max: _lazy("30 days or more"),
}


@dataclass(frozen=True, kw_only=True)
class SpoolRow:
    """A line of the table of spools; fault says why there are no numbers."""

    name: str
    waiting: str = ""
    oldest: str = ""
    claimed: str = ""
    failed: str = ""
    fault: str = ""
    # Whether somebody has to look after it.
    needs_help: bool = False


def files_waiting() -> Sequence[Waiting] | None:
    """Return how many files wait, by age; None if there is no data center to ask."""
    try:
        return figures.files_waiting(DataCenter())
    except DeliveryStoreError:
        return None


def age_of(one: Waiting) -> str:
    """Return in words how old files are: "under a day"."""
    return str(_AGES[one.age])


def in_all(waiting: Sequence[Waiting]) -> str:
    """Return how many files wait in all, "more than 1,000" for instance."""
    return _counted(sum(one.files for one in waiting), figures.WAITING)


def spool_rows() -> list[SpoolRow]:
    """Return what there is to be said of each spool of the settings."""
    return [_row(look) for look in look_at_spools()]


def _row(look: SpoolLook) -> SpoolRow:
    if (status := look.status) is None:
        return SpoolRow(name=look.name, fault=_fault(look), needs_help=True)
    claimed = _counted(status.claimed, look.limit)
    if status.overdue:
        late = {"claimed": claimed, "late": looks.number(status.overdue)}
        claimed = _("%(claimed)s (%(late)s overdue)") % late
    return SpoolRow(
        name=look.name,
        waiting=_waiting(status, look.limit),
        oldest=_age(status, look.limit),
        claimed=claimed,
        failed=_counted(status.failed, look.limit),
        needs_help=bool(status.failed or status.overdue),
    )


def _fault(look: SpoolLook) -> str:
    if isinstance(look.error, FileNotFoundError):
        return _("There is no such spool yet: nobody has started watch_spool.")
    reason = look.error.strerror if look.error else ""
    return _("The site cannot look at it: %(reason)s.") % {"reason": reason}


def _waiting(status: SpoolStatus, limit: int) -> str:
    waiting = _counted(status.waiting, limit)
    if _is_cut(status, limit) and status.waiting <= limit:
        waiting = _("at least %(count)s") % {"count": waiting}
    if not status.ignored:
        return waiting
    ignored = {"waiting": waiting, "ignored": looks.number(status.ignored)}
    return _("%(waiting)s (%(ignored)s ignored: no files)") % ignored


def _counted(count: int, limit: int) -> str:
    if count > limit:
        return _("more than %(count)s") % {"count": looks.number(limit)}
    return looks.number(count)


def _age(status: SpoolStatus, limit: int) -> str:
    if status.oldest is None:
        return ""
    # Those that were not counted may be older.
    is_cut = _is_cut(status, limit)
    if timezone.now() - status.oldest < timedelta(minutes=1):
        return _("not known") if is_cut else _("less than a minute")
    age = timesince(status.oldest)
    return _("at least %(age)s") % {"age": age} if is_cut else age


def _is_cut(status: SpoolStatus, limit: int) -> bool:
    """Tell whether there is more in new than what was counted."""
    return status.waiting + status.ignored > limit
