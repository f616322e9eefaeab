"""How the values of a delivery look on the pages of the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.exceptions import NotRegistered
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deliverystore.conf import conf
from deliverystore.models.recipient import load_recipients

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.admin import AdminSite
    from django.db.models import Model
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from deliverystore.models import Delivery


def state_badge(delivery: Delivery) -> SafeString:
    """Return the state as a word with a mark and a colour."""
    return format_html(
        '<span class="deliverystore-badge deliverystore-{}">{}</span>',
        delivery.state,
        delivery.get_state_display(),
    )


def digest_code(value: str) -> SafeString:
    """Return a digest that is shown short; a click selects the whole of it."""
    return format_html(
        '<code class="deliverystore-digest" title="{}" tabindex="0">{}</code>',
        value,
        value,
    )


def recipient_text(delivery: Delivery) -> str:
    """Return the recipient, or what is known of one that was deleted."""
    if delivery.recipient is not None:
        return str(delivery.recipient)
    if delivery.recipient_type is None:
        return ""
    known = {"kind": delivery.recipient_type.name, "id": delivery.recipient_id}
    return _("%(kind)s %(id)s (deleted)") % known


def linked(request: HttpRequest, site: AdminSite, instance: Model) -> str:
    """Return an instance as a link to its page, if the user may see that."""
    try:
        page = site.get_model_admin(type(instance))
    except NotRegistered:
        return str(instance)
    if not page.has_view_or_change_permission(request, instance):
        return str(instance)
    name = f"{site.name}:{page.opts.app_label}_{page.opts.model_name}_change"
    url = reverse(name, args=[instance.pk])
    return format_html('<a href="{}">{}</a>', url, instance)


def facts(
    request: HttpRequest, site: AdminSite, delivery: Delivery
) -> list[tuple[str, str]]:
    """Return what is known of a delivery, each with its label; nothing is left out."""
    load_recipients([delivery])
    recipient, user, original = (
        instance and linked(request, site, instance)
        for instance in (delivery.recipient, delivery.delivered_by, delivery.copy_of)
    )
    finished, manifest = delivery.time_of_delivery, delivery.manifest_digest
    pairs = [
        (_("id"), delivery.pk),
        (_("state"), state_badge(delivery)),
        (_("number"), delivery.number),
        (_("recipient"), recipient or recipient_text(delivery)),
        (_("delivered by"), user),
        (_("created"), time_text(delivery.created)),
        (_("time of delivery"), finished and time_text(finished)),
        (_("content"), content_text(delivery)),
        (_("manifest's digest"), manifest and digest_code(manifest)),
        (_("copy of"), original),
    ]
    return [(label, str(value)) for label, value in pairs if value]


def content_text(delivery: Delivery) -> str:
    """Return how many files there are, and their size."""
    count = delivery.file_count
    text = ngettext("%(count)d file, %(size)s", "%(count)d files, %(size)s", count)
    return text % {"count": count, "size": filesizeformat(delivery.size)}


def in_words(delivery: Delivery) -> list[str]:
    """Say in sentences what has become of a delivery."""
    words: dict[str, Any] = {
        "user": delivery.delivered_by or _("somebody without an account"),
        "recipient": recipient_text(delivery) or _("nobody in particular"),
    }
    if delivery.time_of_delivery is None:
        sweep = delivery.created + conf.DELIVERY_STORE_ABANDON_AFTER
        words.update(begun=time_text(delivery.created), sweep=time_text(sweep))
        return [
            _("Begun on %(begun)s by %(user)s, for %(recipient)s.") % words,
            _("Not handed in yet: files can still be added and removed."),
            _("If it is still open on %(sweep)s, the next sweep abandons it.") % words,
        ]
    words.update(time=time_text(delivery.time_of_delivery), number=delivery.number)
    return [
        _("Handed in on %(time)s by %(user)s for %(recipient)s.") % words,
        _("It is number %(number)s there, and cannot be changed any more.") % words,
    ]


def waiting_words(task: object, command: str) -> list[str]:
    """Say of work that waits what begins it.

    task is that of the tasks framework; without one, None, it is a management command.
    """
    if task is None:
        text = _(
            "It waits for “manage.py %(command)s”, with which those who run the site "
            "begin it."
        )
        return [text % {"command": command}]
    return [
        _("It waits for a worker, and begins by itself."),
        _("If that takes long, ask those who run the site whether a worker is there."),
    ]


def time_text(moment: datetime) -> str:
    """Return a moment in the time zone of the site."""
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return date_format(local, "DATETIME_FORMAT")
