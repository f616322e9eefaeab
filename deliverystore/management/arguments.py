"""Arguments of commands in the form in which people write them."""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGTP]?)(I?)B?", re.IGNORECASE)
_SUBSET = re.compile(r"(\d+)/(\d+)")
_PREFIXES = " KMGTP"


def size(text: str) -> int:
    """Return a number of bytes: "500", "10GB" (10 billion), "10GiB" (10 times 2^30)."""
    if (match := _SIZE.fullmatch(text.strip())) is None:
        raise ArgumentTypeError(f"{text!r} is no size; write 500MB, 10GB or 2TiB.")
    number, prefix, binary = match.groups()
    power = _PREFIXES.index(prefix.upper() or " ")
    found = float(number) * (1024 if binary else 1000) ** power
    if not 1 <= found < math.inf:
        raise ArgumentTypeError(f"{text!r} is no size from 1 byte on.")
    return int(found)


def seconds(text: str) -> float:
    """Return a length of time: "3600", "0.5"."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise ArgumentTypeError(f"{text!r} is no length of time; write 3600.")
    return found


def pause(text: str) -> float:
    """Return a length of time that may be none: "0", "2.5"."""
    return 0.0 if text.strip() == "0" else seconds(text)


def count(text: str) -> int:
    """Return a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number from 1 on.")
    return int(text)


def subset(text: str) -> tuple[int, int]:
    """Return (n, m) of "n/m"."""
    match = _SUBSET.fullmatch(text.strip())
    part, parts = (int(number) for number in match.groups()) if match else (0, 0)
    if not 1 <= part <= parts:
        raise ArgumentTypeError(f"{text!r} is no part; write 1/7 to 7/7, for example.")
    return part, parts
