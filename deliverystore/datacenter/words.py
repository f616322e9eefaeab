"""Words for messages: rows that are counted, lists that stay short, names meant."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from django.utils.translation import gettext, ngettext

# So many names are told of a long list.
MAX_LISTED = 12


def rows(count: int) -> str:
    """Return a number of rows as people say it: "1 row", "1,200 rows"."""
    text = ngettext("%(count)s row", "%(count)s rows", count)
    return text % {"count": f"{count:,}"}


def listed(names: Sequence[str], most: int = MAX_LISTED) -> str:
    """Return names with commas between; of many, the first and how many there are."""
    if not names:
        return gettext("none")
    if len(names) <= most:
        return ", ".join(names)
    return gettext("%(first)s, … (%(count)s in all)") % {
        "first": ", ".join(names[:most]),
        "count": f"{len(names):,}",
    }


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return a question for the known name that is much like this one, or ""."""
    by_key = {one.strip().casefold(): one for one in reversed(known)}
    found = get_close_matches(name.strip().casefold(), by_key, n=1)
    if not found:
        return ""
    return gettext("did you mean “%(name)s”?") % {"name": by_key[found[0]]}
