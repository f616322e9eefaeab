"""How a file is written, as a form says it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deliverystore.admin.ids import id_of
from deliverystore.datacenter import ENCODINGS, Layout
from deliverystore.datacenter.tables import MAX_HEADER_LINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

    from deliverystore.datacenter.previewing import Preview

DELIMITERS: dict[str, tuple[str, _StrPromise]] = {
    "comma": (",", gettext_lazy("comma ,")),
    "semicolon": (";", gettext_lazy("semicolon ;")),
    "tab": ("\t", gettext_lazy("tab")),
    "bar": ("|", gettext_lazy("bar |")),
}
QUOTES: dict[str, tuple[str, _StrPromise]] = {
    "double": ('"', gettext_lazy('double "')),
    "single": ("'", gettext_lazy("single '")),
}
# A sheet has at most 31; others have none of this length either.
_MAX_SHEET = 255
_MAX_SHEETS = 200

Option = tuple[str, str, bool]


# What of a form says how a file is written.
PARTS = frozenset({"encoding", "delimiter", "quote", "sheet", "header_line"})


def layout_of(data: Mapping[str, str]) -> Layout:
    """Return what a form says of a file; what is left open is found out."""
    encoding = data.get("encoding", "")
    return Layout(
        encoding=encoding if encoding in ENCODINGS else "",
        delimiter=_meant(DELIMITERS, data.get("delimiter", "")),
        quote=_meant(QUOTES, data.get("quote", "")),
        sheet=data.get("sheet", "")[:_MAX_SHEET],
        header_line=_line(data.get("header_line", "")),
    )


def said(layout: Layout) -> dict[str, str]:
    """Return what a form, or an address, says of a file, as layout_of reads it."""
    values = {
        "encoding": layout.encoding,
        "delimiter": _code(DELIMITERS, layout.delimiter),
        "quote": _code(QUOTES, layout.quote),
        "sheet": layout.sheet,
        "header_line": str(layout.header_line or ""),
    }
    return {name: value for name, value in values.items() if value}


class LayoutForm:
    """What a form offers: for each part the options, each with whether it is chosen."""

    def __init__(self, asked: Layout, preview: Preview) -> None:
        self._asked = asked
        self._found = preview.report.layout
        self._sheets = preview.sheets
        self.is_workbook = preview.is_workbook
        self.max_header_line = MAX_HEADER_LINE

    @property
    def sheets(self) -> list[Option]:
        """The first sheets of a workbook, and the one that is read."""
        chosen = self._asked.sheet or self._found.sheet
        names = [one for one in self._sheets if 0 < len(one) <= _MAX_SHEET]
        offered = names[:_MAX_SHEETS]
        if chosen and chosen not in offered:
            offered.insert(0, chosen)
        return [(one, one, one == chosen) for one in offered]

    @property
    def header_line(self) -> str:
        """The line of the header, if somebody has said it."""
        return str(self._asked.header_line or "")

    @property
    def found_header_line(self) -> str:
        """The line in which the header was found."""
        return str(self._found.header_line or "")

    def read_from(self, line: int) -> dict[str, str]:
        """Return what says that the file be read with its header in a line."""
        return said(replace(self._asked, header_line=line))

    @property
    def encodings(self) -> list[Option]:
        """The encodings, and that it be found out."""
        found = self._found.encoding
        options = [("", self._detected(found), not self._asked.encoding)]
        chosen = self._asked.encoding
        return options + [(one, one, one == chosen) for one in ENCODINGS]

    @property
    def delimiters(self) -> list[Option]:
        """The delimiters, and that it be found out."""
        return self._options(DELIMITERS, self._asked.delimiter, self._found.delimiter)

    @property
    def quotes(self) -> list[Option]:
        """The quotes, and that it be found out."""
        return self._options(QUOTES, self._asked.quote, self._found.quote)

    @property
    def hidden(self) -> dict[str, str]:
        """How the file was read, to be said again with the rest."""
        return said(self._found)

    def _options(
        self, known: dict[str, tuple[str, _StrPromise]], asked: str, found: str
    ) -> list[Option]:
        label = str(known[_code(known, found)][1]) if _code(known, found) else ""
        options = [("", self._detected(label), not asked)]
        return options + [
            (code, str(label), sign == asked) for code, (sign, label) in known.items()
        ]

    def _detected(self, label: str) -> str:
        return _("found out: %(found)s") % {"found": label} if label else _("find out")


def _meant(known: dict[str, tuple[str, _StrPromise]], code: str) -> str:
    return known[code][0] if code in known else ""


def _line(text: str) -> int:
    """Return the line that a form says, or 0 if it is none in which a header can be."""
    line = id_of(text.strip()) or 0
    return line if line <= MAX_HEADER_LINE else 0


def _code(known: dict[str, tuple[str, _StrPromise]], sign: str) -> str:
    return next((code for code, (one, _label) in known.items() if one == sign), "")
