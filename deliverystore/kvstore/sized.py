"""Open files of which it is known how many bytes they must have."""

from __future__ import annotations

import io
import os
from typing import BinaryIO

from deliverystore.exceptions import FileDamaged


class SizedReader(io.RawIOBase):
    """An open file; FileDamaged is raised where it ends too early, or goes on.

    of says in the error whose bytes these are.
    """

    def __init__(self, file: BinaryIO, size: int, of: str) -> None:
        self._file = file
        self._size = size
        self._of = of
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._file.seek(offset, whence)
        self._position = self._file.tell()
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        chunk = self._checked(self._file.read(len(buffer)))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readall(self) -> bytes:
        found = self._checked(self._file.read())
        # An empty piece is the end.
        return found + self._checked(b"")

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _checked(self, chunk: bytes) -> bytes:
        self._position += len(chunk)
        if not chunk and self._position < self._size:
            raise FileDamaged(
                f"{self._of} ends after {self._position:,} of {self._size:,} bytes."
            )
        if chunk and self._position > self._size:
            raise FileDamaged(f"{self._of} goes on after {self._size:,} bytes.")
        return chunk
