"""What an action has done, said in messages on the next page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deliverystore.models import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from deliverystore.models import FileMeta
    from deliverystore.verification import Verification

# Messages travel in a cookie, or in the session.
_MAX_NAMED = 20


def report_verification(request: HttpRequest, found: Verification, site: str) -> None:
    """Say how many files are intact, and which are not."""
    if found.problems:
        _report_problems(request, found.problems, site)
    if found.intact or not (found.problems or found.unread):
        intact = ngettext(
            "%(count)d file was read and is intact.",
            "%(count)d files were read and are intact.",
            found.intact,
        )
        messages.success(request, intact % {"count": found.intact})
    if found.unread:
        unread = ngettext(
            "%(count)d file was not read: it takes too long. Verify fewer at once.",
            "%(count)d files were not read: it takes too long. Verify fewer at once.",
            found.unread,
        )
        messages.warning(request, unread % {"count": found.unread})


def _report_problems(
    request: HttpRequest, problems: Sequence[tuple[FileMeta, Condition]], site: str
) -> None:
    head = ngettext(
        "%(count)d file is missing or damaged:",
        "%(count)d files are missing or damaged:",
        len(problems),
    )
    lines = format_html_join(
        "",
        '<br>{}: {} (<a href="{}">{}</a>)',
        (
            (
                file.filename,
                condition.label,
                reverse(
                    f"{site}:deliverystore_delivery_change", args=[file.delivery_id]
                ),
                file.delivery,
            )
            for file, condition in problems[:_MAX_NAMED]
        ),
    )
    if (left := len(problems) - _MAX_NAMED) > 0:
        lines += format_html("<br>{}", _("… and %(count)d more.") % {"count": left})
    counted = head % {"count": len(problems)}
    messages.error(request, format_html("{}{}", counted, lines))
