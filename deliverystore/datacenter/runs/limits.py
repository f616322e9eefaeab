"""How much may go wrong before a run stops."""

from __future__ import annotations

import re
from collections.abc import Mapping

from deliverystore.exceptions import RunRefused
from deliverystore.models import ImportRun

# A share of fewer rows says nothing, unless there are no more.
_ENOUGH_ROWS = 100
_LIMIT = re.compile(r"[0-9]+%?")
# With the sign of a share, a column of a run has room for one more.
_MAX_DIGITS = 15
_MAX_SHOWN = 40
_ALL = 100


def cleaned(limit: int | str | None) -> str:
    """Return a limit as it is stored: "10", "5%" or "". Raise RunRefused."""
    text = "" if limit is None else str(limit).replace(" ", "")
    if text and not _LIMIT.fullmatch(text):
        said = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
        raise RunRefused(f'{said!r} is no limit; write a number or a share: "5%".')
    if len(text.rstrip("%")) > _MAX_DIGITS:
        raise RunRefused(
            f"A limit has at most {_MAX_DIGITS} digits; leave it empty for none."
        )
    if text.endswith("%") and int(text[:-1]) > _ALL:
        raise RunRefused(f"{text!r} is no share: it is at most {_ALL}%.")
    return text


def of_try(
    parent: ImportRun | None,
    max_failed: int | str | None,
    max_removed: int | str | None,
) -> dict[str, str]:
    """Return the limits of an import, by name: those of its parent if none is given.

    A share of the rows that may fail stays one of all the rows that the parent had:
    of the few that it has left, one that fails again would soon be too many.
    """
    if parent is not None and max_removed is None:
        max_removed = parent.max_removed
    if parent is not None and max_failed is None:
        max_failed = parent.max_failed
        if max_failed.endswith("%"):
            rows = parent.rows - parent.blank
            max_failed = int(max_failed[:-1]) * rows // _ALL
    return {"max_failed": cleaned(max_failed), "max_removed": cleaned(max_removed)}


def exceeded(
    run: ImportRun, counts: Mapping[str, int], *, at_end: bool
) -> ImportRun.Skipping | None:
    """Return the limit that is exceeded by what a run has counted, if one is.

    The share of failed rows is one of the rows read so far; that of removed objects
    is one of those that were there when the run began.
    """
    rows = counts["rows"] - counts["blank"]
    share_of = rows if at_end or rows >= _ENOUGH_ROWS else None
    if _is_more(counts["failed"], run.max_failed, share_of):
        return ImportRun.Skipping.TOO_MANY_FAILED
    if _is_more(counts["removed"], run.max_removed, run.objects_before):
        return ImportRun.Skipping.TOO_MANY_REMOVED
    return None


def _is_more(count: int, limit: str, share_of: int | None) -> bool:
    if not limit:
        return False
    if limit.endswith("%"):
        return share_of is not None and count * 100 > int(limit[:-1]) * share_of
    return count > int(limit)
