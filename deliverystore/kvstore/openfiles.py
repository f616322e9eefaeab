"""Files that are opened once, to be read as often as one likes."""

from __future__ import annotations

import contextlib
import io
import os
from typing import BinaryIO

from deliverystore.streams import CHUNK_SIZE, Section


class OpenedFile:
    """An open file: what it holds stays the same whatever becomes of its name.

    Each reader has a place of its own. The descriptor is given back by close(), or
    when the last reader is gone.
    """

    def __init__(self, fd: int, path: str) -> None:
        self.fd = fd
        self.path = path
        try:
            self.status = os.fstat(fd)
        except OSError as error:
            error.filename = path
            raise
        self.size = self.status.st_size

    def content(self) -> bytes:
        """Return all of it."""
        return self.read(self.size, 0) if self.size else b""

    def read(self, size: int, offset: int) -> bytes:
        """Return up to size bytes from offset on."""
        try:
            return os.pread(self.fd, size, offset)
        except OSError as error:
            error.filename = self.path
            raise

    def open(self) -> BinaryIO:
        """Return a reader at the beginning."""
        return io.BufferedReader(_Reader(self), CHUNK_SIZE)

    def open_range(self, start: int, length: int) -> BinaryIO:
        """Return a reader of some bytes."""
        reader = _Reader(self)
        reader.seek(start)
        return io.BufferedReader(Section(io.BufferedReader(reader), length))

    def close(self) -> None:
        """Give the descriptor back; whoever still reads gets an error."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            self.close()


class _Reader(io.RawIOBase):
    """Reads an opened file from its own place."""

    def __init__(self, file: OpenedFile) -> None:
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}
        position = start.get(whence, 0) + offset
        if position < 0:
            raise ValueError(f"There is no byte {position}.")
        self._position = position
        return position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        chunk = self._file.read(len(buffer), self._position)
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def readall(self) -> bytes:
        pieces = []
        left = max(self._file.size - self._position, 1)
        while piece := self._file.read(left, self._position):
            pieces.append(piece)
            self._position += len(piece)
        return b"".join(pieces)
