"""Checks in the admin: what was looked at, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from deliverystore.admin.display import time_text
from deliverystore.admin.readonly import ReadOnlyAdmin
from deliverystore.checking import advice
from deliverystore.models import Check, Delivery, Finding
from deliverystore.models.access import may

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

FINDINGS_PER_PAGE = 100
# The others are in the list of checks.
_NAMED_IN_NOTICE = 5


@admin.register(Check)
class CheckAdmin(ReadOnlyAdmin):
    list_display = (
        "started",
        "subset",
        "state",
        "deliveries",
        "files",
        "read",
        "findings_badge",
    )
    ordering = ("-pk",)
    sortable_by = ()

    def has_delete_permission(
        self, request: HttpRequest, obj: Check | None = None
    ) -> bool:
        return False

    @admin.display(description=gettext_lazy("part"))
    def subset(self, check: Check) -> str:
        """Return which part was checked."""
        return _part(check) or _("all")

    @admin.display(description=gettext_lazy("state"))
    def state(self, check: Check) -> str:
        """Return how it ended or, if it is to go on, where."""
        return state_text(check)

    @admin.display(description=gettext_lazy("read"))
    def read(self, check: Check) -> str:
        """Return how much was read."""
        return read_text(check)

    @admin.display(description=gettext_lazy("findings"))
    def findings_badge(self, check: Check) -> SafeString:
        """Return how much was found, and how much of that is repaired."""
        return findings_badge(check)

    def context_of(self, request: HttpRequest, obj: Check) -> dict[str, Any]:
        return {
            "facts": facts(obj),
            "findings": _page_of_findings(request, obj),
            "advice": advice(obj.findings.all()),
        }


def last_check(request: HttpRequest) -> dict[str, object] | None:
    """Return what the list of deliveries says of the last check.

    Also which checks have found what is not repaired, and was not looked for again
    since: a check of another part, or of sizes only, does not make that good. The
    check is None if there was none; all is None if the user may not see it.
    """
    if not request.user.has_perm("deliverystore.view_check"):
        return None
    if (check := Check.objects.newest()) is None:
        return {"check": None}
    unrepaired = Check.objects.standing().unrepaired().order_by("-pk")
    standing = list(unrepaired[: _NAMED_IN_NOTICE + 1])
    return {
        "check": check,
        "findings": findings_badge(check),
        "read": read_text(check),
        "part": _part(check),
        "standing": [
            (one, _part(one), findings_badge(one))
            for one in standing[:_NAMED_IN_NOTICE]
        ],
        "are_more": len(standing) > _NAMED_IN_NOTICE,
    }


def damage_of(request: HttpRequest, delivery: Delivery) -> list[Finding]:
    """Return some of what the last checks found in a delivery and nobody repaired."""
    if not request.user.has_perm("deliverystore.view_check"):
        return []
    found = Finding.objects.standing().filter(delivery_id=delivery.pk)
    return list(found.select_related("found_in").order_by("pk")[:_NAMED_IN_NOTICE])


def facts(check: Check) -> list[tuple[str, str]]:
    """Return what is known of a check, each with its label."""
    ended = check.finished or check.updated
    names = _("the store cannot list them") if check.names is None else check.names
    return [
        (_("state"), state_text(check)),
        (_("started"), time_text(check.started)),
        (_("finished") if check.finished else _("last step"), time_text(ended)),
        (_("part"), _part(check) or _("all")),
        (_("finished deliveries"), str(check.deliveries)),
        (_("files"), f"{check.files} ({read_text(check)})"),
        (_("names in the store"), str(names)),
        (_("findings"), findings_badge(check)),
    ]


def state_text(check: Check) -> str:
    """Return how a check ended or, if it is to go on, where."""
    ending = check.get_ending_display()
    if check.ending == Check.Ending.COMPLETE:
        return ending
    words = {"ending": ending, "phase": check.get_phase_display()}
    return _("%(ending)s, at: %(phase)s") % words


def read_text(check: Check) -> str:
    """Return how many bytes were read."""
    if check.quick:
        return _("sizes only")
    return _("%(size)s read") % {"size": filesizeformat(check.bytes)}


def findings_badge(check: Check) -> SafeString:
    """Return how much was found as words with a mark and a colour."""
    count, repaired = check.found, check.repaired
    text = ngettext("%(count)s finding", "%(count)s findings", count)
    text = text % {"count": count} if count else _("nothing found")
    if repaired:
        text += _(", %(count)s repaired") % {"count": repaired}
    look = "good" if count == repaired else "bad"
    badge = '<span class="deliverystore-badge deliverystore-{}">{}</span>'
    return format_html(badge, look, text)


def _part(check: Check) -> str:
    return check.subset if check.parts > 1 else ""


class _Findings(Paginator):
    """Pages of the findings of a check, which knows how many there are."""

    def __init__(self, check: Check) -> None:
        super().__init__(check.findings.order_by("pk"), FINDINGS_PER_PAGE)
        self._check = check

    @cached_property
    def count(self) -> int:
        return self._check.found


def _page_of_findings(request: HttpRequest, check: Check) -> Page:
    """Return a page of findings, each with its delivery if the user may see that."""
    page = _Findings(check).get_page(request.GET.get("page"))
    findings = list(page.object_list)
    deliveries: dict[int, Delivery] = {}
    if may(request.user, "view"):
        named = {finding.delivery_id for finding in findings}
        rows = Delivery.objects.select_related("delivered_by")
        deliveries = rows.in_bulk(named - {None})
    for finding in findings:
        finding.delivery = deliveries.get(finding.delivery_id)
    page.object_list = findings
    return page
