"""Data with metadata by key, found again by query; several media, one interface."""

from __future__ import annotations

from deliverystore.kvstore.base import AbstractStore
from deliverystore.kvstore.configured import get_store
from deliverystore.kvstore.database import DatabaseStore
from deliverystore.kvstore.events import (
    StoreDeleteEvent,
    StoreProgressEndEvent,
    StoreProgressStartEvent,
    StoreProgressStepEvent,
    StoreSetEvent,
    StoreTransactionEndEvent,
    StoreTransactionStartEvent,
    StoreUpdateEvent,
)
from deliverystore.kvstore.filesystem import FileSystemStore, init_shared_store
from deliverystore.kvstore.joined import JoinedStore
from deliverystore.kvstore.memory import DictMemoryStore
from deliverystore.kvstore.mounted import MountedStore
from deliverystore.kvstore.reading import AbstractReadOnlyStore
from deliverystore.kvstore.values import Value

__all__ = [
    "AbstractReadOnlyStore",
    "AbstractStore",
    "DatabaseStore",
    "DictMemoryStore",
    "FileSystemStore",
    "JoinedStore",
    "MountedStore",
    "StoreDeleteEvent",
    "StoreProgressEndEvent",
    "StoreProgressStartEvent",
    "StoreProgressStepEvent",
    "StoreSetEvent",
    "StoreTransactionEndEvent",
    "StoreTransactionStartEvent",
    "StoreUpdateEvent",
    "Value",
    "get_store",
    "init_shared_store",
]
