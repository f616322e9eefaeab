"""Resumable uploads as tus 1.0.0 describes them (tus.io/protocols/resumable-upload).

With the extensions creation, creation-with-upload, expiration and termination.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from uuid import UUID

from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views import View

from deliverystore import limits, uploads
from deliverystore.conf import conf
from deliverystore.exceptions import (
    DeliveryRefused,
    DeliveryTooLarge,
    FileTooLarge,
    InvalidName,
    LimitExceeded,
    NotPermitted,
    QuotaExceeded,
    UploadBusy,
    UploadNotFound,
    WrongOffset,
)
from deliverystore.models import Delivery, Upload

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"
CONTENT_TYPE = "application/offset+octet-stream"

# 1 PiB: the database can still add up thousands of them.
_MAX_LENGTH = 2**50
_NUMBER = re.compile("[0-9]{1,19}")
# Visible ASCII but the comma, then perhaps a space and Base64.
_METADATA = re.compile("([!-+\\--~]+)(?: ([A-Za-z0-9+/=]*))?")
_UNKNOWN = (Delivery.DoesNotExist, NotPermitted, UploadNotFound)
# The first that fits. Clients try again after 409 and 423 only.
_STATUS: dict[type[Exception], int] = {
    WrongOffset: 409,
    UploadBusy: 423,
    FileTooLarge: 413,
    DeliveryTooLarge: 413,
    QuotaExceeded: 413,
    DeliveryRefused: 422,
    InvalidName: 422,
    LimitExceeded: 422,
}


class _BadRequest(Exception):
    """The request cannot be understood; says which header is at fault."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


