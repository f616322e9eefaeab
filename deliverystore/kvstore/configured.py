"""The stores in folders that the settings name, and a sweep of all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable

from deliverystore.conf import conf
from deliverystore.exceptions import SettingInvalid
from deliverystore.kvstore.filesystem import FileSystemStore
from deliverystore.models.removal import patience

logger = logging.getLogger(__name__)


def get_store(name: str) -> FileSystemStore:
    """Return the store that DELIVERY_STORE_KVSTORES calls so.

    Raise SettingInvalid if there is none of this name, StoreNotFound if its folder is
    no store.
    """
    stores = conf.DELIVERY_STORE_KVSTORES or {}
    if name not in stores:
        raise SettingInvalid(
            f"There is no key-value store {name!r}; DELIVERY_STORE_KVSTORES has: "
            f"{', '.join(stores) or 'none'}."
        )
    return FileSystemStore(stores[name])


def count_leftovers() -> int:
    """Return how many files sweep() would remove now."""
    return _of_each(lambda store: len(store.leftovers(patience())))


def sweep() -> int:
    """Remove what killed writers have left in the stores of the settings.

    It is kept for DELIVERY_STORE_GRACE, an hour at least. Return how many files. One
    that cannot be looked at keeps nobody from the others; then its error is raised.
    """
    return _of_each(lambda store: store.sweep(patience()))


def _of_each(ask: Callable[[FileSystemStore], int]) -> int:
    """Return the sum; raise the first error when all have been asked."""
    count, failures = 0, []
    for name in conf.DELIVERY_STORE_KVSTORES or {}:
        try:
            count += ask(get_store(name))
        except OSError as error:
            failures.append(error)
    for other in failures[1:]:
        logger.error("The sweep of key-value stores was kept from more: %s", other)
    if failures:
        raise failures[0]
    return count
