"""Checks of the settings that say where handed-in files are, and how they are kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages

from deliverystore.backends import (
    DeliveryStoreInterface,
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
    MemoryDeliveryStore,
)
from deliverystore.backends.handler import load_fallback, load_store, store_for
from deliverystore.backends.probing import are_the_same, folder_of
from deliverystore.checks.faults import (
    check_named_folders,
    check_prefix,
    fault_of_folder,
    has_no_folder,
    is_count,
    wrong,
)
from deliverystore.conf import conf
from deliverystore.digests import new_hash
from deliverystore.exceptions import MissingExtra, SettingInvalid
from deliverystore.fsops import Durability
from deliverystore.kvstore.places import VALUES


def check_store() -> Iterator[CheckMessage]:
    """Check the store, and the one that it follows."""
    try:
        store = load_store()
    except SettingInvalid as error:
        hint = (
            'Name a class, such as "deliverystore.backends.FsHierDeliveryStore", or a '
            "subclass of deliverystore.backends.DeliveryStoreInterface."
        )
        yield wrong(1, str(error), hint)
        return
    yield from _check_interval()
    if isinstance(store, FsDeliveryStore):
        yield from _check_folder()
    elif isinstance(store, DjangoStorageDeliveryStore):
        yield from _check_storage(store)
    elif isinstance(store, MemoryDeliveryStore):
        yield CheckWarning(
            "DELIVERY_STORE_BACKEND: what is handed in is kept in memory only.",
            hint="Choose another store for anything but tests.",
            id="deliverystore.W001",
        )
    yield from _check_fallback(store)


def _check_folder() -> Iterator[CheckMessage]:
    if fault := fault_of_folder("DELIVERY_STORE_ROOT"):
        hint = 'Write DELIVERY_STORE_ROOT = "/path/to/a/folder" in the settings.'
        yield wrong(2, fault, hint)


def _check_storage(store: DjangoStorageDeliveryStore) -> Iterator[CheckMessage]:
    alias = conf.DELIVERY_STORE_STORAGE
    try:
        storage = store.storage
    except MissingExtra as error:
        yield wrong(4, f"DELIVERY_STORE_STORAGE: {error}", "Install the extra.")
        return
    except (ImproperlyConfigured, TypeError) as error:
        hint = (
            f"Use one of the names in STORAGES: {', '.join(storages.backends)}; "
            "its OPTIONS must be those that the storage takes."
        )
        yield wrong(4, f"DELIVERY_STORE_STORAGE: {error}", hint)
        return
    if isinstance(storage, DjangoStorageDeliveryStore):
        hint = "Choose the alias of a storage that has a medium of its own."
        yield wrong(4, f"DELIVERY_STORE_STORAGE: {alias!r} wraps a storage.", hint)
    yield from check_prefix(2, "DELIVERY_STORE_ROOT", "deliveries")


def _check_fallback(store: DeliveryStoreInterface) -> Iterator[CheckMessage]:
    try:
        fallback = load_fallback()
    except SettingInvalid as error:
        hint = f"Use one of the names in STORAGES: {', '.join(storages.backends)}."
        yield wrong(13, str(error), hint)
        return
    # A wrong setting of a store has been said.
    with contextlib.suppress(ImproperlyConfigured, TypeError):
        if fallback is not None and are_the_same(store, fallback):
            alias = conf.DELIVERY_STORE_FALLBACK
            message = f"DELIVERY_STORE_FALLBACK: {alias!r} is the store in use."
            yield wrong(13, message, "Name the store that was used before, or None.")


def _check_interval() -> Iterator[CheckMessage]:
    interval = conf.DELIVERY_STORE_INTERVAL
    if not is_count(interval) or interval < 1:
        message = (
            f"DELIVERY_STORE_INTERVAL is {interval!r}, not a whole number from 1 on."
        )
        yield wrong(3, message, "Write DELIVERY_STORE_INTERVAL = 1000.")


def check_kvstores() -> Iterator[CheckMessage]:
    """Check the names and folders of the key-value stores."""
    name, what = "DELIVERY_STORE_KVSTORES", "key-value stores"
    yield from check_named_folders(19, name, "artefacts", what)


def check_values() -> Iterator[CheckMessage]:
    """Check the storage in which values are kept, if there is one."""
    if VALUES not in storages.backends:
        return
    name = f"STORAGES[{VALUES!r}]"
    hint = (
        f'Write STORAGES["{VALUES}"] = {{"BACKEND": '
        '"deliverystore.backends.FsDeliveryStore", "OPTIONS": {"root": '
        '"/path/to/a/folder"}}.'
    )
    try:
        folder_of(store_for(VALUES))
    except MissingExtra as error:
        yield wrong(40, f"Values cannot be kept: {error}", "Install the extra.")
        return
    except (ImproperlyConfigured, TypeError) as error:
        yield wrong(40, f"Values cannot be kept: {error}", hint)
        return
    if has_no_folder(storages[VALUES]):
        yield wrong(40, f"{name}, where values are kept, has no folder.", hint)
    if conf.DELIVERY_STORE_PUBLIC_STORAGE == VALUES:
        message = f"DELIVERY_STORE_PUBLIC_STORAGE: {name} is for values, not public."
        yield wrong(40, message, "Name another one of STORAGES in that setting.")


def check_digest() -> Iterator[CheckMessage]:
    """Check that there is such a digest."""
    try:
        new_hash(conf.DELIVERY_STORE_DIGEST)
    except SettingInvalid as error:
        message = f"DELIVERY_STORE_DIGEST: {error}"
        yield wrong(5, message, 'Write DELIVERY_STORE_DIGEST = "sha256".')


def check_durability() -> Iterator[CheckMessage]:
    """Check the word for how durably is written."""
    if (durability := conf.DELIVERY_STORE_DURABILITY) not in list(Durability):
        yield wrong(
            6,
            f"DELIVERY_STORE_DURABILITY is {durability!r}.",
            'Write "full", or "none" where files may be lost, as in tests.',
        )
