"""The storages in which a store in the database may keep data: no public ones."""

from __future__ import annotations

from django.core.files.storage import storages

from deliverystore.backends import DeliveryStoreInterface
from deliverystore.conf import conf
from deliverystore.exceptions import SettingInvalid
from deliverystore.models.kvstore import storage_of

# The alias in STORAGES of a store that is not told another one.
VALUES = "values"


def private_storage(alias: str) -> DeliveryStoreInterface:
    """Return the storage that is to get data.

    Raise SettingInvalid if STORAGES has none of this alias, or visitors see what is in
    it. What is there already can still be read: storage_of() does not ask.
    """
    if alias not in storages.backends:
        raise SettingInvalid(
            f"STORAGES has no {alias!r}, where values are to be kept. Write "
            f'STORAGES["{alias}"] = '
            '{"BACKEND": "deliverystore.backends.FsDeliveryStore", '
            '"OPTIONS": {"root": "/path/to/a/folder"}}.'
        )
    if alias == conf.DELIVERY_STORE_PUBLIC_STORAGE:
        raise SettingInvalid(
            f"STORAGES[{alias!r}] is what DELIVERY_STORE_PUBLIC_STORAGE names: visitors"
            " would see the values in it. Name another one, as in "
            f'DatabaseStore("{VALUES}").'
        )
    return storage_of(alias)
