"""Data in storages that no row names: transactions that were rolled back leave it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import islice, takewhile

from django.core.exceptions import ImproperlyConfigured

from deliverystore.kvstore.database import FOLDER
from deliverystore.models.kvstore import StoredRemoval, StoredValue, storage_of
from deliverystore.models.removal import untouched_since

logger = logging.getLogger(__name__)

# So many names are looked for at once.
_BATCH = 500


def count_strays(unseen: Callable[[str], object] = str) -> int:
    """Return how many strays note_strays() would note now."""
    return sum(1 for _ in _strays(unseen))


def note_strays(unseen: Callable[[str], object] = str) -> int:
    """Note data that no row names for the sweep; return how much there is.

    It is older than DELIVERY_STORE_GRACE, and the sweep waits for as long again. No
    other database may have data in the same storages: it would be taken for strays. A
    storage that cannot be looked at is left out, and logged; unseen is told its alias.
    """
    count, found = 0, _strays(unseen)
    while batch := list(islice(found, _BATCH)):
        count += len(StoredRemoval.objects.bulk_create(batch))
    return count


def _strays(unseen: Callable[[str], object]) -> Iterator[StoredRemoval]:
    for alias in _storages():
        try:
            yield from _strays_in(alias)
        except (OSError, ImproperlyConfigured, NotImplementedError, TypeError) as error:
            text = "Strays may stay in STORAGES[%r]: %s"
            logger.error(text, alias, error)  # noqa: TRY400
            unseen(alias)


def _strays_in(alias: str) -> Iterator[StoredRemoval]:
    names = _names(alias)
    while batch := list(islice(names, _BATCH)):
        # Of whatever alias: two may mean one place, and no name is given twice.
        known = {
            name
            for model in (StoredValue, StoredRemoval)
            for name in model.objects.filter(stored_as__in=batch).values_list(
                "stored_as", flat=True
            )
        }
        for name in batch:
            if name not in known:
                yield StoredRemoval(storage=alias, stored_as=name)


def _names(alias: str) -> Iterator[str]:
    """Yield the names of the data in a storage that was not touched for long."""
    before, folder = untouched_since(), f"{FOLDER}/"
    found = storage_of(alias).walk(folder)
    ours = takewhile(lambda entry: entry.name.startswith(folder), found)
    return (entry.name for entry in ours if entry.modified < before)


def _storages() -> list[str]:
    """Return the aliases of all storages that have data, or had some just now."""
    found = {
        alias
        for model in (StoredValue, StoredRemoval)
        for alias in model.objects.values_list("storage", flat=True).distinct()
    }
    return sorted(found - {""})
