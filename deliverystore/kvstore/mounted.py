"""MountedStore: a store under a prefix of another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from deliverystore.exceptions import StoreReadOnly
from deliverystore.kvstore.base import AbstractStore
from deliverystore.kvstore.changes import Applied, Change, Staged
from deliverystore.kvstore.layers import apply_each, needs_store, put
from deliverystore.kvstore.metadata import Matcher, Metadata
from deliverystore.kvstore.reading import (
    AbstractReadOnlyStore,
    checked_key,
    missing,
)
from deliverystore.kvstore.values import SpooledSource, Value


class MountedStore(AbstractStore):
    """Shows a store under a prefix, in front of another one, which is only read.

    The key mount_point + k is the key k of mount_store if that has it, else a key of
    backing_store. Keys are changed in mount_store; what is changed in part is copied
    there before. Other keys cannot be changed, nor can those be deleted that only
    backing_store has: StoreReadOnly is raised.
    """

    def __init__(
        self,
        mount_point: str,
        mount_store: AbstractStore,
        backing_store: AbstractReadOnlyStore,
    ) -> None:
        super().__init__()
        self.mount_point = checked_key(mount_point)
        if not isinstance(mount_store, AbstractStore):
            raise TypeError(
                "A MountedStore needs a mount_store that can be written to, not "
                f"{mount_store!r}."
            )
        self.mount_store = mount_store
        self.backing_store = needs_store(backing_store, "A MountedStore")

    def connect(self, credentials: object = None) -> None:
        for store in (self.mount_store, self.backing_store):
            if not store.is_connected():
                store.connect(credentials)
        super().connect(credentials)

    def push(self, key: str) -> None:
        """Move a value from mount_store to backing_store, under the whole key.

        It is copied, then deleted. Raise StoreReadOnly if backing_store cannot be
        written to.
        """
        short = self._short(checked_key(key))
        if short is None or not self.mount_store.exists(short):
            raise missing(key)
        if not isinstance(self.backing_store, AbstractStore):
            raise StoreReadOnly(f"{self.backing_store!r} is only read.")
        self.backing_store.set(key, self.mount_store.get(short))
        self.mount_store.delete(short)

    # -- Reading ---------------------------------------------------------------------

    def _read(self, key: str) -> Value:
        store, inner = self._owner(key)
        return store.get(inner)

    def _read_metadata(self, key: str) -> Metadata:
        store, inner = self._owner(key)
        return store.get_metadata(inner)

    def _has(self, key: str) -> bool:
        return self._find(key) is not None

    def _scan(self, matcher: Matcher) -> Iterator[tuple[str, Metadata]]:
        for key, metadata in self.mount_store.query(None, **matcher.wanted):
            yield self.mount_point + key, metadata
        for key, metadata in self.backing_store.query(None, **matcher.wanted):
            if not self._is_hidden(key):
                yield key, metadata

    def _scan_keys(self, matcher: Matcher) -> Iterator[str]:
        for key in self.mount_store.query_keys(**matcher.wanted):
            yield self.mount_point + key
        for key in self.backing_store.query_keys(**matcher.wanted):
            if not self._is_hidden(key):
                yield key

    # -- Writing ---------------------------------------------------------------------

    def _stage(self, chunks: Iterable[bytes]) -> Staged:
        return SpooledSource(chunks)

    def _commit(self, changes: Sequence[Change]) -> list[Applied]:
        with self.mount_store.transaction("A change of a mounted store"):
            return apply_each(changes, self._apply)

    def _apply(self, change: Change) -> Applied | None:
        key, found = change.key, self._find(change.key)
        if found is None and change.required:
            raise missing(key)
        short = self._short(key)
        if short is None:
            raise StoreReadOnly(
                f"{key!r:.200} cannot be changed: only keys that begin with "
                f"{self.mount_point!r} can."
            )
        if not change.is_deletion:
            metadata = put(change, short, self.mount_store, found)
        elif found is None:
            return None
        else:
            metadata = self._delete(key, short)
        return Applied(
            key=key,
            existed=found is not None,
            deleted=change.is_deletion,
            metadata=metadata,
        )

    def _delete(self, key: str, short: str) -> Metadata:
        if not self.mount_store.exists(short):
            raise StoreReadOnly(
                f"{key!r:.200} is in {self.backing_store!r}, which is only read."
            )
        metadata = self.mount_store.get_metadata(short)
        self.mount_store.delete(short)
        return metadata

    def _short(self, key: str) -> str | None:
        """Return a key as the mounted store has it; None if it cannot have it."""
        if not key.startswith(self.mount_point):
            return None
        return key[len(self.mount_point) :]

    def _find(self, key: str) -> tuple[AbstractReadOnlyStore, str] | None:
        short = self._short(key)
        if short is not None and self.mount_store.exists(short):
            return self.mount_store, short
        return (self.backing_store, key) if self.backing_store.exists(key) else None

    def _owner(self, key: str) -> tuple[AbstractReadOnlyStore, str]:
        found = self._find(key)
        if found is None:
            raise missing(key)
        return found

    def _is_hidden(self, key: str) -> bool:
        short = self._short(key)
        return short is not None and self.mount_store.exists(short)
