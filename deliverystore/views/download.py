"""The download of one file."""

from __future__ import annotations

import logging

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseServerError,
)
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from deliverystore.exceptions import FileDamaged, FileNotFound, SettingInvalid
from deliverystore.models import FileMeta
from deliverystore.views.access import answers_refusals
from deliverystore.views.ranges import requested_range
from deliverystore.views.streaming import FileChunks, protect, stream

logger = logging.getLogger(__name__)


@require_safe
@answers_refusals
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send a file, or a range of it, to who may download it.

    Sent as a whole it is compared with its digest: if it is damaged, the transfer
    breaks off before the end.
    """
    file = FileMeta.objects.get_for(request.user, "download", pk)
    if file.completed is None:
        raise Http404(f"{file.filename!r} is still being received.")
    etag = quote_etag(file.digest)
    modified = int(file.completed.timestamp())
    try:
        response = get_conditional_response(request, etag, modified) or _send(
            request, file, _positions(request, file.size, {etag, http_date(modified)})
        )
    except (OSError, SettingInvalid) as error:
        logger.exception("File %s cannot be downloaded.", file.pk)
        return _not_given_out(file, error)
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = http_date(modified)
    response.headers["Accept-Ranges"] = "bytes"
    protect(response, file.filename)
    return response


def _send(request: HttpRequest, file: FileMeta, positions: range) -> HttpResponseBase:
    """Answer with the bytes at these positions, or to HEAD as if they followed."""
    start, length = positions.start, len(positions)
    if file.size and not length:
        return HttpResponse(
            status=416, headers={"Content-Range": f"bytes */{file.size}"}
        )
    is_whole = length == file.size
    opened = file.open(buffering=0) if is_whole else file.open_range(start, length)
    response: HttpResponseBase
    if request.method == "HEAD":
        opened.close()
        response = HttpResponse(content_type=file.content_type)
    else:
        chunks = FileChunks(opened, length)
        response = stream(request, chunks, file.content_type)
    if not is_whole:
        response.status_code = 206
        span = f"{start}-{start + length - 1}"
        response.headers["Content-Range"] = f"bytes {span}/{file.size}"
    response.headers["Content-Length"] = str(length)
    return response


def _positions(request: HttpRequest, size: int, validators: set[str]) -> range:
    """Return which bytes are asked for: a range, if the file is still the same."""
    header = request.headers.get("Range", "")
    if request.method == "GET" and (
        request.headers.get("If-Range") is None
        or request.headers["If-Range"].strip() in validators
    ):
        return requested_range(header, size)
    return range(size)


def _not_given_out(file: FileMeta, error: Exception) -> HttpResponse:
    """Answer as for any fault of the site: this is none of the person who asks."""
    match error:
        case FileNotFound():
            text = _("“%(file)s” is missing in the store.")
        case FileDamaged():
            text = _("“%(file)s” is damaged in the store, and so it is not given out.")
        case _:
            text = _("“%(file)s” cannot be read at the moment.")
    advice = _("Please tell the people who run this site: they can restore it.")
    return HttpResponseServerError(
        f"{text % {'file': file.filename}} {advice}",
        content_type="text/plain; charset=utf-8",
    )
