"""System checks: a wrong setting is said at start, with what to type instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path, PurePath
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages

from deliverystore import limits
from deliverystore.backends import (
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
    MemoryDeliveryStore,
)
from deliverystore.backends.handler import load_store
from deliverystore.conf import conf
from deliverystore.digests import new_hash
from deliverystore.exceptions import MissingExtra, SettingInvalid
from deliverystore.fsops import Durability

_BYTES = (
    "DELIVERY_STORE_MAX_FILE_BYTES",
    "DELIVERY_STORE_MAX_DELIVERY_BYTES",
    "DELIVERY_STORE_MAX_FILES",
    "DELIVERY_STORE_USER_QUOTA_BYTES",
)


@register()
def check_settings(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Check every setting of the app."""
    return [
        *_check_store(),
        *_check_digest(),
        *_check_durability(),
        *_check_limits(),
        *_check_extensions(),
        *_check_types(),
        *_check_times(),
        *_check_uploads(),
    ]


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"deliverystore.E{number:03}")


def _check_store() -> Iterator[CheckMessage]:
    try:
        store = load_store()
    except SettingInvalid as error:
        hint = (
            'Name a class, such as "deliverystore.backends.FsHierDeliveryStore", or a '
            "subclass of deliverystore.backends.DeliveryStoreInterface."
        )
        yield _error(1, str(error), hint)
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


def _check_folder() -> Iterator[CheckMessage]:
    if fault := _fault_of_folder("DELIVERY_STORE_ROOT"):
        hint = 'Write DELIVERY_STORE_ROOT = "/path/to/a/folder" in the settings.'
        yield _error(2, fault, hint)


def _check_storage(store: DjangoStorageDeliveryStore) -> Iterator[CheckMessage]:
    alias = conf.DELIVERY_STORE_STORAGE
    try:
        storage = store.storage
    except MissingExtra as error:
        yield _error(4, f"DELIVERY_STORE_STORAGE: {error}", "Install the extra.")
        return
    except ImproperlyConfigured as error:
        hint = f"Use one of the names in STORAGES: {', '.join(storages.backends)}."
        yield _error(4, f"DELIVERY_STORE_STORAGE: {error}", hint)
        return
    if isinstance(storage, DjangoStorageDeliveryStore):
        hint = "Choose the alias of a storage that has a medium of its own."
        yield _error(4, f"DELIVERY_STORE_STORAGE: {alias!r} wraps a storage.", hint)
    if PurePath(conf.DELIVERY_STORE_ROOT or "").is_absolute():
        hint = 'Write a prefix, such as "deliveries", or leave it out.'
        message = "DELIVERY_STORE_ROOT is a prefix here and cannot begin with a slash."
        yield _error(2, message, hint)


def _check_interval() -> Iterator[CheckMessage]:
    interval = conf.DELIVERY_STORE_INTERVAL
    if not _is_count(interval) or interval < 1:
        message = (
            f"DELIVERY_STORE_INTERVAL is {interval!r}, not a whole number from 1 on."
        )
        yield _error(3, message, "Write DELIVERY_STORE_INTERVAL = 1000.")


def _check_digest() -> Iterator[CheckMessage]:
    try:
        new_hash(conf.DELIVERY_STORE_DIGEST)
    except SettingInvalid as error:
        message = f"DELIVERY_STORE_DIGEST: {error}"
        yield _error(5, message, 'Write DELIVERY_STORE_DIGEST = "sha256".')


def _check_durability() -> Iterator[CheckMessage]:
    if (durability := conf.DELIVERY_STORE_DURABILITY) not in list(Durability):
        yield _error(
            6,
            f"DELIVERY_STORE_DURABILITY is {durability!r}.",
            'Write "full", or "none" where files may be lost, as in tests.',
        )


def _check_limits() -> Iterator[CheckMessage]:
    for name in _BYTES:
        limit = getattr(conf, name)
        if limit is not None and not (_is_count(limit) and limit >= 0):
            message = f"{name} is {limit!r}, not a whole number."
            yield _error(7, message, f"Write {name} = 1_000_000, or None for no limit.")


def _check_extensions() -> Iterator[CheckMessage]:
    yield from _check_patterns(
        8,
        "DELIVERY_STORE_ALLOWED_EXTENSIONS",
        lambda one: one.startswith(".") and one == one.lower(),
        '[".pdf", ".txt"]',
    )


def _check_types() -> Iterator[CheckMessage]:
    name = "DELIVERY_STORE_ALLOWED_TYPES"
    yield from _check_patterns(
        9, name, lambda one: one.count("/") == 1, '["application/pdf", "image/*"]'
    )
    if getattr(conf, name) is not None:
        try:
            limits.sniff(b"text")
        except SettingInvalid as error:
            yield _error(10, str(error), "Install the extra, or remove the setting.")


def _check_patterns(
    number: int, name: str, is_right: Callable[[str], bool], example: str
) -> Iterator[CheckMessage]:
    value = getattr(conf, name)
    if value is None:
        return
    hint = f"Write {name} = {example}, or None for no limit."
    if not isinstance(value, list | tuple | set | frozenset):
        yield _error(number, f"{name} is {value!r}, not a list.", hint)
        return
    for one in value:
        if not (isinstance(one, str) and is_right(one)):
            yield _error(number, f"{name}: {one!r} cannot match.", hint)


def _check_times() -> Iterator[CheckMessage]:
    defaults = {"DELIVERY_STORE_ABANDON_AFTER": 7, "DELIVERY_STORE_GRACE": 1}
    for name, days in defaults.items():
        value = getattr(conf, name)
        if not isinstance(value, timedelta) or value < timedelta(0):
            hint = f"Write {name} = timedelta(days={days})."
            yield _error(11, f"{name} is {value!r}, not a length of time.", hint)


def _check_uploads() -> Iterator[CheckMessage]:
    name = "DELIVERY_STORE_UPLOAD_ROOT"
    if getattr(conf, name) is not None and (fault := _fault_of_folder(name)):
        hint = f'Write {name} = "/path/to/a/folder", or None for no resumable uploads.'
        yield _error(12, fault, hint)


def _fault_of_folder(name: str) -> str:
    """Return why a setting does not name a local folder, or ""."""
    root = getattr(conf, name)
    if not root or not isinstance(root, str | PurePath):
        return f"{name} is {root!r}, not a folder."
    if not Path(root).is_absolute():
        return f"{name}: {str(root)!r} is not absolute."
    if Path(root).exists() and not Path(root).is_dir():
        return f"{name}: {str(root)!r} is not a folder."
    return ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
