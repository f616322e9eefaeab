"""DictMemoryStore: everything in dicts, for tests; it shows what a store has to do."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from django.utils import timezone

from deliverystore.kvstore.base import AbstractStore
from deliverystore.kvstore.changes import Applied, Change
from deliverystore.kvstore.metadata import Matcher, Metadata, copied
from deliverystore.kvstore.reading import missing
from deliverystore.kvstore.values import BytesSource, Value


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """What is under one key."""

    data: BytesSource
    metadata: Metadata
    created: datetime
    modified: datetime = field(default_factory=timezone.now)


class DictMemoryStore(AbstractStore):
    """Keeps data and metadata in the memory of this process, until it ends.

    An object may be shared by threads.
    """

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, _Entry] = {}
        self._writing = threading.Lock()

    def _read(self, key: str) -> Value:
        entry = self._entry(key)
        return Value(
            entry.data,
            entry.metadata,
            created=entry.created,
            modified=entry.modified,
        )

    def _read_metadata(self, key: str) -> Metadata:
        return copied(self._entry(key).metadata)

    def _has(self, key: str) -> bool:
        return key in self._entries

    def _scan(self, matcher: Matcher) -> Iterator[tuple[str, Metadata]]:
        for key, entry in self._entries.copy().items():
            if matcher(entry.metadata):
                yield key, copied(entry.metadata)

    def _stage(self, chunks: Iterable[bytes]) -> BytesSource:
        return BytesSource(b"".join(chunks))

    def _commit(self, changes: Sequence[Change]) -> list[Applied]:
        with self._writing:
            # Of several changes, nobody sees a part; one is one step in any case.
            entries = self._entries if len(changes) == 1 else self._entries.copy()
            applied = [_apply(change, entries) for change in changes]
            self._entries = entries
        return [done for done in applied if done is not None]

    def _entry(self, key: str) -> _Entry:
        try:
            return self._entries[key]
        except KeyError:
            raise missing(key) from None


def _apply(change: Change, entries: dict[str, _Entry]) -> Applied | None:
    """Change a dict; return what was done, or None if that is nothing."""
    key, before = change.key, entries.get(change.key)
    if before is None and change.required:
        raise missing(key)
    if change.is_deletion:
        if before is None:
            return None
        del entries[key]
        return Applied(key=key, existed=True, deleted=True, metadata=before.metadata)
    metadata = change.metadata_after(before.metadata if before else None)
    entries[key] = _Entry(
        data=cast("BytesSource | None", change.data) or _data_before(change, before),
        metadata=metadata,
        created=before.created if before else timezone.now(),
    )
    existed = before is not None
    return Applied(key=key, existed=existed, deleted=False, metadata=copied(metadata))


def _data_before(change: Change, before: _Entry | None) -> BytesSource:
    return BytesSource() if before is None or change.removed else before.data
