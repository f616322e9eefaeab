"""Whatever a caller hands in as data, as a stream of chunks of bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import BinaryIO, Protocol

CHUNK_SIZE = 1024 * 1024


class Readable(Protocol):
    """Anything with a read method: an open file, a request, a Django File."""

    def read(self, size: int = ..., /) -> bytes | str | None: ...


Data = bytes | bytearray | memoryview | str | Readable | Iterable[bytes | str]


def chunks_of(data: Data, size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """Yield the bytes of data; str is encoded as UTF-8, empty chunks are left out.

    A file is read from where it stands, at most size bytes at a time.
    Raise TypeError if data, or what it yields, is neither bytes nor str.
    """
    for piece in _pieces(data, size):
        chunk = _as_bytes(piece)
        if len(chunk) <= size:
            if chunk:
                yield chunk
            continue
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]


def skip(file: BinaryIO, count: int) -> None:
    """Read and drop count bytes, for files that cannot seek."""
    while count > 0 and (chunk := file.read(min(count, CHUNK_SIZE))):
        count -= len(chunk)


class Section(io.RawIOBase):
    """The next bytes of an open file, as a file that ends after them."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._file.read(min(len(buffer), self._left))
        buffer[: len(chunk)] = chunk
        self._left -= len(chunk)
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _pieces(data: Data, size: int) -> Iterator[bytes | bytearray | memoryview | str]:
    if isinstance(data, (bytes, bytearray, memoryview, str)):
        yield data
    elif hasattr(data, "read"):
        while (piece := data.read(size)) is not None and len(piece):
            yield piece
        if piece is None:
            raise BlockingIOError(
                f"{data!r} has no data ready; hand in a blocking file."
            )
    elif isinstance(data, Iterable):
        yield from data
    else:
        raise TypeError(
            f"data must be a file or an iterable of bytes or str, not {data!r}."
        )


def _as_bytes(piece: object) -> bytes:
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, (bytearray, memoryview)):
        return bytes(piece)
    if isinstance(piece, str):
        return piece.encode()
    raise TypeError(f"data must consist of bytes or str, not {type(piece).__name__}.")


class Discardable(Protocol):
    """A file that can be thrown away instead of being closed."""

    def discard(self) -> None: ...

    def close(self) -> None: ...


class DiscardedOnError:
    """Makes a file's with block throw it away, before it is closed, if it raises."""

    def __exit__(
        self: Discardable,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            self.discard()
        self.close()
