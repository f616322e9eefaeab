"""What all pages of the data center have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import URLPattern, path, reverse

from deliverystore.admin.datacenter import tabs
from deliverystore.admin.readonly import ReadOnlyAdmin
from deliverystore.exceptions import NotPermitted
from deliverystore.models import DataFileInfo
from deliverystore.views.access import View, answers_refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise


class DataCenterPages(ReadOnlyAdmin):
    """An admin on one or more tabs of the data center.

    Its menu entry and its pages are for those who see one of its tabs; what may be
    done on a page is asked in the services.
    """

    # The names of its tabs, that of its list first.
    tabs: tuple[str, ...] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(
        self, request: HttpRequest, obj: object | None = None
    ) -> bool:
        return any(tabs.may_see(request.user, name) for name in self.tabs)

    def has_delete_permission(
        self, request: HttpRequest, obj: object | None = None
    ) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        context = {**self.tab_context(request, self.tabs[0]), **(extra_context or {})}
        return super().changelist_view(request, context)

    def tab_context(self, request: HttpRequest, tab: str) -> dict[str, Any]:
        """Return what the navigation needs. Raise NotPermitted if it is not theirs."""
        if not tabs.may_see(request.user, tab):
            raise NotPermitted(f"{request.user} may not see this page.")
        return {"tabs": tabs.tabs_for(request.user, self.admin_site.name, tab)}

    def page_context(
        self, request: HttpRequest, tab: str, title: _StrPromise | str
    ) -> dict[str, Any]:
        """Return what a page needs that extends datacenter/base.html."""
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            **self.tab_context(request, tab),
            "title": title,
            "opts": self.opts,
            "center_opts": DataFileInfo._meta,
            "media": self.media,
        }

    def path(self, route: str, view: View, name: str) -> URLPattern:
        """Return the URL of a page, for staff who are logged in to the admin.

        Its name is "deliverystore_MODEL_NAME".
        """
        protected = self.admin_site.admin_view(answers_refusals(view))
        return path(route, protected, name=self._name_of(name))

    def url(self, name: str, *args: object) -> str:
        """Return the address of one of these pages."""
        return reverse(f"{self.admin_site.name}:{self._name_of(name)}", args=args)

    def _name_of(self, name: str) -> str:
        return f"deliverystore_{self.opts.model_name}_{name}"
