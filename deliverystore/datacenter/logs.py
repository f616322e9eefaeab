"""What happened to the files of a data center, written down and found again."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from django.utils.translation import gettext

from deliverystore import paths
from deliverystore.datacenter.naming import LOGS
from deliverystore.datacenter.places import Place
from deliverystore.exceptions import FileNotFound, MissingExtra

if TYPE_CHECKING:
    from deliverystore.models.access import User

# Of a longer line, no more is looked at or given out.
MAX_LINE_BYTES = 16 * 1024
MAX_QUERY_LENGTH = 500
# How large a compiled expression can get; with the length of a line it bounds the time.
_MAX_COMPILED_BYTES = 1024 * 1024
_DIGITS_OF_A_DATE = 6

logger = logging.getLogger("deliverystore.datacenter")


def log_event(
    event: str, relative_path: str, user: User | None = None, **facts: object
) -> None:
    """Log that something was done with a file, by whom; never hand in cells.

    A name cannot begin a line of its own: it is written as Python writes it.
    """
    told = {"user": user and user.get_username(), **facts}
    details = " ".join(f"{name}={value!r}" for name, value in told.items())
    logger.info("%s %r %s", event, relative_path, details)


def query_logfiles(
    place: Place, basename: str, query: str, *, limit: int = 0, start: int = 0
) -> Iterator[str]:
    """Return the lines of a log and its rotated backups that match, oldest first.

    The first start matches are left out; limit 0 means all. Raise ValueError for a
    bad expression, FileNotFound if there is no such log.
    """
    matches = _compiled(query)
    names = _with_backups(place, basename)
    found = (line for name in names for line in _lines(place, name) if matches(line))
    return (
        line.decode(errors="replace")
        for line in islice(found, start, start + limit if limit else None)
    )


def _compiled(query: str) -> Callable[[bytes], object]:
    """Return what tells whether a line matches; its time grows with the line only."""
    try:
        import re2
    except ImportError as error:
        raise MissingExtra("query_logfiles", "logs") from error
    if len(query) > MAX_QUERY_LENGTH:
        raise ValueError(
            gettext("The expression is longer than %(limit)d characters.")
            % {"limit": MAX_QUERY_LENGTH}
        )
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MAX_COMPILED_BYTES
    try:
        search: Callable[[bytes], object] = re2.compile(query.encode(), options).search
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(
            gettext("%(query)r is no regular expression: %(reason)s.")
            % {"query": query, "reason": _reason(error)}
        ) from error
    return search


def _reason(error: Exception) -> str:
    reason = error.args[0]
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(error)


def _with_backups(place: Place, basename: str) -> list[str]:
    """Return the paths of a log: its backups, the oldest first, and itself."""
    name = re.escape(paths.clean_filename(basename))
    backup = re.compile(rf"{LOGS}/{name}(?:[.-](?P<suffix>\d[\w.-]*))?")
    found = {
        entry.name: _order(match["suffix"])
        for entry in place.entries(LOGS)
        if (match := backup.fullmatch(entry.name))
    }
    if not found:
        raise FileNotFound(f"There is no log {basename!r}.")
    return sorted(found, key=lambda path: found[path])


def _order(suffix: str | None) -> tuple[int, int, str]:
    """Return where a log stands: .2 is older than .1, but 2026-11-20 than -21."""
    if suffix is None:
        return 2, 0, ""
    if suffix.isdecimal() and len(suffix) < _DIGITS_OF_A_DATE:
        return 1, -int(suffix), ""
    return 0, 0, suffix


def _lines(place: Place, name: str) -> Iterator[bytes]:
    """Yield the lines of a file without their ends, cut if they are too long."""
    with place.read_open(name) as file:
        while line := file.readline(MAX_LINE_BYTES):
            yield line.rstrip(b"\r\n")
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
