"""The contract of a store that can be read."""

from __future__ import annotations

import fnmatch
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from deliverystore import fsops
from deliverystore.conf import conf
from deliverystore.exceptions import InvalidName, KeyNotFound
from deliverystore.kvstore.events import Progress, is_followed
from deliverystore.kvstore.metadata import Matcher, Metadata, selected
from deliverystore.streams import CHUNK_SIZE, Data, chunks_of

if TYPE_CHECKING:
    from deliverystore.kvstore.values import Value

_SURROGATE = re.compile("[\ud800-\udfff]")


class AbstractReadOnlyStore(ABC):
    """Data and metadata by key, to be read.

    A key is any str that UTF-8 can encode; else InvalidName is raised. Where a key is
    missing, KeyNotFound is raised, a KeyError. A store of your own implements the
    two methods at the end.
    """

    _connected = False

    # -- Do not override ---------------------------------------------------------

    def get(self, key: str) -> Value:
        """Return data and metadata, as they belong together."""
        return self._get(checked_key(key))

    def get_data(self, key: str) -> BinaryIO:
        """Return the data, open for reading; the caller closes it."""
        return self.get(key).data

    def get_data_range(
        self, key: str, start: int | None = None, end: int | None = None
    ) -> BinaryIO:
        """Return the bytes from start up to, not with, end as an open file."""
        return self.get(key).range(start, end)

    def get_metadata(self, key: str, select: Iterable[str] | None = None) -> Metadata:
        """Return the metadata, or of these names what is there, as a fresh dict."""
        return selected(self._get_metadata(checked_key(key)), select)

    def exists(self, key: str) -> bool:
        """Tell whether there is a value."""
        return self._exists(checked_key(key))

    def multiget(self, keys: Iterable[str]) -> Iterator[Value]:
        """Yield what get() returns for each key."""
        return map(self.get, keys)

    def multiget_data(self, keys: Iterable[str]) -> Iterator[BinaryIO]:
        """Yield what get_data() returns for each key."""
        return map(self.get_data, keys)

    def multiget_metadata(
        self, keys: Iterable[str], select: Iterable[str] | None = None
    ) -> Iterator[Metadata]:
        """Yield what get_metadata() returns for each key."""
        names = None if select is None else list(select)
        return (self.get_metadata(key, names) for key in keys)

    def query(
        self, /, select: Iterable[str] | None = None, **exact_matches: object
    ) -> Iterator[tuple[str, Metadata]]:
        """Yield keys and metadata where the metadata has exactly these values.

        select are the names to return; those that are absent are left out. Keys come
        in no certain order, each once. What is changed meanwhile may be seen or not.
        """
        matcher = Matcher(exact_matches)
        names = None if select is None else list(select)
        return ((k, selected(found, names)) for k, found in self._query(matcher))

    def query_keys(self, /, **exact_matches: object) -> Iterator[str]:
        """Yield the keys that query() yields."""
        return self._query_keys(Matcher(exact_matches))

    def glob(self, pattern: str) -> Iterator[str]:
        """Yield the keys that match a pattern of the shell, with stars and brackets.

        A star matches slashes, too; case matters.
        """
        return self._glob(pattern)

    def to_file(
        self, key: str, path: str | Path, buffer_size: int = CHUNK_SIZE
    ) -> None:
        """Write the data to a local file, which is replaced once all of it is there."""
        path = Path(path)
        policy = fsops.Policy(
            root=path.parent,
            durability=fsops.Durability(conf.DELIVERY_STORE_DURABILITY),
        )
        with self.get(key) as data, fsops.new_file(path, policy, replace=True) as file:
            message = f"Saving {key!r} to {path}"
            for chunk in self._chunks(key, data, message, buffer_size):
                file.write(chunk)

    def to_bytes(self, key: str, buffer_size: int = CHUNK_SIZE) -> bytes:
        """Return the data as bytes; for data that fits into memory."""
        with self.get(key) as data:
            message = f"Reading {key!r}"
            return b"".join(self._chunks(key, data, message, buffer_size))

    # -- May override ------------------------------------------------------------

    def connect(self, credentials: object = None) -> None:
        """Get ready; our own stores need neither this nor credentials."""
        self._connected = True

    def disconnect(self) -> None:
        """Let go of what connect() has taken."""
        self._connected = False

    def is_connected(self) -> bool:
        """Tell whether connect() was called, and disconnect() not since then."""
        return self._connected

    def info(self) -> Metadata:
        """Return what is known of the store: its type, and whether it is readonly."""
        return {"type": type(self).__name__, "readonly": True}

    def _get_metadata(self, key: str) -> Metadata:
        value = self._get(key)
        value.close()
        return value.metadata

    def _exists(self, key: str) -> bool:
        try:
            self._get_metadata(key)
        except KeyNotFound:
            return False
        return True

    def _query_keys(self, matcher: Matcher) -> Iterator[str]:
        return (key for key, _ in self._query(matcher))

    def _glob(self, pattern: str) -> Iterator[str]:
        matches = re.compile(fnmatch.translate(pattern)).match
        return filter(matches, self._query_keys(Matcher({})))

    # -- Must implement ----------------------------------------------------------

    @abstractmethod
    def _get(self, key: str) -> Value:
        """Return data and metadata of one moment; raise KeyNotFound."""

    @abstractmethod
    def _query(self, matcher: Matcher) -> Iterator[tuple[str, Metadata]]:
        """Yield, lazily, each key with the metadata that the matcher accepts.

        The metadata is a copy that the caller may change.
        """

    # -- Private -----------------------------------------------------------------

    def _chunks(
        self,
        key: str,
        data: Data,
        message: str,
        size: int,
        metadata: Metadata | None = None,
        steps: int = -1,
    ) -> Iterator[bytes]:
        """Yield data in chunks; tell of it if somebody listens."""
        if size < 1:
            raise ValueError(f"Of {size} bytes at a time, nothing would be read.")
        chunks = chunks_of(data, size)
        if not is_followed(self):
            return chunks
        found = metadata
        if found is None:
            found = self._get_metadata(key) if self._exists(key) else {}
        progress = Progress(
            source=self, key=key, message=message, metadata=found, steps=steps
        )
        return progress.of(chunks)


def checked_key(key: str) -> str:
    """Return the key; raise InvalidName if it is no str, or UTF-8 cannot encode it."""
    if not isinstance(key, str):
        raise InvalidName(f"A key must be a str, not {key!r:.100}.")
    if not key.isascii() and (found := _SURROGATE.search(key)):
        raise InvalidName(
            f"The key {key!r:.100} contains U+{ord(found[0]):04X}, which is no text."
        )
    return key


def missing(key: str) -> KeyNotFound:
    """Return the error to raise when there is no value under a key."""
    return KeyNotFound(f"There is no key {key!r:.200}.")
