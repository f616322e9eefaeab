"""The contract of a store that can be written to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from deliverystore.exceptions import KeyNotFound
from deliverystore.kvstore.changes import Applied, Change, Staged
from deliverystore.kvstore.events import (
    StoreDeleteEvent,
    StoreEvent,
    StoreSetEvent,
    StoreTransactionEndEvent,
    StoreTransactionStartEvent,
    StoreUpdateEvent,
    send,
)
from deliverystore.kvstore.metadata import Matcher, Metadata, checked, copied
from deliverystore.kvstore.pending import Pending, unused
from deliverystore.kvstore.reading import AbstractReadOnlyStore, checked_key, missing
from deliverystore.kvstore.values import BytesSource, Value
from deliverystore.streams import CHUNK_SIZE, Data

# What set() takes.
Pair = Value | tuple[Data, Mapping[str, object]]


class AbstractStore(AbstractReadOnlyStore):
    """Data and metadata by key, to be read and written.

    Each change is done as a whole or not at all: first the data is put where nobody
    sees it, then everything becomes visible in one step. A transaction collects
    changes for one such step; meanwhile only its own thread sees them. A store of your
    own calls super().__init__(), and implements the four methods at the end.
    """

    def __init__(self) -> None:
        self._own = Pending()

    # -- Do not override ---------------------------------------------------------

    def set(self, key: str, value: Pair, buffer_size: int = CHUNK_SIZE) -> None:
        """Store data and metadata, in place of what is there.

        value is what get() of any store has returned, which is closed then, or a tuple
        of data and a dict. Data is a file that is open for reading bytes, or bytes, or
        an iterable of them.
        """
        if isinstance(value, Value):
            with closing(value):
                self._set(key, value.data, value.metadata, buffer_size, value.size)
            return
        data, metadata = _pair(key, value)
        self._set(key, data, metadata, buffer_size, -1)

    def set_data(self, key: str, data: Data, buffer_size: int = CHUNK_SIZE) -> None:
        """Replace the data; the metadata stays, and is empty for a new key."""
        message = f"Setting {checked_key(key)!r}"
        chunks = self._chunks(key, data, message, buffer_size)
        self._change(Change(key=key, data=self._stage(chunks)))

    def set_metadata(self, key: str, metadata: Mapping[str, object]) -> None:
        """Replace the metadata; the data stays, and is empty for a new key."""
        self._change(Change(key=checked_key(key), metadata=checked(metadata, key)))

    def update_metadata(self, key: str, metadata: Mapping[str, object]) -> None:
        """Put these names and values over the metadata of a key that is there."""
        change = Change(
            key=checked_key(key), update=checked(metadata, key), required=True
        )
        self._change(change)

    def delete(self, key: str) -> None:
        """Remove data and metadata of a key that is there."""
        self._change(Change(key=checked_key(key), removed=True, required=True))

    def multiset(
        self,
        keys: Iterable[str],
        values: Iterable[Pair],
        buffer_size: int = CHUNK_SIZE,
    ) -> None:
        """Do as set() for each key, in one transaction; a surplus is ignored."""
        with self.transaction("Setting several keys"):
            for key, value in zip(keys, values, strict=False):
                self.set(key, value, buffer_size)

    def multiset_data(
        self,
        keys: Iterable[str],
        datas: Iterable[Data],
        buffer_size: int = CHUNK_SIZE,
    ) -> None:
        """Do as set_data() for each key, in one transaction; a surplus is ignored."""
        with self.transaction("Setting the data of several keys"):
            for key, data in zip(keys, datas, strict=False):
                self.set_data(key, data, buffer_size)

    def multiset_metadata(
        self, keys: Iterable[str], metadatas: Iterable[Mapping[str, object]]
    ) -> None:
        """Do as set_metadata() for each, in one transaction; a surplus is ignored."""
        with self.transaction("Setting the metadata of several keys"):
            for key, metadata in zip(keys, metadatas, strict=False):
                self.set_metadata(key, metadata)

    def multiupdate_metadata(
        self, keys: Iterable[str], metadatas: Iterable[Mapping[str, object]]
    ) -> None:
        """Do as update_metadata() for each in one transaction; a surplus is ignored."""
        with self.transaction("Updating the metadata of several keys"):
            for key, metadata in zip(keys, metadatas, strict=False):
                change = Change(
                    key=checked_key(key), update=checked(metadata, key), required=True
                )
                # Whether all are there is asked once, at the end.
                self._change(change, late=True)

    def from_file(
        self, key: str, path: str | Path, buffer_size: int = CHUNK_SIZE
    ) -> None:
        """Do as set_data() with the content of a local file."""
        with Path(path).open("rb") as file:
            self.set_data(key, file, buffer_size)

    def from_bytes(self, key: str, data: bytes, buffer_size: int = CHUNK_SIZE) -> None:
        """Do as set_data() with bytes."""
        self.set_data(key, data, buffer_size)

    @contextmanager
    def transaction(self, notes: str = "") -> Iterator[None]:
        """Let all changes in a block be done together when it ends, or none.

        An exception undoes them all. Blocks can be nested: an inner one that raises
        undoes its own changes, and the outermost one commits. It is no lock: changes
        of others are seen meanwhile. A key that was there when it was updated or
        deleted, and is gone at the end, raises KeyNotFound, and nothing is done.
        """
        if self._own.changes is not None:
            with self._own.inner():
                yield
            return
        self._tell(StoreTransactionStartEvent(source=self, notes=notes))
        failed = StoreTransactionEndEvent(source=self, notes=notes, state="failed")
        try:
            with self._own.outermost() as staged:
                try:
                    yield
                except BaseException:
                    self._discard(staged)
                    raise
                changes = self._own.all_changes()
            applied = self._commit(changes)
            self._discard(unused(staged, changes))
        except BaseException:
            self._tell(failed)
            raise
        done = StoreTransactionEndEvent(source=self, notes=notes, state="done")
        self._tell_later([done, *map(self._event, applied)])

    def info(self) -> Metadata:
        return {"type": type(self).__name__, "readonly": False}

    # -- May override ------------------------------------------------------------

    def _discard(self, staged: Sequence[Staged]) -> None:
        """Throw away data of a transaction that nobody wants any more."""
        for one in staged:
            one.discard()

    def _tell_later(self, events: Sequence[StoreEvent]) -> None:
        """Send events of what was committed, once it is durable."""
        for event in events:
            send(event)

    def _read_metadata(self, key: str) -> Metadata:
        """Return a copy of the committed metadata; raise KeyNotFound."""
        value = self._read(key)
        value.close()
        return value.metadata

    def _has(self, key: str) -> bool:
        """Tell whether a committed value is there."""
        try:
            self._read_metadata(key)
        except KeyNotFound:
            return False
        return True

    def _scan_keys(self, matcher: Matcher) -> Iterator[str]:
        """Yield the keys that _scan() yields."""
        return (key for key, _ in self._scan(matcher))

    # -- Must implement ----------------------------------------------------------

    @abstractmethod
    def _read(self, key: str) -> Value:
        """Return the committed data and metadata of one moment; raise KeyNotFound."""

    @abstractmethod
    def _scan(self, matcher: Matcher) -> Iterator[tuple[str, Metadata]]:
        """Yield, lazily, committed keys with metadata that the matcher accepts."""

    @abstractmethod
    def _stage(self, chunks: Iterable[bytes]) -> Staged:
        """Store data where nobody sees it; leave nothing if chunks raises."""

    @abstractmethod
    def _commit(self, changes: Sequence[Change]) -> list[Applied]:
        """Do changes of different keys in one step, durably, and return what was done.

        Raise KeyNotFound, and do nothing, if a key that is required is missing. Data
        is discarded if it is certain that nothing was done.
        """

    # -- Private: what is seen inside a transaction ----------------------------------

    def _get(self, key: str) -> Value:
        change = self._own.change_of(key)
        if change is None:
            return self._read(key)
        if change.is_deletion:
            raise missing(key)
        before = self._before(change)
        metadata = change.metadata_after(before.metadata if before else None)
        if change.data is None and before is not None:
            return before.with_metadata(metadata)
        return Value(change.data or BytesSource(), metadata)

    def _get_metadata(self, key: str) -> Metadata:
        change = self._own.change_of(key)
        if change is None:
            return self._read_metadata(key)
        if change.is_deletion:
            raise missing(key)
        if change.metadata is not None or change.removed:
            return copied(change.metadata_after(None))
        try:
            return copied(change.metadata_after(self._read_metadata(key)))
        except KeyNotFound:
            if change.makes:
                return copied(change.metadata_after(None))
            raise

    def _exists(self, key: str) -> bool:
        change = self._own.change_of(key)
        if change is None:
            return self._has(key)
        return change.makes or (not change.removed and self._has(key))

    def _query(self, matcher: Matcher) -> Iterator[tuple[str, Metadata]]:
        if not self._own.changes:
            yield from self._scan(matcher)
            return
        changed = [change.key for change in self._own.all_changes()]
        for key, metadata in self._scan(matcher):
            if self._own.change_of(key) is None:
                yield key, metadata
        for key in changed:
            if self._exists(key) and matcher(metadata := self._get_metadata(key)):
                yield key, metadata

    def _query_keys(self, matcher: Matcher) -> Iterator[str]:
        if self._own.changes:
            return (key for key, _ in self._query(matcher))
        return self._scan_keys(matcher)

    def _before(self, change: Change) -> Value | None:
        """Return the committed value on which a change is done, if there is one."""
        if change.removed:
            return None
        try:
            return self._read(change.key)
        except KeyNotFound:
            if change.makes:
                return None
            raise

    # -- Private: how changes are done -----------------------------------------------

    def _set(
        self,
        key: str,
        data: Data,
        metadata: Mapping[str, object],
        buffer_size: int,
        size: int,
    ) -> None:
        message = f"Setting {checked_key(key)!r}"
        found = checked(metadata, key)
        chunks = self._chunks(key, data, message, buffer_size, found, size)
        self._change(Change(key=key, data=self._stage(chunks), metadata=found))

    def _change(self, change: Change, *, late: bool = False) -> None:
        """Do a change, at once or when the transaction ends.

        late says that a required key may be found missing as late as that.
        """
        if self._own.changes is None:
            self._tell_later([*map(self._event, self._commit([change]))])
            return
        late = late and self._own.change_of(change.key) is None
        if change.required and not late and not self._exists(change.key):
            raise missing(change.key)
        self._own.add(change)

    def _event(self, applied: Applied) -> StoreEvent:
        kind: type[StoreDeleteEvent | StoreSetEvent | StoreUpdateEvent]
        if applied.deleted:
            kind = StoreDeleteEvent
        else:
            kind = StoreUpdateEvent if applied.existed else StoreSetEvent
        return kind(source=self, key=applied.key, metadata=applied.metadata)

    def _tell(self, event: StoreEvent) -> None:
        send(event)


def _pair(key: str, value: object) -> tuple[Data, Mapping[str, object]]:
    """Return data and metadata; if it is no pair, raise TypeError with the key."""
    # Two bytes, and a file of two lines, would unpack.
    is_data = isinstance(value, bytes | bytearray | str) or hasattr(value, "read")
    try:
        pair = () if is_data else value
        data, metadata = cast("tuple[Data, Mapping[str, object]]", pair)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Setting {key!r:.200}: a value is (data, metadata), such as a file and a "
            f"dict, not {value!r:.100}."
        ) from error
    return data, metadata
