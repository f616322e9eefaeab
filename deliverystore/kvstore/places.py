"""The storages in which a store in the database may keep data: no public ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings  # noqa: TID251 - where Django's own files are
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, storages

from deliverystore.backends import DeliveryStoreInterface, DjangoStorageDeliveryStore
from deliverystore.backends.handler import load_fallback, load_store
from deliverystore.backends.probing import folder_of
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
            '"OPTIONS": {"root": "/path/to/a/folder"}}. If there is no STORAGES in the '
            "settings, write STORAGES = {**global_settings.STORAGES} before, with that "
            "of django.conf."
        )
    if alias == conf.DELIVERY_STORE_PUBLIC_STORAGE:
        raise SettingInvalid(
            f"STORAGES[{alias!r}] is what DELIVERY_STORE_PUBLIC_STORAGE names: visitors"
            " would see the values in it. Name another one, as in "
            f'DatabaseStore("{VALUES}").'
        )
    return storage_of(alias)


def check_place(alias: str, storage: DeliveryStoreInterface) -> None:
    """Raise SettingInvalid if a storage for data is in the folder of something else.

    There a check of deliveries would take the data for strays, or visitors would see
    it. A folder that is not absolute is another one in each working folder.
    """
    medium = getattr(storage, "storage", storage)
    if isinstance(medium, FileSystemStorage):
        location = str(medium.base_location)
        if not Path(location).is_absolute():
            raise SettingInvalid(
                f"STORAGES[{alias!r}], where values are to be kept, is in the folder "
                f"{location!r}, which is not absolute."
            )
    if _has_deliveries(medium):
        raise SettingInvalid(
            f"STORAGES[{alias!r}] is where deliveries are, and values are to be kept. "
            "Choose another one, or set DELIVERY_STORE_ROOT, the prefix of deliveries."
        )
    if (folder := folder_of(storage)) is None:
        return
    for name, other in _other_folders():
        if folder.is_relative_to(other) or other.is_relative_to(folder):
            raise SettingInvalid(
                f"STORAGES[{alias!r}] ({folder}), where values are to be kept, and "
                f"{name} ({other}) overlap. Choose folders of which none lies in "
                "another."
            )


def _has_deliveries(medium: object) -> bool:
    """Tell whether the delivery store has all of a storage, without a prefix."""
    with suppress(ImproperlyConfigured, TypeError):
        store = load_store()
        if isinstance(store, DjangoStorageDeliveryStore) and not store.root:
            return store.storage is medium
    return False


def _other_folders() -> Iterator[tuple[str, Path]]:
    """Yield the folders in which there must be no data, by name."""
    # What is wrong with the settings of others, the checks say.
    with suppress(ImproperlyConfigured, TypeError):
        if folder := folder_of(load_store()):
            yield "DELIVERY_STORE_ROOT", folder
    with suppress(ImproperlyConfigured, TypeError):
        if (fallback := load_fallback()) and (folder := folder_of(fallback)):
            yield "DELIVERY_STORE_FALLBACK", folder
    if settings.MEDIA_ROOT:
        yield "MEDIA_ROOT", Path(settings.MEDIA_ROOT).resolve()
