"""The contract of a delivery store, one module a subject."""

from __future__ import annotations

from deliverystore.testing.contract.content import ContentTests
from deliverystore.testing.contract.ranges import RangeTests
from deliverystore.testing.contract.safety import SafetyTests
from deliverystore.testing.contract.sharing import SharingTests
from deliverystore.testing.contract.storage import StorageTests
from deliverystore.testing.contract.walking import WalkTests

__all__ = [
    "ContentTests",
    "RangeTests",
    "SafetyTests",
    "SharingTests",
    "StorageTests",
    "WalkTests",
]
