"""Uploads that are refused while they arrive, not when they fill the disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from deliverystore import limits
from deliverystore.exceptions import LimitExceeded

View = Callable[..., HttpResponse]


def limited_upload(view: View) -> View:
    """Apply the limits of the settings to the files that are posted to a view."""
    protected = csrf_protect(view)

    # The CSRF check reads the upload, so it has to come after the limits.
    @csrf_exempt
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.upload_handlers.insert(0, LimitHandler(request))
        return protected(request, *args, **kwargs)

    return wrapper


def uploaded_files(request: HttpRequest, field: str) -> list[UploadedFile]:
    """Return the files that were posted in a field.

    Raise the LimitExceeded for which the upload was stopped.
    """
    files = request.FILES.getlist(field)
    for handler in request.upload_handlers:
        if isinstance(handler, LimitHandler) and handler.refusal is not None:
            raise handler.refusal
    return files


class LimitHandler(FileUploadHandler):
    """Stops the upload at the first byte that no delivery could take."""

    refusal: LimitExceeded | None = None
    _size = 0
    _files = 0

    def new_file(self, field_name: str, file_name: str, *args: Any) -> None:
        super().new_file(field_name, file_name, *args)
        self._files += 1
        self._allowance = limits.allowance(delivery_size=self._size)
        self._refuse_by(limits.check_filename, file_name)
        self._refuse_by(limits.check_count, self._files)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._refuse_by(self._allowance.check, self.file_name, start + len(raw_data))
        return raw_data

    def file_complete(self, file_size: int) -> None:
        self._size += file_size

    def _refuse_by(self, check: Callable[..., None], *args: object) -> None:
        try:
            check(*args)
        except LimitExceeded as error:
            self.refusal = error
            raise StopUpload from error
