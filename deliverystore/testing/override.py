"""Another delivery store for a while."""

from __future__ import annotations

from django.test.utils import TestContextDecorator

from deliverystore.backends import DeliveryStoreInterface
from deliverystore.models import FileMeta


class override_delivery_store(TestContextDecorator):  # noqa: N801 - like override_settings
    """Let FileMetas use this store inside a block, a test function or a TestCase.

    What was there before is there again afterwards, also if the block raises.
    """

    def __init__(self, store: DeliveryStoreInterface) -> None:
        super().__init__()
        self._store = store
        self._before: list[DeliveryStoreInterface] = []

    def enable(self) -> DeliveryStoreInterface:
        """Put the store in its place and return it."""
        self._before.append(FileMeta.deliverystore)
        FileMeta.deliverystore = self._store
        return self._store

    def disable(self) -> None:
        """Put the former store back."""
        FileMeta.deliverystore = self._before.pop()
