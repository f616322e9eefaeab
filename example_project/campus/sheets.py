"""A drawing of a sheet of paper with the beginning of a text on it, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from xml.etree import ElementTree

_SIZE, _MARGIN, _INSET = 400, 36, 26
_LINE, _LINES, _WIDTH = 25, 14, 33
# Whoever wrote the text may write "<script>": ElementTree makes text of it.
_STYLE = """
.desk { fill: #f0f3f9 } .paper { fill: #fff; stroke: #dbe1eb }
text { font: 17px Georgia, "Noto Serif", serif; fill: #1a2233; white-space: pre }
.from { stop-color: #fff; stop-opacity: 0 } .to { stop-color: #fff }
@media (prefers-color-scheme: dark) {
  .desk { fill: #202836 } .paper { fill: #181e29; stroke: #2d3647 }
  text { fill: #e7ebf3 }
  .from { stop-color: #181e29 } .to { stop-color: #181e29 }
}
"""


def sheet(text: str) -> bytes:
    """Return the drawing, which goes with light and dark pages."""
    size = str(_SIZE)
    svg = ElementTree.Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {size} {size}",
        width=size,
        height=size,
    )
    ElementTree.SubElement(svg, "style").text = _STYLE
    fade = ElementTree.SubElement(
        ElementTree.SubElement(svg, "defs"), "linearGradient", id="fade", x2="0", y2="1"
    )
    for place, name in (("0", "from"), ("1", "to")):
        ElementTree.SubElement(fade, "stop", {"offset": place, "class": name})
    paper = _box(_MARGIN, _MARGIN, _SIZE - 2 * _MARGIN, _SIZE)
    ElementTree.SubElement(svg, "rect", {**_box(0, 0, _SIZE, _SIZE), "class": "desk"})
    ElementTree.SubElement(svg, "rect", {**paper, "class": "paper", "rx": "4"})
    for number, line in enumerate(_lines(text)):
        start = {"x": str(_MARGIN + _INSET), "y": str(2 * _MARGIN + _LINE * number)}
        ElementTree.SubElement(svg, "text", start).text = line
    low = _box(_MARGIN + 1, _SIZE - 90, _SIZE - 2 * _MARGIN - 2, 90)
    ElementTree.SubElement(svg, "rect", {**low, "fill": "url(#fade)"})
    drawing: bytes = ElementTree.tostring(svg, encoding="utf-8")
    return drawing


def _box(x: int, y: int, width: int, height: int) -> dict[str, str]:
    return {"x": str(x), "y": str(y), "width": str(width), "height": str(height)}


def _lines(text: str) -> list[str]:
    """Return as many lines as there is room for."""
    lines: list[str] = []
    for line in _printable(text):
        lines += wrap(line, _WIDTH) or [""]
        if len(lines) >= _LINES:
            break
    return lines[:_LINES]


def _printable(text: str) -> Iterator[str]:
    """Yield lines without what XML cannot hold."""
    for line in text.splitlines():
        yield "".join(one if one.isprintable() else " " for one in line)
