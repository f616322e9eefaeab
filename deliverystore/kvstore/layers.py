"""Changes of a store that is made of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from deliverystore.kvstore.base import AbstractStore
from deliverystore.kvstore.changes import Applied, Change
from deliverystore.kvstore.metadata import Metadata
from deliverystore.kvstore.reading import AbstractReadOnlyStore


def needs_store(store: object, who: str) -> AbstractReadOnlyStore:
    """Return a store; raise TypeError if it is none, and say who needs it."""
    if not isinstance(store, AbstractReadOnlyStore):
        raise TypeError(f"{who} is made of stores, not of {store!r:.100}.")
    return store


def apply_each(
    changes: Sequence[Change], apply: Callable[[Change], Applied | None]
) -> list[Applied]:
    """Apply changes, return what was done, and let their data go: it is copied."""
    try:
        return list(filter(None, map(apply, changes)))
    finally:
        for change in changes:
            if change.data is not None:
                change.data.discard()


def put(
    change: Change,
    key: str,
    target: AbstractStore,
    found: tuple[AbstractReadOnlyStore, str] | None,
) -> Metadata:
    """Do a change under a key of the target, and return the metadata afterwards.

    found is where the value is that is changed, and under which key; None if there is
    none. What the change leaves is copied if it is not in the target.
    """
    if change.removed:
        found = None
    before = None if found is None else found[0].get_metadata(found[1])
    metadata = change.metadata_after(before)
    if change.data is not None:
        with change.data.open() as data:
            target.set(key, (data, metadata))
    elif found is None:
        target.set(key, (b"", metadata))
    elif found == (target, key):
        target.set_metadata(key, metadata)
    else:
        with closing(found[0].get(found[1])) as value:
            target.set(key, (value.data, metadata))
    return metadata
