"""The buttons of one publication, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from deliverystore import publishing
from deliverystore.admin.publishing import looks, words
from deliverystore.exceptions import DeliveryStoreError, NotPermitted
from deliverystore.models import Publication
from deliverystore.views.access import answers_refusals

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from deliverystore.models import FileMeta


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
            publish(request, publication.filemeta)
        return self._back_to(pk)

    def off(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take what is public of a file off the site."""
        publication = self._found(request, pk)
        if request.method != "POST":
            return self._back_to(pk)
        publishing.unpublish(publication.filemeta, request.user)
        text = _("Visitors see nothing of %(file)s any more.")
        messages.success(request, text % {"file": publication.filemeta.filename})
        name = f"{self._site.name}:deliverystore_publication_changelist"
        return HttpResponseRedirect(reverse(name))

    def _found(self, request: HttpRequest, pk: int) -> Publication:
        found = Publication.objects.select_related("filemeta__delivery").get(pk=pk)
        if not publishing.may_publish(request.user, found.filemeta):
            raise NotPermitted(f"{request.user} may not publish it.")
        return found

    def _back_to(self, pk: int) -> HttpResponseRedirect:
        name = f"{self._site.name}:deliverystore_publication_change"
        return HttpResponseRedirect(reverse(name, args=[pk]))


def publish(request: HttpRequest, file: FileMeta) -> Publication | None:
    """Publish a file, and say what came of it; a refusal becomes a message."""
    try:
        publication = publishing.publish(file, request.user)
    except NotPermitted:
        raise
    except DeliveryStoreError as error:
        messages.error(request, str(error))
        return None
    words.tell(request, [publication])
    return publication
