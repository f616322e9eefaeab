"""A value: data, metadata, and what is known of both."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import IO, Any, BinaryIO, Protocol

from deliverystore.kvstore.metadata import Metadata, copied
from deliverystore.streams import CHUNK_SIZE


class Source(Protocol):
    """Bytes that can be read as often as one likes, until it is closed."""

    @property
    def size(self) -> int: ...

    def open(self) -> BinaryIO: ...

    def open_range(self, start: int, length: int) -> BinaryIO: ...

    def close(self) -> None: ...


class Value:
    """What a store has under one key, as it was at one moment.

    It unpacks as (data, metadata). As a context manager it gives its data, and is
    closed at the end. created and modified are aware; None where the medium does not
    keep them.
    """

    def __init__(
        self,
        source: Source,
        metadata: Metadata,
        *,
        created: datetime | None = None,
        modified: datetime | None = None,
    ) -> None:
        self._source = source
        self._metadata = metadata
        self._data: BinaryIO | None = None
        self.created = created
        self.modified = modified

    def __repr__(self) -> str:
        return f"<Value of {self.size} bytes, {self._metadata!r:.100}>"

    @property
    def data(self) -> BinaryIO:
        """The data as an open file, the same one each time."""
        if self._data is None:
            self._data = self._source.open()
        return self._data

    @property
    def metadata(self) -> Metadata:
        """A fresh copy each time."""
        return copied(self._metadata)

    @property
    def size(self) -> int:
        """The number of bytes of the data."""
        return self._source.size

    def range(self, start: int | None = None, end: int | None = None) -> BinaryIO:
        """Return the bytes from start up to, not with, end as an open file.

        None is the beginning, or the end, of the data. Raise ValueError if one is
        negative, or end lies before start.
        """
        first = start or 0
        last = self.size if end is None else end
        if first < 0 or last < 0 or (end is not None and end < first):
            raise ValueError(f"There are no bytes from {start} to {end}.")
        return self._source.open_range(first, max(last - first, 0))

    def with_metadata(self, metadata: Metadata) -> Value:
        """Return a value of the same data with other metadata."""
        return Value(
            self._source, metadata, created=self.created, modified=self.modified
        )

    def close(self) -> None:
        """Close the data; the metadata stays."""
        if self._data is not None:
            self._data.close()
        self._source.close()

    # Any: the type checker cannot tell the first from the second.
    def __iter__(self) -> Iterator[Any]:
        yield self.data
        yield self.metadata

    def __enter__(self) -> BinaryIO:
        return self.data

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class BytesSource:
    """Bytes in memory."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.content)

    def open(self) -> BinaryIO:
        """Return them as a file."""
        return io.BytesIO(self.content)

    def open_range(self, start: int, length: int) -> BinaryIO:
        """Return some of them as a file."""
        return io.BytesIO(self.content[start : start + length])

    def close(self) -> None:
        """Do nothing: memory needs no closing."""

    def discard(self) -> None:
        """Do nothing: what nobody keeps is gone."""


class SpooledSource:
    """Bytes in a temporary file, or in memory while they are few."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=CHUNK_SIZE)  # noqa: SIM115
        try:
            self.size = sum(map(self._file.write, chunks))
        except BaseException:
            self._file.close()
            raise

    def open(self) -> BinaryIO:
        """Return a reader at the beginning."""
        return self.open_range(0, self.size)

    def open_range(self, start: int, length: int) -> BinaryIO:
        """Return a reader of some bytes."""
        return io.BufferedReader(_Window(self._file, start, start + length))

    def close(self) -> None:
        """Do nothing: others may still read."""

    def discard(self) -> None:
        """Let the bytes go."""
        self._file.close()


class _Window(io.RawIOBase):
    """Reads some bytes of a file that others read, too."""

    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self._file = file
        self._position = start
        self._end = end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        self._file.seek(self._position)
        chunk = self._file.read(min(len(buffer), max(self._end - self._position, 0)))
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)
