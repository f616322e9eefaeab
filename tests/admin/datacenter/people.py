"""Who uses the data center, and what they may; how to look at its pages."""

from __future__ import annotations

import html
import re

from django.contrib.auth.models import Permission
from django.urls import reverse

from tests.factories import UserFactory

FILES = "/admin/deliverystore/datafileinfo/"

# Each role by its permissions; on models, the processors of the school.
ROLES = {
    "nobody": [],
    "uploader": ["upload_datafile"],
    "downloader": ["download_datafile"],
    # Without any processor: they can give up and look at what nobody has run.
    "half an importer": ["run_import"],
    "importer": ["run_import", "add_faculty", "change_faculty", "view_faculty"],
    "exporter": ["run_export", "view_faculty"],
    "deleter": ["delete_datafile"],
    "logviewer": ["view_datalog"],
    "publisher": ["publish_delivery"],
}


def person(role):
    """Make a member of staff of a role, or a superuser."""
    user = UserFactory(is_staff=True, is_superuser=role == "superuser", username=role)
    if role != "superuser":
        allowed = Permission.objects.filter(codename__in=ROLES[role])
        assert len({one.codename for one in allowed}) == len(ROLES[role])
        user.user_permissions.set(
            one
            for one in allowed
            if one.content_type.app_label in ("deliverystore", "school")
        )
    return user


def url(name, model="datafileinfo"):
    return reverse(f"admin:deliverystore_{model}_{name}")


def words(response):
    """Return the text of a page without its tags, on one line."""
    text = response.text.replace("<wbr>", "")
    text = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def told(response):
    """Return the messages of a response that redirects, or of a page."""
    return [str(message) for message in response.wsgi_request._messages]


def sign_in(page, live_server, client):
    """Let a browser be the user whom the client is."""
    session = client.cookies["sessionid"].value
    cookie = {"name": "sessionid", "value": session, "url": live_server.url}
    page.context.add_cookies([cookie])
