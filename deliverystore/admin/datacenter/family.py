"""What the pages of one family share: how they are shown, and what refusals become."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.shortened import shown
from deliverystore.exceptions import (
    DeliveryStoreError,
    FileNotFound,
    InvalidName,
    NotPermitted,
    SettingInvalid,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from django.urls import URLPattern

    from deliverystore.admin.datacenter.base import DataCenterPages
    from deliverystore.views.access import View

Family = TypeVar("Family", bound="PageFamily")

TEMPLATES = "admin/deliverystore/datacenter"
# Of a text that comes from a file, so much is shown.
MAX_SHOWN = 500
# File systems take 255 bytes; deleted/finished/N.csv has three parts.
MAX_PART_BYTES = 255
MAX_PARTS = 10
_STATUS: dict[type, int] = {
    FileNotFound: 404,
    InvalidName: 404,
    SettingInvalid: 503,
    StoreUnavailable: 503,
}


class PageFamily:
    """Pages that belong together, each a method which takes a request.

    home is the page to which somebody goes back after something was done.
    """

    home = "changelist"

    def __init__(self, admin: DataCenterPages) -> None:
        self.admin = admin

    def views(self) -> Iterable[tuple[str, View, str]]:
        """Return route, view and name of each page."""
        raise NotImplementedError

    def urls(self) -> list[URLPattern]:
        """Return the URLs of the pages."""
        return [
            self.admin.path(route, self._answering(view), name)
            for route, view, name in self.views()
        ]

    def show(
        self,
        request: HttpRequest,
        template: str,
        title: str,
        *,
        tab: str = "",
        status: int = 200,
        **context: Any,
    ) -> TemplateResponse:
        """Return a page that extends datacenter/base.html."""
        whole = {**self.admin.page_context(request, tab, title), **context}
        name = f"{TEMPLATES}/{template}"
        return TemplateResponse(request, name, whole, status=status)

    def redirect(
        self, name: str, query: Iterable[tuple[str, str]] = ()
    ) -> HttpResponseRedirect:
        """Return a redirection to one of the pages."""
        return HttpResponseRedirect(self.url(name, query))

    def url(self, name: str, query: Iterable[tuple[str, str]] = ()) -> str:
        """Return the address of one of the pages."""
        found = urlencode(list(query))
        return f"{self.admin.url(name)}?{found}" if found else self.admin.url(name)

    def _answering(self, view: View) -> View:
        """Let what a service refuses become a message or a page, never a fault."""

        @wraps(view)
        def wrapped(request: HttpRequest) -> HttpResponseBase:
            try:
                return view(request)
            except NotPermitted:
                raise
            except DeliveryStoreError as error:
                if request.method == "POST":
                    messages.error(request, reason(error))
                    return self.redirect(self.home)
                return self._problem(request, error)

        return wrapped

    def _problem(
        self, request: HttpRequest, error: DeliveryStoreError
    ) -> TemplateResponse:
        known = [_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS]
        status = known[0] if known else 400
        title = _("Not found") if isinstance(error, FileNotFound) else _("Not possible")
        return self.show(
            request, "problem.html", title, status=status, problem=reason(error)
        )


def attempted(request: HttpRequest, action: Callable[[], object]) -> bool:
    """Do something; a refusal becomes a message. Return whether it was done."""
    try:
        action()
    except NotPermitted:
        raise
    except DeliveryStoreError as error:
        messages.error(request, reason(error))
        return False
    return True


def reason(error: DeliveryStoreError) -> str:
    """Return what a page says of a refusal."""
    if isinstance(error, FileNotFound):
        return _(
            "There is no such file, or it is there no longer: perhaps somebody has "
            "imported or deleted it meanwhile."
        )
    return shown(str(error), MAX_SHOWN)


def named(path: str) -> str:
    """Return the path that an address names, if a file can have it.

    Raise FileNotFound if none is named, or one that no file system takes.
    """
    parts = path.encode(errors="replace").split(b"/")
    is_none = not path or "\0" in path
    if is_none or max(map(len, parts)) > MAX_PART_BYTES or len(parts) > MAX_PARTS:
        raise FileNotFound("No file was named, or none that there can be.")
    return path


def post_only(
    view: Callable[[Family, HttpRequest], HttpResponseBase],
) -> Callable[[Family, HttpRequest], HttpResponseBase]:
    """Send whoever comes otherwise back: to log in again leads to here by GET."""

    @wraps(view)
    def wrapped(family: Family, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST":
            return family.redirect(family.home)
        return view(family, request)

    return wrapped
