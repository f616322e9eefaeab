"""The contract of a delivery store as a reusable test."""

from __future__ import annotations

from deliverystore.testing.contract import (
    ContentTests,
    RangeTests,
    SafetyTests,
    SharingTests,
    StorageTests,
    WalkTests,
)


class DeliveryStoreTestMixin(
    ContentTests, RangeTests, SafetyTests, SharingTests, StorageTests, WalkTests
):
    """Tests whether a store keeps the contract; needs no database.

    Write one class with one method, which runs under unittest and pytest:

        class TestMyStore(DeliveryStoreTestMixin, SimpleTestCase):
            def get_storageobj(self):
                return MyStore()

    What only some stores can do is asked of those whose capabilities name it.
    """


class TestDeliveryStoreMixin(DeliveryStoreTestMixin):
    """The same under another name; only subclasses of it are run."""

    __test__ = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__test__ = cls.__dict__.get("__test__", True)
