"""What keeps a text from being taken for a formula, a token or two texts.

Pure functions: what is written by one half is read back by the other.
"""

from __future__ import annotations

import re

# What a formula begins with in a spreadsheet, also in its full-width forms (OWASP, "CSV
# Injection").
_STARTS_FORMULA = re.compile("[=+@\\-\uff1d\uff0b\uff20\uff0d]")
# A negative number is what it says.
_NUMBER = re.compile(r"-[0-9]+(?:\.[0-9]+)?")


def meant(cell: str, token: str = "") -> str:
    """Return the text that a cell without blanks around stands for.

    One apostrophe before a formula, or before the token that clears, is not part of it.
    """
    return cell[1:] if cell.startswith("'") and _is_taken(cell[1:], token) else cell


def as_it_stands(text: str, token: str = "") -> str:
    """Return a cell of which meant() makes this text again, whatever it looks like."""
    start = len(text) - len(text.lstrip())
    bare = text.strip()
    if bare == token != "" or (bare.startswith("'") and _is_taken(bare, token)):
        return f"{text[:start]}'{text[start:]}"
    return text


def neutralised(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; it means the same."""
    bare = cell.strip()
    if _STARTS_FORMULA.match(bare) and not _NUMBER.fullmatch(bare):
        start = len(cell) - len(cell.lstrip())
        return f"{cell[:start]}'{cell[start:]}"
    return cell


def joined(texts: list[str], separator: str) -> str:
    """Return texts as one, with a backslash before each separator that is in one."""
    return separator.join(
        text.replace("\\", "\\\\").replace(separator, f"\\{separator}")
        for text in texts
    )


def separated(text: str, separator: str) -> list[str]:
    """Return the texts that were joined."""
    if "\\" not in text:
        return text.split(separator)
    texts = [""]
    escaped = {f"\\{separator}", "\\\\"}
    for piece in re.split(rf"(\\[\\{separator}]|{separator})", text):
        if piece == separator:
            texts.append("")
        else:
            texts[-1] += piece[1] if piece in escaped else piece
    return texts


def _is_taken(text: str, token: str) -> bool:
    """Tell whether a text, apostrophes aside, is a formula or the token."""
    bare = text.lstrip("'")
    return bool(_STARTS_FORMULA.match(bare)) or (bare == token != "")