class _TusView(View):
    """Looks after what all requests of the protocol have in common."""

    # The bytes of an upload are kept although a request fails in the end.
    @method_decorator(transaction.non_atomic_requests)
    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = self._answer(request, *args, **kwargs)
        response.headers["Tus-Resumable"] = VERSION
        response.headers["Cache-Control"] = "no-store"
        return response

    def options(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponse:
        """Say what this server can do."""
        headers = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS}
        if (max_size := limits.allowance(0, 0).bytes) < _MAX_LENGTH:
            headers["Tus-Max-Size"] = str(max_size)
        return HttpResponse(status=204, headers=headers)

    def _answer(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if not conf.DELIVERY_STORE_UPLOAD_ROOT:
            return _text(_("Large files cannot be uploaded in pieces here."), 404)
        if request.method == "POST":
            # Only here, where the CSRF token has been asked for.
            override = request.headers.get("X-HTTP-Method-Override", "POST")
            request.method = override.upper()
        if request.method != "OPTIONS" and not request.user.is_authenticated:
            return _text(_("Please log in first."), 403)
        version = request.headers.get("Tus-Resumable")
        if request.method != "OPTIONS" and version != VERSION:
            response = _text(f"Tus-Resumable must be {VERSION}.", 412)
            response.headers["Tus-Version"] = VERSION
            return response
        try:
            return super().dispatch(request, *args, **kwargs)
        except _BadRequest as error:
            return _text(str(error), error.status)
        except _UNKNOWN:
            # In the same words, so that nobody learns what others have here.
            return _text(_("There is no such delivery or upload."), 404)
        except tuple(_STATUS) as error:
            statuses = (s for class_, s in _STATUS.items() if isinstance(error, class_))
            return _text(str(error), next(statuses))


class UploadsView(_TusView):
    """Where the upload of a file into a delivery begins."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Create an upload; keep the bytes that come with the request, if any."""
        length = _length(request)
        metadata = request.headers.get("Upload-Metadata", "")
        filename = _filename(metadata)
        body = _Body(request, length)
        upload = uploads.begin(
            Delivery.objects.get(pk=pk), request.user, filename, length, metadata
        )
        # An empty file is complete already.
        if body.is_there or not length:
            uploads.append(upload, request.user, 0, body)
        response = _progress(upload, 201)
        response.headers["Location"] = reverse("deliverystore:upload", args=[upload.pk])
        return response


class UploadView(_TusView):
    """One upload, from its creation until it expires."""

    def head(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Say how many bytes are kept."""
        upload = uploads.find(pk, request.user)
        response = _progress(upload, 200)
        response.headers["Upload-Length"] = str(upload.length)
        response.headers["Upload-Metadata"] = upload.metadata
        return response

    def patch(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Keep the bytes that come, and hand the file in when it is complete."""
        _check_content_type(request)
        offset = _number(request, "Upload-Offset")
        upload = uploads.find(pk, request.user)
        upload.check_offset(offset)
        body = _Body(request, upload.length - offset)
        uploads.append(upload, request.user, offset, body)
        return _progress(upload, 204)

    def delete(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Give the upload up."""
        uploads.terminate(uploads.find(pk, request.user), request.user)
        return HttpResponse(status=204)


class _Body:
    """The bytes of a request, which end where the connection breaks.

    Never request.body, which holds all of them in memory.
    """

    def __init__(self, request: HttpRequest, room: int) -> None:
        self._read = request.read
        if request.headers.get("Content-Length"):
            size = _number(request, "Content-Length")
            if size > room:
                reason = f"Content-Length is {size}, but {room} bytes are missing."
                raise _BadRequest(reason, 413)
            self.is_there = size > 0
        else:
            self.is_there = "Transfer-Encoding" in request.headers
            if self.is_there and isinstance(request, WSGIRequest):
                self._read = _chunked(request)
        if self.is_there:
            _check_content_type(request)

    def read(self, size: int, /) -> bytes:
        try:
            return self._read(size)
        except OSError:
            # The client is gone. What came before is kept, and it asks how much.
            return b""


def _chunked(request: WSGIRequest) -> Any:
    """Return how to read a body of unknown length, which Django takes for empty."""
    if not request.META.get("wsgi.input_terminated"):
        reason = "This server needs Content-Length, not Transfer-Encoding."
        raise _BadRequest(reason, 411)
    return request.META["wsgi.input"].read


def _length(request: HttpRequest) -> int:
    if "Upload-Defer-Length" in request.headers:
        raise _BadRequest("Upload-Defer-Length is not supported: send Upload-Length.")
    return _number(request, "Upload-Length")


def _number(request: HttpRequest, name: str) -> int:
    value = request.headers.get(name, "")
    if not _NUMBER.fullmatch(value) or int(value) > _MAX_LENGTH:
        raise _BadRequest(f"{name} must be a whole number of bytes, not {value!r}.")
    return int(value)


def _filename(metadata: str) -> str:
    """Return the filename that Upload-Metadata gives."""
    values: dict[str, str] = {}
    for pair in metadata.split(",") if metadata else []:
        match = _METADATA.fullmatch(pair.strip(" "))
        if match is None or match[1] in values:
            raise _BadRequest(f"Upload-Metadata: {pair!r} is no new key with Base64.")
        values[match[1]] = match[2] or ""
    try:
        filename = base64.b64decode(values["filename"], validate=True).decode()
    except KeyError as error:
        raise _BadRequest("Upload-Metadata must have a filename.") from error
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _BadRequest(
            "Upload-Metadata: the filename must be UTF-8 in Base64."
        ) from error
    return filename


def _check_content_type(request: HttpRequest) -> None:
    if request.content_type != CONTENT_TYPE:
        reason = f"Content-Type must be {CONTENT_TYPE}, not {request.content_type!r}."
        raise _BadRequest(reason, 415)


def _progress(upload: Upload, status: int) -> HttpResponse:
    """Return a response that says how far an upload is."""
    response = HttpResponse(status=status)
    response.headers["Upload-Offset"] = str(upload.offset)
    if upload.filemeta_id is None:
        response.headers["Upload-Expires"] = http_date(upload.expires.timestamp())
    else:
        response.headers["Deliverystore-File"] = str(upload.filemeta_id)
    return response


def _text(reason: str, status: int) -> HttpResponse:
    return HttpResponse(reason, status=status, content_type="text/plain; charset=utf-8")
