"""The questions before a file becomes public, and before it is taken off the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from deliverystore.admin.actions import page_context
from deliverystore.admin.publishing import looks
from deliverystore.models.recipient import load_recipients
from deliverystore.publishing import registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

    from deliverystore.models import FileMeta, Publication


def whether_to_publish(
    page: ModelAdmin, request: HttpRequest, file: FileMeta, *, back: str
) -> TemplateResponse:
    """Return the page that asks whether visitors are to see something of a file.

    Raise PublishingRefused if no processor takes it.
    """
    name = registry.choose(file)
    about = registry.get_processors()[name].description
    words = {"processor": f"“{name}” ({about})" if about else f"“{name}”"}
    text = _(
        "This file was handed in, and is private. If you publish it, visitors of the "
        "site see what the processor %(processor)s makes of it:"
    )
    facts = {"question": text % words, "yes": _("Yes, publish"), "back": back}
    return _page(page, request, gettext_lazy("Publish"), [file], facts)


def whether_to_take_off(
    page: ModelAdmin,
    request: HttpRequest,
    publications: Sequence[Publication],
    *,
    back: str,
) -> TemplateResponse:
    """Return the page that asks whether visitors are to see no more of files."""
    files = [one.filemeta for one in publications]
    text = ngettext(
        "Visitors will see nothing of this file. It can be published again from the "
        "page of its delivery:",
        "Visitors will see nothing of these %(count)d files. They can be published "
        "again from the pages of their deliveries:",
        len(files),
    )
    are_public = any(looks.public(file) for file in files)
    facts = {
        "question": text % {"count": len(files)},
        "yes": _("Yes, take off") if are_public else _("Yes, do not publish"),
        "back": back,
        "is_grave": True,
        "action": "off",
        "chosen": [one.pk for one in publications],
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
    }
    title = (
        gettext_lazy("Take off the site")
        if are_public
        else gettext_lazy("Do not publish")
    )
    return _page(page, request, title, files, facts)


def _page(
    page: ModelAdmin,
    request: HttpRequest,
    title: _StrPromise,
    files: Sequence[FileMeta],
    facts: dict[str, Any],
) -> TemplateResponse:
    load_recipients([file.delivery for file in files])
    context = {**page_context(page, request, title), **facts, "files": files}
    template = "admin/deliverystore/publication/confirmation.html"
    return TemplateResponse(request, template, context)
