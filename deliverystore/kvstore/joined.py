"""JoinedStore: several stores as one; the first that has a key wins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

from deliverystore.exceptions import StoreReadOnly
from deliverystore.kvstore.base import AbstractStore
from deliverystore.kvstore.changes import Applied, Change, Staged
from deliverystore.kvstore.layers import apply_each, needs_store, put
from deliverystore.kvstore.metadata import Matcher, Metadata
from deliverystore.kvstore.reading import AbstractReadOnlyStore, missing
from deliverystore.kvstore.values import SpooledSource, Value


class JoinedStore(AbstractStore):
    """Reads from the first of several stores that has a key, and writes to the first.

    What is changed in part is copied there before. A key is deleted from the first
    store that has it; if a later one has it, too, that is seen then. The first store
    is an AbstractStore, the others may be read-only.
    """

    def __init__(self, stores: Sequence[AbstractReadOnlyStore]) -> None:
        super().__init__()
        if isinstance(stores, AbstractReadOnlyStore):
            raise TypeError(f"A JoinedStore takes a list of stores, not {stores!r}.")
        if not stores or not isinstance(stores[0], AbstractStore):
            raise ValueError(
                "A JoinedStore needs a first store that can be written to."
            )
        self.stores = [needs_store(store, "A JoinedStore") for store in stores]
        self._first = stores[0]

    def connect(self, credentials: object = None) -> None:
        for store in self.stores:
            if not store.is_connected():
                store.connect(credentials)
        super().connect(credentials)

    # -- Reading ---------------------------------------------------------------------

    def _read(self, key: str) -> Value:
        return self._owner(key).get(key)

    def _read_metadata(self, key: str) -> Metadata:
        return self._owner(key).get_metadata(key)

    def _has(self, key: str) -> bool:
        return any(store.exists(key) for store in self.stores)

    def _scan(self, matcher: Matcher) -> Iterator[tuple[str, Metadata]]:
        for number, store in enumerate(self.stores):
            for key, metadata in store.query(None, **matcher.wanted):
                if not self._is_hidden(key, number):
                    yield key, metadata

    def _scan_keys(self, matcher: Matcher) -> Iterator[str]:
        for number, store in enumerate(self.stores):
            for key in store.query_keys(**matcher.wanted):
                if not self._is_hidden(key, number):
                    yield key

    # -- Writing ---------------------------------------------------------------------

    def _stage(self, chunks: Iterable[bytes]) -> Staged:
        return SpooledSource(chunks)

    def _commit(self, changes: Sequence[Change]) -> list[Applied]:
        with ExitStack() as stack:
            for store in self._writable(changes):
                stack.enter_context(store.transaction("A change of joined stores"))
            return apply_each(changes, self._apply)

    def _apply(self, change: Change) -> Applied | None:
        key = change.key
        owner = self._find(key)
        if owner is None and change.required:
            raise missing(key)
        if not change.is_deletion:
            metadata = put(
                change, key, self._first, None if owner is None else (owner, key)
            )
        elif owner is None:
            return None
        else:
            metadata = owner.get_metadata(key)
            _writable(owner, key).delete(key)
        return Applied(
            key=key,
            existed=owner is not None,
            deleted=change.is_deletion,
            metadata=metadata,
        )

    def _writable(self, changes: Sequence[Change]) -> list[AbstractStore]:
        """Return the stores that take part: the first, and those of deleted keys."""
        owners = [self._find(one.key) for one in changes if one.is_deletion]
        stores = dict.fromkeys([self._first, *owners])
        return [store for store in stores if isinstance(store, AbstractStore)]

    def _find(self, key: str) -> AbstractReadOnlyStore | None:
        return next((store for store in self.stores if store.exists(key)), None)

    def _owner(self, key: str) -> AbstractReadOnlyStore:
        store = self._find(key)
        if store is None:
            raise missing(key)
        return store

    def _is_hidden(self, key: str, number: int) -> bool:
        return any(store.exists(key) for store in self.stores[:number])


def _writable(store: AbstractReadOnlyStore, key: str) -> AbstractStore:
    if isinstance(store, AbstractStore):
        return store
    raise StoreReadOnly(f"{key!r:.200} is in {store!r}, which is only read.")
