"""Files that are open for writing: taken when they are closed, or thrown away."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from types import TracebackType
from typing import IO, Protocol, Self

from django.core.files import File

from deliverystore.streams import CHUNK_SIZE, DiscardedOnError


class PendingWrite(Protocol):
    """A binary file that appears in the store, whole, when it is closed."""

    def write(self, data: bytes | str, /) -> int: ...

    def close(self) -> None: ...

    def discard(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class WritingFile(DiscardedOnError, File):
    """A Django File around a pending one."""

    def __init__(self, pending: PendingWrite, name: str, mode: str) -> None:
        file: IO = pending  # type: ignore[assignment]
        if "b" not in mode:
            file = _PendingText(file, encoding="utf-8", write_through=True)
        super().__init__(file, name)
        self.mode = mode
        self._pending = pending

    def discard(self) -> None:
        """Throw away what was written."""
        self._pending.discard()


class _PendingText(io.TextIOWrapper):
    """Text on its way into a pending file, which is thrown away if it is lost."""

    def __del__(self) -> None:
        self.buffer.discard()  # type: ignore[attr-defined]


class SpooledWrite(DiscardedOnError, tempfile.SpooledTemporaryFile):
    """A write that waits in a local temporary file until it is taken as a whole."""

    def __init__(self, take: Callable[[IO], None]) -> None:
        super().__init__(max_size=CHUNK_SIZE)
        self._take = take
        self._is_taken = False

    def write(self, data: bytes | str, /) -> int:  # type: ignore[override]
        return super().write(data.encode() if isinstance(data, str) else data)

    def close(self) -> None:
        # Some storages close what they are given.
        if self.closed or self._is_taken:
            return
        self._is_taken = True
        try:
            self.seek(0)
            self._take(self)
        finally:
            super().close()

    def discard(self) -> None:
        """Throw away what was written."""
        super().close()

    def __del__(self) -> None:
        super().close()
