"""Numbers as charts: SVG for the inside of a page, without script, style or font."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from deliverystore.exceptions import MissingExtra

if TYPE_CHECKING:
    from types import ModuleType
    from xml.etree.ElementTree import Element

    from django.utils.safestring import SafeString

_HEIGHT, _WIDTH = 260, 900
_LABELS = 8
_SVG = "{http://www.w3.org/2000/svg}"
# What pygal adds for its own script and style; the page has its own.
_LEFT_OUT = {"defs", "script", "style"}


def bar_chart(
    title: str,
    labels: Sequence[str],
    values: Sequence[float],
    *,
    in_words: Callable[[float], str],
) -> SafeString:
    """Return bars as SVG. Raise MissingExtra without the extra "charts"."""
    chart = _pygal().Bar(
        js=[],
        css=[],
        disable_xml_declaration=True,
        height=_HEIGHT,
        width=_WIDTH,
        margin=12,
        show_legend=False,
        no_prefix=True,
        max_scale=6,
        range=(0, max([1, *values])),
        x_labels=list(labels),
        x_labels_major_count=min(_LABELS, len(labels)),
        show_minor_x_labels=len(labels) <= _LABELS,
        truncate_label=16,
        formatter=in_words,
        value_formatter=in_words,
    )
    chart.add(title, list(values))
    return _cleaned(chart.render_tree(), title)


def _pygal() -> ModuleType:
    try:
        pygal = import_module("pygal")
    except ImportError as error:
        raise MissingExtra(_("Drawing charts"), "charts") from error
    # It adds a finder for maps of its own, in a form that Python 3.11 warns of at each
    # import, and that later ones pass by.
    sys.meta_path[:] = [one for one in sys.meta_path if not _is_of_pygal(one)]
    return pygal


def _is_of_pygal(finder: object) -> bool:
    return type(finder).__module__ == "pygal"


def _cleaned(svg: Element, title: str) -> SafeString:
    """Return a drawing without what a strict site does not let run."""
    for parent in list(svg.iter()):
        for child in list(parent):
            if _name(child) in _LEFT_OUT:
                parent.remove(child)
        for name in [one for one in parent.attrib if _acts(one)]:
            del parent.attrib[name]
    svg.attrib.pop("id", None)
    svg.attrib.update({"class": "deliverystore-chart", "role": "img"})
    svg.attrib["aria-label"] = title
    found = next((one for one in svg if _name(one) == "title"), None)
    if found is not None:
        svg.remove(found)
    text = str(ElementTree.tostring(svg, encoding="unicode"))
    # Written by a library that escapes all texts.
    return mark_safe(text)  # noqa: S308


def _name(element: Element) -> str:
    """Return the name of an element; a comment has a function for a tag."""
    tag: object = element.tag
    return tag.removeprefix(_SVG) if isinstance(tag, str) else "script"


def _acts(attribute: str) -> bool:
    return attribute == "style" or attribute.startswith("on") or "href" in attribute
