"""What comes from files, as it is shown: short, and with nothing that acts."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

# So many characters of a cell are shown in a list.
CELL = 80
# So many characters of JSON are loaded for a row of a list: a cell may have millions.
JSON = 6000

# Controls are drawn; what turns the direction of writing is no more than a mark.
_DRAWN = {
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD),
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
# What may follow an unfinished text in JSON, so that it can be read.
_ENDINGS = ("", '…"', '…": null', ": null", " null")


def shown(text: str, length: int = CELL) -> str:
    """Return the beginning of a text, of which every character can be seen."""
    part = text[:length].translate(_DRAWN)
    part = part.encode("utf-8", "replace").decode()
    return f"{part}…" if len(text) > length else part


def loaded(text: str) -> Any:
    """Return what JSON says, also if only its beginning is there."""
    with suppress(ValueError):
        return json.loads(text)
    text, closing = _closed(text)
    for ending in _ENDINGS:
        with suppress(ValueError):
            return json.loads(text.rstrip(", ") + ending + closing)
    return []


def _closed(text: str) -> tuple[str, str]:
    """Return a text without half a character, and the brackets that it leaves open."""
    stack: list[str] = []
    in_string, at = False, 0
    while at < len(text):
        character = text[at]
        if in_string:
            if character == "\\":
                size = 6 if text[at + 1 : at + 2] == "u" else 2
                if at + size > len(text):
                    return text[:at], "".join(reversed(stack))
                at += size
                continue
            in_string = character != '"'
        elif character == '"':
            in_string = True
        elif character in "[{":
            stack.append("]" if character == "[" else "}")
        elif character in "]}":
            stack.pop()
        at += 1
    return text, "".join(reversed(stack))
