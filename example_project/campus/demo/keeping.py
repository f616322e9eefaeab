"""A second store, a damaged file, and how it comes back."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.core.files.storage import storages

from deliverystore.backends import DeliveryStoreInterface, FsHierDeliveryStore
from deliverystore.models import FileMeta
from deliverystore.streams import CHUNK_SIZE


@dataclass(frozen=True, kw_only=True)
class Damage:
    """One byte that was changed behind the back of the store."""

    path: Path
    offset: int
    before: int
    after: int


def first_store() -> FsHierDeliveryStore:
    """Return the store to which students hand in: DELIVERY_STORE_BACKEND."""
    store = FileMeta.deliverystore
    assert isinstance(store, FsHierDeliveryStore)
    return store


def second_store() -> FsHierDeliveryStore:
    """Return the store for copies: one of STORAGES."""
    store = storages["copies"]
    assert isinstance(store, FsHierDeliveryStore)
    return store


def copy_missing(files: Iterable[FileMeta], target: DeliveryStoreInterface) -> int:
    """Copy what the other store lacks, digests checked on the way; return how many."""
    missing = [file for file in files if not target.exists(file)]
    with target.group() as group:
        for file in missing:
            with file.open() as source, target.write_open(file, group=group) as copy:
                shutil.copyfileobj(source, copy, CHUNK_SIZE)
    return len(missing)


def damage(file: FileMeta) -> Damage:
    """Flip the lowest bit of a byte in the middle, as a failing disk might."""
    store = first_store()
    path = Path(store.path(store.name_of(file)))
    offset = file.size // 2
    with path.open("r+b") as opened:
        opened.seek(offset)
        before = opened.read(1)[0]
        opened.seek(offset)
        opened.write(bytes([before ^ 1]))
    return Damage(path=path, offset=offset, before=before, after=before ^ 1)
