"""What projects need to test their own stores, and code that hands in files."""

from __future__ import annotations

from deliverystore.testing.exports import assert_export_changes_nothing
from deliverystore.testing.kvmixin import KeyValueStoreTestMixin
from deliverystore.testing.mixin import DeliveryStoreTestMixin, TestDeliveryStoreMixin
from deliverystore.testing.override import override_delivery_store

__all__ = [
    "DeliveryStoreTestMixin",
    "KeyValueStoreTestMixin",
    "TestDeliveryStoreMixin",
    "assert_export_changes_nothing",
    "override_delivery_store",
]
