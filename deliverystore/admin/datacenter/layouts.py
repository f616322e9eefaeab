"""How a file is written, as a form says it: encoding, delimiter, quote and sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deliverystore.datacenter import ENCODINGS, Layout

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

Option = tuple[str, str, bool]


# What of a form says how a file is written.
PARTS = frozenset({"encoding", "delimiter", "quote", "sheet"})


def layout_of(data: Mapping[str, str]) -> Layout:
    """Return what a form says of a file; what is left open is found out."""
    encoding = data.get("encoding", "")
    return Layout(
        encoding=encoding if encoding in ENCODINGS else "",
        delimiter=_meant(DELIMITERS, data.get("delimiter", "")),
        quote=_meant(QUOTES, data.get("quote", "")),
        sheet=data.get("sheet", "").strip()[:_MAX_SHEET],
    )


def said(layout: Layout) -> dict[str, str]:
    """Return what a form, or an address, says of a file, as layout_of reads it."""
    values = {
        "encoding": layout.encoding,
        "delimiter": _code(DELIMITERS, layout.delimiter),
        "quote": _code(QUOTES, layout.quote),
        "sheet": layout.sheet,
    }
    return {name: value for name, value in values.items() if value}


class LayoutForm:
    """What a form offers: for each part the options, each with whether it is chosen."""

    def __init__(self, asked: Layout, preview: Preview) -> None:
        self._asked = asked
        self._found = preview.report.layout
        self.sheets = preview.sheets
        self.sheet = asked.sheet or self._found.sheet

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


def _code(known: dict[str, tuple[str, _StrPromise]], sign: str) -> str:
    return next((code for code, (one, _label) in known.items() if one == sign), "")
