"""DatabaseStore: metadata in the database, data in any Django storage."""

from __future__ import annotations

import contextlib
import io
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from django.db import IntegrityError, transaction

from deliverystore.backends import DeliveryStoreInterface
from deliverystore.exceptions import FileNotFound, InvalidName
from deliverystore.kvstore import finding, rows
from deliverystore.kvstore.base import AbstractStore
from deliverystore.kvstore.changes import Applied, Change, Staged
from deliverystore.kvstore.events import StoreEvent, send
from deliverystore.kvstore.metadata import NO_TEXT, Matcher, Metadata
from deliverystore.kvstore.places import VALUES, check_place, private_storage
from deliverystore.kvstore.reading import missing
from deliverystore.kvstore.sized import SizedReader
from deliverystore.kvstore.values import BytesSource, Source, Value
from deliverystore.models.kvstore import StoredRemoval, StoredValue, storage_of

# So many names of data are reserved at once, at most, for a transaction.
_MOST_RESERVED = 500
# Below it is all data in a storage.
FOLDER = "kvstore"
# So long is the name of a store at most, as its column in the database.
_LONGEST_NAME = 100
# How often a commit is tried again when others make the same keys.
_TRIES = 5


class DatabaseStore(AbstractStore):
    """Keeps metadata in rows, where it is found by index, and data in a storage.

    storage is an alias in STORAGES: not that of the delivery store, whose checks would
    take the data for strays, nor the public one, nor one in a folder of these or of
    MEDIA_ROOT; else a change raises SettingInvalid. name tells apart stores in one
    database; it has up to 100 characters. What is done inside a transaction of Django's
    is committed with it. Data that was replaced or deleted is removed by the sweep,
    after the grace period.
    """

    def __init__(self, storage: str = VALUES, name: str = "default") -> None:
        super().__init__()
        self.storage = storage
        self.name = _checked_name(name)
        self._reserved = _Reserved()
        # The storage whose place is known to be right.
        self._checked: DeliveryStoreInterface | None = None

    def __repr__(self) -> str:
        return f"DatabaseStore(storage={self.storage!r}, name={self.name!r})"

    def info(self) -> Metadata:
        return {**super().info(), "storage": self.storage, "name": self.name}

    # -- Reading ---------------------------------------------------------------------

    def _read(self, key: str) -> Value:
        row = self._row(key)
        if row is None:
            raise missing(key)
        return Value(
            _source(row), row.metadata, created=row.created, modified=row.modified
        )

    def _read_metadata(self, key: str) -> Metadata:
        found = finding.by_key(self.name, key).values_list("metadata", flat=True)
        metadata: Metadata | None = found.first()
        if metadata is None:
            raise missing(key)
        return metadata

    def _has(self, key: str) -> bool:
        return finding.by_key(self.name, key).exists()

    def _scan(self, matcher: Matcher) -> Iterator[tuple[str, Metadata]]:
        return finding.found(self.name, matcher)

    def _scan_keys(self, matcher: Matcher) -> Iterator[str]:
        if matcher:
            return super()._scan_keys(matcher)
        return finding.keys(self.name)

    def _glob(self, pattern: str) -> Iterator[str]:
        if self._own.changes:
            return super()._glob(pattern)
        return finding.matching(self.name, pattern)

    def _row(self, key: str) -> StoredValue | None:
        return finding.by_key(self.name, key).first()

    # -- Writing ---------------------------------------------------------------------

    def _stage(self, chunks: Iterable[bytes]) -> StoredData:
        storage = private_storage(self.storage)
        if storage is not self._checked:
            check_place(self.storage, storage)
            self._checked = storage
        data = StoredData(self.storage, self._reserved_name())
        # What the storage may have got although this raises, the sweep finds.
        with storage.write_open(data) as file:
            for chunk in chunks:
                data.size += file.write(chunk)
        return data

    def _commit(self, changes: Sequence[Change]) -> list[Applied]:
        unused = self._reserved.take()
        for tries_left in reversed(range(_TRIES)):
            try:
                with transaction.atomic():
                    return rows.commit(self.name, changes, unused)
            except IntegrityError:
                # Somebody else has just made the same key.
                if not tries_left:
                    raise
        raise AssertionError

    def _discard(self, staged: Sequence[Staged]) -> None:
        """Leave the data to the sweep, which finds what was reserved for it."""
        self._reserved.take()

    def _tell_later(self, events: Sequence[StoreEvent]) -> None:
        def tell() -> None:
            for event in events:
                send(event)

        transaction.on_commit(tell)

    def _reserved_name(self) -> str:
        """Return a name for data, of which the sweep knows until a key has it."""
        own = self._reserved
        if not own.left:
            inside = self._own.changes is not None
            own.count = min(2 * own.count, _MOST_RESERVED) if inside else 1
            own.left = [_new_name() for _ in range(own.count)]
            StoredRemoval.objects.bulk_create(
                StoredRemoval(storage=self.storage, stored_as=name) for name in own.left
            )
        return own.left.pop()


class StoredData:
    """Data in a storage; with what a storage wants to know of a file."""

    pk = delivery_id = None

    def __init__(
        self, storage: str, stored_as: str, size: int = 0, of: str = "a new value"
    ) -> None:
        self.storage = storage
        self.stored_as = stored_as
        self.reserved_as = stored_as
        self.size = size
        self._of = of

    def open(self) -> BinaryIO:
        """Open it; raise FileNotFound if the storage has lost it."""
        with self._named():
            file = storage_of(self.storage).read_open(self)
        return self._sized(file, self.size)

    def open_range(self, start: int, length: int) -> BinaryIO:
        """Open a part of it."""
        with self._named():
            file = storage_of(self.storage).read_range(self, start, length)
        return self._sized(file, max(min(length, self.size - start), 0))

    def close(self) -> None:
        """Do nothing: each reader has opened it by itself."""

    def discard(self) -> None:
        """Do nothing: the sweep finds it."""

    def _sized(self, file: BinaryIO, size: int) -> BinaryIO:
        of = f"The data of {self._of} in STORAGES[{self.storage!r}]"
        return io.BufferedReader(SizedReader(file, size, of))

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say of data that is not there whose it is."""
        try:
            yield
        except FileNotFound as error:
            where = f"is missing in STORAGES[{self.storage!r}]"
            raise FileNotFound(f"The data of {self._of} {where}: {error}") from error


class _Reserved(threading.local):
    """Names that a thread has reserved for data, and not used yet."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.count = 1

    def take(self) -> list[str]:
        left, self.left, self.count = self.left, [], 1
        return left


def _source(row: StoredValue) -> Source:
    if not row.stored_as:
        return BytesSource()
    of = f"{row.plain_key!r:.200} in the store {row.store!r}"
    return StoredData(row.storage, row.stored_as, row.size, of)


def _checked_name(name: object) -> str:
    """Return the name of a store; raise InvalidName if not every database takes it."""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or NO_TEXT.search(name):
        raise InvalidName(
            f"The name of a store is a str of up to {_LONGEST_NAME} characters, "
            f"without NUL and surrogates, not {name!r:.200}."
        )
    return name


def _new_name() -> str:
    name = secrets.token_hex(16)
    return f"{FOLDER}/{name[:2]}/{name[2:4]}/{name}"
