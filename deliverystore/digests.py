"""Digests that are computed while data passes, beside the reading and writing."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from deliverystore.exceptions import FileDamaged, MissingExtra, SettingInvalid

# Below this many bytes a thread costs more than it saves.
_THREAD_FROM = 1024 * 1024
# How far hashing may lag behind, in chunks: bounds the memory.
_QUEUED_CHUNKS = 8


class Hash(Protocol):
    """What hashlib and blake3 have in common."""

    def update(self, data: bytes, /) -> object: ...

    def hexdigest(self) -> str: ...


def new_hash(algorithm: str) -> Hash:
    """Return a fresh hash object.

    Raise SettingInvalid for an unknown algorithm, MissingExtra if its package is
    not installed.
    """
    try:
        return ALGORITHMS[algorithm]()
    except (KeyError, TypeError):
        raise SettingInvalid(
            f"{algorithm!r} is no digest algorithm; "
            f"choose one of {', '.join(ALGORITHMS)}."
        ) from None


def digest_bytes(data: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of data in the form "<algorithm>:<hex>"."""
    hash_ = new_hash(algorithm)
    hash_.update(data)
    return f"{algorithm}:{hash_.hexdigest()}"


def algorithm_of(digest: str) -> str:
    """Return the algorithm that a stored digest names before its colon."""
    return digest.partition(":")[0]


class Digester:
    """Computes a digest in a thread of its own while the caller goes on.

    hashlib and blake3 release the interpreter while they work, so that a second
    processor hashes what the first one is writing. Small data is hashed at once.
    A context manager: on leaving it, the thread has ended.
    """

    def __init__(self, algorithm: str = "sha256") -> None:
        self._algorithm = algorithm
        self._hash = new_hash(algorithm)
        self._seen = 0
        self._queue: Queue[bytes | None]
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def update(self, chunk: bytes) -> None:
        """Take the next bytes; waits when hashing lags too far behind."""
        self._seen += len(chunk)
        if self._thread is None:
            if self._seen < _THREAD_FROM:
                self._hash.update(chunk)
                return
            self._queue = Queue(maxsize=_QUEUED_CHUNKS)
            self._thread = Thread(target=self._run, name="digester", daemon=True)
            self._thread.start()
        self._queue.put(chunk)

    def digest(self) -> str:
        """Return "<algorithm>:<hex>" of all bytes so far; none may follow."""
        self.close()
        return f"{self._algorithm}:{self._hash.hexdigest()}"

    def close(self) -> None:
        """Wait until the thread has hashed what it got, and end it."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        for chunk in iter(self._queue.get, None):
            self._hash.update(chunk)


def _blake3() -> Hash:
    try:
        from blake3 import blake3
    except ImportError as error:
        raise MissingExtra("The digest blake3", "blake3") from error
    hash_: Hash = blake3()
    return hash_


ALGORITHMS: dict[str, Callable[[], Hash]] = {
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "blake3": _blake3,
}


class VerifiedReader(io.RawIOBase):
    """Reads a file and compares size and digest when the end is reached.

    The last bytes are given out only if the file is intact; else FileDamaged is
    raised. What is read out of order is not compared.
    """

    def __init__(self, file: BinaryIO, *, digest: str, size: int, what: str) -> None:
        self._file = file
        self._expected = digest
        self._size = size
        self._what = what
        self._position = 0
        self._digester: Digester | None = None
        try:
            self._digester = self._new_digester()
        except SettingInvalid:
            self.close()
            raise

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        position = self._file.seek(offset, whence)
        if position == 0 or position != self._position:
            self._end_digesting()
        if position == 0:
            self._digester = self._new_digester()
        self._position = position
        return position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return self.readall()
        if size == 0:
            return b""
        chunk = self._file.read(size)
        self._position += len(chunk)
        if self._digester is not None:
            self._digester.update(chunk)
            if self._position >= self._size or not chunk:
                self._compare(self._digester.digest())
        return chunk

    def close(self) -> None:
        if not self.closed:
            self._end_digesting()
            self._file.close()
        super().close()

    def _new_digester(self) -> Digester:
        return Digester(algorithm_of(self._expected))

    def _end_digesting(self) -> None:
        if self._digester is not None:
            self._digester.close()
            self._digester = None

    def _compare(self, found: str) -> None:
        if self._position != self._size:
            comparison = "fewer" if self._position < self._size else "more"
            raise FileDamaged(
                f"{self._what} has {comparison} bytes in the store than the "
                f"{self._size:,} that were handed in."
            )
        if found != self._expected:
            raise FileDamaged(
                f"{self._what} was changed in the store: its digest is {found}, "
                f"that of what was handed in {self._expected}."
            )
