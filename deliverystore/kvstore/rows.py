"""Changes of keys, as rows: all of them in one transaction, few statements for many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, cast

from django.db import connections, router
from django.utils import timezone

from deliverystore.exceptions import StoreBusy
from deliverystore.kvstore.changes import Applied, Change
from deliverystore.kvstore.finding import digest_of, term_of
from deliverystore.kvstore.metadata import Metadata
from deliverystore.kvstore.reading import missing
from deliverystore.models.kvstore import (
    KEY_START_LENGTH,
    StoredRemoval,
    StoredTerm,
    StoredValue,
    stored_key,
)

# Rows a statement; databases bound the number of its parameters.
_BATCH = 500
_FIELDS = ["metadata", "size", "storage", "stored_as", "modified"]


class Data(Protocol):
    """Data in a storage, and the name that was reserved for it."""

    storage: str
    stored_as: str
    reserved_as: str
    size: int


def commit(
    store: str, changes: Sequence[Change], unused: Sequence[str]
) -> list[Applied]:
    """Do changes inside a transaction, and return what was done.

    unused are names that were reserved for data and are not needed.
    """
    _lock_first()
    used = [_data(one).reserved_as for one in changes if one.data is not None]
    if _forget(used) != len(used):
        raise StoreBusy(
            "The place of data was taken longer ago than the grace period, or in a "
            "transaction that was rolled back; nothing was done."
        )
    _forget(unused)
    # In the same order everywhere, so that no two wait for each other.
    ordered = sorted(changes, key=lambda change: digest_of(change.key))
    applied: dict[str, Applied] = {}
    for start in range(0, len(ordered), _BATCH):
        batch = _Batch(store, ordered[start : start + _BATCH])
        applied |= batch.applied()
        batch.write()
    return [applied[change.key] for change in changes if change.key in applied]


class _Batch:
    """Some changes, and the rows that they are about."""

    def __init__(self, store: str, changes: Sequence[Change]) -> None:
        self._store = store
        self._changes = {digest_of(change.key): change for change in changes}
        rows = StoredValue.objects.filter(
            store=store, key_digest__in=list(self._changes)
        )
        locked = rows.select_for_update().order_by("key_digest")
        self._rows = {row.key_digest: row for row in locked}
        self._new: list[StoredValue] = []
        self._changed: list[StoredValue] = []
        self._described: list[StoredValue] = []
        self._gone: list[StoredValue] = []
        self._removals: list[StoredRemoval] = []

    def applied(self) -> dict[str, Applied]:
        """Return what is done; raise KeyNotFound if a key is required, and missing."""
        return {one.key: one for one in self._applied()}

    def _applied(self) -> Iterator[Applied]:
        for digest, change in self._changes.items():
            row = self._rows.get(digest)
            if row is None and change.required:
                raise missing(change.key)
            metadata = {} if row is None else row.metadata
            if not change.is_deletion:
                metadata = self._put(change, digest, row)
            elif row is None:
                continue
            else:
                self._gone.append(row)
                self._let_go(row)
            yield Applied(
                key=change.key,
                existed=row is not None,
                deleted=change.is_deletion,
                metadata=metadata,
            )

    def write(self) -> None:
        """Write the rows."""
        StoredRemoval.objects.bulk_create(self._removals)
        if self._gone:
            StoredValue.objects.filter(pk__in=_keys(self._gone)).delete()
        if self._changed:
            StoredValue.objects.bulk_update(self._changed, _FIELDS)
        if self._described:
            old = StoredTerm.objects.filter(value__in=_keys(self._described))
            old.delete()
        StoredValue.objects.bulk_create(self._new)
        StoredTerm.objects.bulk_create(
            StoredTerm(value=row, term=term_of(self._store, name, value))
            for row in [*self._new, *self._described]
            for name, value in row.metadata.items()
        )

    def _put(self, change: Change, digest: str, row: StoredValue | None) -> Metadata:
        now = timezone.now()
        if row is None:
            key = stored_key(change.key)
            row = StoredValue(
                store=self._store,
                key=key,
                key_digest=digest,
                key_start=key[:KEY_START_LENGTH],
                created=now,
            )
            metadata = row.metadata = change.metadata_after(None)
            self._new.append(row)
        else:
            if change.removed or change.update or change.metadata is not None:
                self._described.append(row)
            metadata = row.metadata = change.metadata_after(row.metadata)
            self._changed.append(row)
        row.modified = now
        if change.data is not None or change.removed:
            self._let_go(row)
            row.storage = row.stored_as = ""
            row.size = 0
        if change.data is not None:
            data = _data(change)
            row.storage, row.stored_as = data.storage, data.stored_as
            row.size = data.size
        return metadata

    def _let_go(self, row: StoredValue) -> None:
        if row.stored_as:
            self._removals.append(
                StoredRemoval(storage=row.storage, stored_as=row.stored_as)
            )


def _data(change: Change) -> Data:
    return cast("Data", change.data)


def _keys(rows: Sequence[StoredValue]) -> list[int]:
    return [row.pk for row in rows]


def _forget(names: Sequence[str]) -> int:
    """Delete reservations; return how many there were."""
    count = 0
    for start in range(0, len(names), _BATCH):
        rows = StoredRemoval.objects.filter(stored_as__in=names[start : start + _BATCH])
        count += rows.delete()[0]
    return count


def _lock_first() -> None:
    """Let a database that locks as a whole do so before anything is read."""
    connection = connections[router.db_for_write(StoredValue)]
    if not connection.features.has_select_for_update:
        StoredValue.objects.filter(pk=0).update(size=0)
