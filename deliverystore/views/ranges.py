"""The Range header of HTTP (RFC 9110, section 14), as far as it is honoured."""

from __future__ import annotations

import re

# More digits than any file has bytes; fewer than Python refuses to convert.
_ONE_RANGE = re.compile(
    r"bytes=[ \t]*(\d{0,100})-(\d{0,100})[ \t]*", re.IGNORECASE | re.ASCII
)


def requested_range(header: str, size: int) -> range:
    """Return the positions of the bytes that are asked for, of a file of size bytes.

    An empty range of a file that is not empty cannot be satisfied. Several ranges,
    other units and what makes no sense are ignored, as the RFC allows: many small
    ranges are an attack. So are ranges of an empty file, for which there is no answer.
    """
    whole = range(size)
    match = _ONE_RANGE.fullmatch(header)
    if match is None or size == 0:
        return whole
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return whole
    if first:
        return whole[int(first) : int(last) + 1 if last else None]
    return whole[max(size - int(last), 0) :] if last else whole
