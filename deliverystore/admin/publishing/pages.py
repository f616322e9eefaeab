"""The buttons of one publication, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect, JsonResponse
from django.urls import path, reverse

from deliverystore import publishing
from deliverystore.admin.publishing import looks
from deliverystore.admin.publishing.acting import publish, take_off
from deliverystore.admin.publishing.asking import whether_to_take_off
from deliverystore.exceptions import NotPermitted
from deliverystore.models import Publication
from deliverystore.views.access import answers_refusals

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern


class PublicationPages:
    """The views below the URL of the list, for staff who are logged in."""

    def __init__(self, page: ModelAdmin) -> None:
        self._page = page
        self._site = page.admin_site

    def urls(self) -> list[URLPattern]:
        """Return the URLs; they go before Django's, which take every path."""
        return [
            path(
                f"<int:pk>/{name}/",
                self._site.admin_view(answers_refusals(view)),
                name=f"deliverystore_publication_{name}",
            )
            for name, view in (
                ("progress", self.progress),
                ("again", self.again),
                ("off", self.off),
            )
        ]

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tell how far a publication is, as JSON."""
        if not self._page.has_view_permission(request):
            raise NotPermitted(f"{request.user} may not see publications.")
        return JsonResponse(looks.progress(Publication.objects.get(pk=pk)))

    def again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have everything made anew."""
        publication = self._found(request, pk)
        if request.method == "POST":
            publish(request, [publication.filemeta])
        return HttpResponseRedirect(self._url("change", pk))

    def off(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask first, then take what is public of a file off the site."""
        found = self._found(request, pk)
        if request.method != "POST":
            back = self._url("change", pk)
            return whether_to_take_off(self._page, request, [found], back=back)
        take_off(request, [found.filemeta])
        return HttpResponseRedirect(self._url("changelist"))

    def _found(self, request: HttpRequest, pk: int) -> Publication:
        found = Publication.objects.select_related("filemeta__delivery").get(pk=pk)
        if not publishing.may_publish(request.user, found.filemeta):
            raise NotPermitted(f"{request.user} may not publish it.")
        return found

    def _url(self, name: str, *args: object) -> str:
        return reverse(f"{self._site.name}:deliverystore_publication_{name}", args=args)
