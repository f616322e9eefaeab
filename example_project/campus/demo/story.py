"""How the demo speaks: chapters, sentences and columns, at most 88 wide."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence

from django.core.management.base import OutputWrapper
from django.core.management.color import Style

_WIDTH = 88
_INDENT = "   "


class Story:
    """Writes to the output of a command; colours only where that shows them."""

    def __init__(self, out: OutputWrapper, style: Style) -> None:
        self._out = out
        self.style = style
        self._chapters = 0

    def title(self, text: str, what_follows: str) -> None:
        """Write the title over a line, and a paragraph."""
        self._out.write(self.style.MIGRATE_HEADING(text))
        self._out.write("=" * width(text))
        self._out.write(textwrap.fill(what_follows, _WIDTH))

    def chapter(self, text: str) -> None:
        """Write an empty line and a numbered heading."""
        self._chapters += 1
        heading = self.style.MIGRATE_HEADING(f"{self._chapters}  {text}")
        self._out.write(f"\n{heading}")

    def say(self, text: str = "") -> None:
        """Write a sentence, over several lines if it is long, or an empty line."""
        for line in _wrap(text, _INDENT) or [""]:
            self._out.write(line)

    def quote(self, text: str) -> None:
        """Write what the program said, set off from the story."""
        for line in _wrap(text, 2 * _INDENT):
            self._out.write(self.style.WARNING(line))

    def record(self, cells: str, errors: str) -> None:
        """Write a line of a file, its last cell below the others if it is long."""
        line = f"{2 * _INDENT}{cells}"
        if width(line + errors) <= _WIDTH:
            self._out.write(line + errors)
            return
        self._out.write(line)
        for line in _wrap(errors, 3 * _INDENT):
            self._out.write(self.style.WARNING(line))

    def code(self, text: str) -> None:
        """Write lines of code as they are."""
        self._out.write(textwrap.indent(text.rstrip(), 2 * _INDENT))

    def good(self, text: str) -> None:
        """Write one line of good news."""
        self._out.write(_INDENT + self.style.SUCCESS(text))

    def bad(self, text: str) -> None:
        """Write one line of bad news."""
        self._out.write(_INDENT + self.style.ERROR(text))

    def table(
        self,
        rows: Sequence[Sequence[str]],
        *,
        right: Sequence[int] = (),
        least: Sequence[int] = (),
    ) -> None:
        """Write rows in aligned columns.

        right has the indices of columns that are aligned to the right, least the
        least widths of the first columns.
        """
        widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
        widths[: len(least)] = map(max, widths, least)
        for row in rows:
            cells = [
                _fill(cell, widths[index], right=index in right)
                for index, cell in enumerate(row)
            ]
            self._out.write(f"{_INDENT}{'  '.join(cells)}".rstrip())


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fill(cell: str, columns: int, *, right: bool) -> str:
    space = " " * (columns - width(cell))
    return space + cell if right else cell + space
