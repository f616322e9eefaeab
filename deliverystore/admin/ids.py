"""Ids that come from outside: from addresses and forms."""

from __future__ import annotations

# No id has more digits.
MAX_DIGITS = 18


def id_of(text: str) -> int | None:
    """Return the id that a text says, None if it cannot be one."""
    return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else None
