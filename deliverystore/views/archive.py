"""The download of a delivery as a ZIP."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from deliverystore.archive import Archive, make_archive
from deliverystore.exceptions import MissingExtra
from deliverystore.models import Delivery
from deliverystore.views.access import answers_refusals
from deliverystore.views.streaming import protect, stream


@require_safe
@answers_refusals
def archive(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send all files of a delivery to who may download them."""
    delivery = Delivery.objects.get_for(request.user, "download", pk)
    try:
        return archive_response(request, make_archive([delivery], request.user))
    except MissingExtra as error:
        return HttpResponse(str(error), status=501, content_type="text/plain")


def archive_response(request: HttpRequest, archive: Archive) -> HttpResponseBase:
    """Return a response that sends an archive while it is made."""
    response = stream(request, archive.chunks, "application/zip")
    protect(response, archive.filename)
    return response
