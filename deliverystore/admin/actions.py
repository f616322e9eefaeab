"""What can be done with selected deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import DELETION, LogEntry
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from deliverystore import sweeping
from deliverystore.admin.reports import report_verification
from deliverystore.archive import make_archive
from deliverystore.exceptions import MissingExtra
from deliverystore.models import Delivery
from deliverystore.verification import verify_deliveries
from deliverystore.views.archive import archive_response

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponseBase
    from django.utils.functional import _StrPromise


# Web servers give up on a request that takes longer; no file is begun after this.
MAX_SECONDS = 20


@admin.action(permissions=["verify"], description=_("Verify the files"))
def verify(
    page: admin.ModelAdmin, request: HttpRequest, deliveries: QuerySet[Delivery]
) -> None:
    """Read all files and say which are not intact."""
    found = verify_deliveries(deliveries, request.user, seconds=MAX_SECONDS)
    report_verification(request, found, page.admin_site.name)


@admin.action(permissions=["download"], description=_("Download as ZIP"))
def download_zip(
    page: admin.ModelAdmin, request: HttpRequest, deliveries: QuerySet[Delivery]
) -> HttpResponseBase | None:
    """Send all files in one ZIP, with a folder for each delivery."""
    try:
        archive = make_archive(deliveries, request.user)
    except MissingExtra as error:
        messages.error(request, str(error))
        return None
    return archive_response(request, archive)


@admin.action(permissions=["abandon"], description=_("Abandon open deliveries…"))
def abandon(
    page: admin.ModelAdmin, request: HttpRequest, deliveries: QuerySet[Delivery]
) -> TemplateResponse | None:
    """Ask first, then remove open deliveries with their files."""
    found = list(deliveries.filter(state=Delivery.State.OPEN))
    if found and request.POST.get("post"):
        abandon_now(request, found)
        return None
    if not found:
        text = _("None of these deliveries is open: what was handed in stays.")
        messages.warning(request, text)
        return None
    return confirm_abandon(page, request, found)


def confirm_abandon(
    page: admin.ModelAdmin, request: HttpRequest, deliveries: list[Delivery]
) -> TemplateResponse:
    """Return the page that asks whether these open deliveries are to be removed."""
    context = {
        **page_context(page, request, _("Abandon open deliveries")),
        "deliveries": deliveries,
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
    }
    template = "admin/deliverystore/delivery/abandon_confirmation.html"
    return TemplateResponse(request, template, context)


def page_context(
    page: admin.ModelAdmin, request: HttpRequest, title: _StrPromise
) -> dict[str, Any]:
    """Return what a page of ours needs that extends admin/change_form.html."""
    request.current_app = page.admin_site.name
    return {
        **page.admin_site.each_context(request),
        "title": title,
        "original": title,  # the last breadcrumb
        "has_view_permission": True,
        "opts": page.opts,
        "media": page.media,
    }


def abandon_now(request: HttpRequest, deliveries: list[Delivery]) -> None:
    """Abandon open deliveries; say how many, and keep it in the history."""
    abandoned = sweeping.abandon(deliveries, request.user)
    user_id = cast("int", request.user.pk)
    LogEntry.objects.log_actions(user_id, abandoned, DELETION)
    text = ngettext(
        "%(count)d open delivery was abandoned.",
        "%(count)d open deliveries were abandoned.",
        len(abandoned),
    )
    messages.success(request, text % {"count": len(abandoned)})
