"""Another delivery store for a while."""

from __future__ import annotations

import unittest
from typing import Any

from django.test.utils import TestContextDecorator

from deliverystore.backends import DeliveryStoreInterface
from deliverystore.models import FileMeta


class override_delivery_store(TestContextDecorator):  # noqa: N801 - like override_settings
    """Let FileMetas use this store inside a block, a test function or a TestCase.

    store is a delivery store, or a class of which a new one is made each time. All
    tests of a TestCase share it with its setUpTestData. What was there before is there
    again afterwards, also if something raises.
    """

    def __init__(
        self, store: DeliveryStoreInterface | type[DeliveryStoreInterface]
    ) -> None:
        super().__init__()
        is_class = isinstance(store, type) and issubclass(store, DeliveryStoreInterface)
        if not (is_class or isinstance(store, DeliveryStoreInterface)):
            raise TypeError(f"{store!r} is no delivery store and no class of one.")
        self._store = store
        self._before: list[DeliveryStoreInterface] = []

    def enable(self) -> DeliveryStoreInterface:
        """Put the store in its place and return it."""
        store = self._store() if isinstance(self._store, type) else self._store
        self._before.append(FileMeta.deliverystore)
        FileMeta.deliverystore = store
        return store

    def disable(self) -> None:
        """Put the former store back."""
        FileMeta.deliverystore = self._before.pop()

    def decorate_class(self, cls: Any) -> Any:
        """Let a TestCase use the store from before its setUpTestData to its end."""
        if not issubclass(cls, unittest.TestCase):
            raise TypeError(f"{cls!r} is no TestCase; decorate its functions.")
        set_up = cls.setUpClass.__func__

        def setUpClass(decorated: Any) -> None:
            self.enable()
            decorated.addClassCleanup(self.disable)
            set_up(decorated)

        cls.setUpClass = classmethod(setUpClass)
        return cls
