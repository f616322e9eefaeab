"""What the views that change a delivery have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from deliverystore.models import Delivery

from .models import Assignment


class UserRequest(HttpRequest):
    """A request behind login_required."""

    user: User


class FilesChanged(Exception):
    """A delivery has other files than those that its user was shown."""


def finish_as_shown(delivery: Delivery, shown: Collection[str]) -> None:
    """Finish a delivery if its files are those with the ids that were shown."""
    with transaction.atomic():
        delivery.lock_open()
        there = {str(pk) for pk in delivery.files.values_list("pk", flat=True)}
        if there != set(shown):
            raise FilesChanged(
                "Nothing was handed in: the list of files has changed since you "
                "opened the page. Look again, then hand in."
            )
        delivery.finish()


def changes(
    lookup: str,
) -> Callable[
    [Callable[[UserRequest, Delivery, int], HttpResponse]],
    Callable[..., HttpResponse],
]:
    """Call a view with my delivery, found by the number in the URL, if it is posted.

    Everybody else is led to where they can see what became of it.
    """

    def decorate(
        view: Callable[[UserRequest, Delivery, int], HttpResponse],
    ) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def wrapper(request: UserRequest, pk: int) -> HttpResponse:
            delivery = Delivery.objects.filter(**{lookup: pk}).first()
            if delivery is None:
                text = "Nothing was done: it was removed or abandoned before."
                messages.warning(request, text)
                return redirect("campus:home")
            if not _is_mine(delivery, request.user):
                raise Http404
            # The login page leads here by GET if a POST came after the logout.
            if request.method != "POST":
                text = "You had been logged out, so nothing was done. Do it again."
                messages.warning(request, text)
                return redirect("campus:assignment", delivery.recipient_id)
            return view(request, delivery, pk)

        return wrapper

    return decorate


def _is_mine(delivery: Delivery, user: User) -> bool:
    kind = ContentType.objects.get_for_model(Assignment)
    return (delivery.delivered_by_id, delivery.recipient_type_id) == (user.pk, kind.pk)
