"""Publishing and taking off the site: it is done, told, and kept in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.utils.translation import gettext as _

from deliverystore import publishing
from deliverystore.admin.publishing import looks, words
from deliverystore.exceptions import DeliveryStoreError, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from django.db.models import Model
    from django.http import HttpRequest

    from deliverystore.models import FileMeta, Publication

    Result = TypeVar("Result")


def publish(request: HttpRequest, files: Iterable[FileMeta]) -> list[Publication]:
    """Publish files, and return the publications; a refusal becomes a message."""
    done = _each(request, files, lambda file: publishing.publish(file, request.user))
    for one in done:
        text = _("“%(file)s” is to be published.")
        _log(request, [one.filemeta.delivery, one], text, one.filemeta)
    words.tell(request, done)
    return done


def take_off(request: HttpRequest, files: Iterable[FileMeta]) -> None:
    """Take from visitors what is public of files, and try to publish none of them."""

    def off(file: FileMeta) -> tuple[FileMeta, bool]:
        was_public = bool(looks.public(file))
        publishing.unpublish(file, request.user)
        return file, was_public

    done = _each(request, files, off)
    for file, was_public in done:
        text = (
            _("“%(file)s” was taken off the site.")
            if was_public
            else _("“%(file)s” is not to be published.")
        )
        _log(request, [file.delivery], text, file)
    words.tell_of_end(request, done)


def _log(
    request: HttpRequest, instances: list[Model], text: str, file: FileMeta
) -> None:
    message = text % {"file": file.filename}
    user_id = cast("int", request.user.pk)
    LogEntry.objects.log_actions(user_id, instances, CHANGE, message)


def _each(
    request: HttpRequest,
    files: Iterable[FileMeta],
    action: Callable[[FileMeta], Result],
) -> list[Result]:
    """Do something with each file; say what is refused, and return the results."""
    done = []
    for file in files:
        try:
            done.append(action(file))
        except NotPermitted:
            raise
        except DeliveryStoreError as error:
            messages.error(request, str(error))
    return done
