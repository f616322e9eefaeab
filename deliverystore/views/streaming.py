"""Responses that are sent piece by piece, below WSGI and below ASGI."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Generator, Iterator
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from deliverystore.exceptions import FileDamaged
from deliverystore.streams import CHUNK_SIZE

# Whatever a file contains, no browser is to run it on this site, no proxy to change
# it, no shared cache to keep it.
_PROTECTION = {
    "Cache-Control": "private, no-cache, no-transform",
    # Django's GZipMiddleware would compress the bytes of a range, and take the length.
    "Content-Encoding": "identity",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")

logger = logging.getLogger(__name__)


class FileChunks(Iterator[bytes]):
    """The next size bytes of an open file, which is closed with this.

    The first chunk is read at once, so that what is wrong with it can still be
    answered. Raise FileDamaged if there are fewer bytes.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size
        self._first = self._read()

    def __next__(self) -> bytes:
        try:
            chunk, self._first = self._first or self._read(), b""
        except OSError:
            logger.exception("A download was broken off.")
            raise
        if not chunk:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self) -> bytes:
        try:
            chunk = self._file.read(min(CHUNK_SIZE, self._left))
            if self._left and not chunk:
                raise FileDamaged(f"{self._left:,} bytes are missing.")
        except OSError:
            self.close()
            raise
        self._left -= len(chunk)
        return chunk


class _AsyncChunks(AsyncIterator[bytes]):
    """Chunks that are read in threads, so that the others are not kept waiting."""

    def __init__(self, chunks: FileChunks | Generator[bytes]) -> None:
        self._chunks = chunks

    async def __anext__(self) -> bytes:
        if (chunk := await sync_to_async(self._next)()) is None:
            raise StopAsyncIteration
        return chunk

    def close(self) -> None:
        self._chunks.close()

    def _next(self) -> bytes | None:
        return next(self._chunks, None)


def stream(
    request: HttpRequest, chunks: FileChunks | Generator[bytes], content_type: str
) -> StreamingHttpResponse:
    """Return a response that sends chunks as they come, and closes them."""
    # Below ASGI, Django would first read all of it into memory.
    body = _AsyncChunks(chunks) if isinstance(request, ASGIRequest) else chunks
    return StreamingHttpResponse(body, content_type=content_type)


def protect(response: HttpResponseBase, filename: str) -> None:
    """Let a response be saved under a filename, and do nothing else."""
    for name, value in _PROTECTION.items():
        response.headers[name] = value
    disposition = content_disposition_header(True, _CONTROLS.sub("", filename))  # noqa: FBT003
    response.headers["Content-Disposition"] = disposition
