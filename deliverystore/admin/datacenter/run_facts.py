"""What is known of an import, each with its label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from deliverystore.admin.datacenter import looks
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.admin.display import digest_code, time_text
from deliverystore.datacenter.files import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deliverystore.models import ImportRun

_MAX_MAPPED = 30
# What separates cells, and what is around them, in words.
_SIGNS = {
    ",": _lazy("a comma between cells"),
    ";": _lazy("a semicolon between cells"),
    "\t": _lazy("a tab between cells"),
    "|": _lazy("a bar between cells"),
    '"': _lazy("double quotes around them"),
    "'": _lazy("single quotes around them"),
}


def facts(
    run: ImportRun, children: Sequence[ImportRun], url: Callable[..., str]
) -> list[tuple[str, str]]:
    """Return what is known of a run; url makes the address of a page by its name."""
    limits = [
        _("failed: %(limit)s") % {"limit": run.max_failed} if run.max_failed else "",
        _("removed: %(limit)s") % {"limit": run.max_removed} if run.max_removed else "",
    ]
    pairs = [
        (_("file"), looks.breakable(shown(run.file, 255))),
        (_("size"), "" if run.from_parent else in_words(run.size)),
        (_("digest"), digest_code(run.digest) if run.digest else ""),
        (_("written as"), _layout(run)),
        (_("processor"), run.processor),
        (_("mode"), looks.MODES.get(run.mode, run.mode)),
        (_("columns"), _mapping(run)),
        (_("when a row fails"), run.get_on_error_display()),
        (_("stops at more than"), ", ".join(filter(None, limits))),
        (_("dry run"), _("yes") if run.dry_run else ""),
        (_("another try of"), run.parent and _link(run.parent, url)),
        (_("tried again in"), _links(children, url)),
        (_("begun by"), run.user or _("the site")),
        (_("added"), time_text(run.added)),
        (_("started"), run.started and time_text(run.started)),
        (_("ended"), run.ended and time_text(run.ended)),
        (_("took"), looks.took(run)),
    ]
    return [(label, str(value)) for label, value in pairs if value]


def _layout(run: ImportRun) -> str:
    """Return how the file is written: "UTF-8, a comma between cells, …"."""
    told = []
    if sheet := run.layout.get("sheet"):
        told.append(_("the sheet “%(sheet)s”") % {"sheet": shown(sheet)})
    if encoding := run.layout.get("encoding"):
        told.append(shown(encoding.upper()))
    signs = (run.layout.get(name) for name in ("delimiter", "quote"))
    told += [str(_SIGNS.get(sign, shown(sign))) for sign in signs if sign]
    if (line := run.layout.get("header_line") or 1) > 1:
        told.append(_("the columns named in line %(line)s") % {"line": line})
    return ", ".join(told)


def _mapping(run: ImportRun) -> SafeString:
    """Return which column goes where; of many, the first ones."""
    # In the order of the file; JSON has forgotten it.
    columns = [one for one in run.header if one in run.mapping]
    lines = format_html_join(
        "",
        "<li><bdi>{}</bdi> → <bdi>{}</bdi></li>",
        (
            (shown(one), run.mapping[one] or _("left out"))
            for one in columns[:_MAX_MAPPED]
        ),
    )
    if (left := len(columns) - _MAX_MAPPED) > 0:
        more = _("… and %(count)s more") % {"count": looks.number(left)}
        lines += format_html("<li>{}</li>", more)
    return format_html('<ul class="deliverystore-mapping">{}</ul>', lines)


def _link(run: ImportRun, url: Callable[..., str]) -> SafeString:
    text = _("import %(id)s") % {"id": run.pk}
    return format_html('<a href="{}">{}</a>', url("change", run.pk), text)


def _links(runs: Sequence[ImportRun], url: Callable[..., str]) -> SafeString:
    return format_html_join(", ", "{}", ((_link(run, url),) for run in runs))
