"""E-mail to those who may import, that a file has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings  # noqa: TID251 - the language of the site
from django.contrib import auth
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext, ngettext

from deliverystore.background import as_task
from deliverystore.datacenter.files import in_words

if TYPE_CHECKING:
    from deliverystore.datacenter.uploading import Uploaded
    from deliverystore.models.access import User

_IMPORT = "deliverystore.run_import"


def notify(file: Uploaded, user: User | None) -> None:
    """Have a worker tell who may import that a file waits, and nothing that is in it.

    Without a framework for tasks it is done here and now.
    """
    deliver = send if send_mail is None else send_mail.enqueue
    deliver(
        name=file.name,
        size=file.size,
        records=file.report.records,
        problems=file.report.problem_count,
        user=user.get_username() if user else "",
    )


@as_task
def send_mail(**facts: Any) -> None:
    """Send the mail as a task."""
    send(**facts)


def send(*, name: str, size: int, records: int, problems: int, user: str) -> None:
    """Send the mail: one message, in which nobody sees who else gets it."""
    if addresses := _addresses():
        with translation.override(settings.LANGUAGE_CODE):
            subject = gettext("%(name)s waits to be imported") % {"name": name}
            text = _text(name, size, records, problems, user)
        EmailMessage(subject, text, bcc=sorted(addresses)).send()


def _addresses() -> set[str]:
    """Return the addresses of all whom a backend knows to be allowed to import."""
    allowed = [
        backend.with_perm(_IMPORT)
        for backend in auth.get_backends()
        if hasattr(backend, "with_perm")
    ]
    field = auth.get_user_model().get_email_field_name()
    found = {getattr(user, field, "") for users in allowed for user in users}
    return set(filter(None, found))


def _text(name: str, size: int, records: int, problems: int, user: str) -> str:
    come = (
        gettext("%(user)s has uploaded %(name)s to the data center.")
        if user
        else gettext("%(name)s has come to the data center.")
    )
    rows = ngettext("%(count)d row", "%(count)d rows", records)
    found = ngettext(
        "%(count)d problem was found.", "%(count)d problems were found.", problems
    )
    return "{}\n{}, {}. {}\n".format(
        come % {"user": user, "name": name},
        in_words(size),
        rows % {"count": records},
        found % {"count": problems},
    )
