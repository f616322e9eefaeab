"""Delivery stores: where the bytes of files are."""

from __future__ import annotations

from deliverystore.backends.base import Capability, DeliveryStoreInterface
from deliverystore.backends.filesystem import FsDeliveryStore, FsHierDeliveryStore
from deliverystore.backends.handler import default_store
from deliverystore.backends.memory import MemoryDeliveryStore
from deliverystore.backends.walking import StoredEntry
from deliverystore.backends.wrapper import DjangoStorageDeliveryStore

__all__ = [
    "Capability",
    "DeliveryStoreInterface",
    "DjangoStorageDeliveryStore",
    "FsDeliveryStore",
    "FsHierDeliveryStore",
    "MemoryDeliveryStore",
    "StoredEntry",
    "default_store",
]
