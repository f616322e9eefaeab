"""System checks: a wrong setting is said at start, with what to type instead."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import combinations
from pathlib import Path, PurePath
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages

from deliverystore import limits, paths
from deliverystore.backends import (
    DeliveryStoreInterface,
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
    MemoryDeliveryStore,
)
from deliverystore.backends.handler import load_fallback, load_store
from deliverystore.backends.probing import are_the_same, folder_of
from deliverystore.conf import conf
from deliverystore.datacenter import naming, registry
from deliverystore.digests import new_hash
from deliverystore.exceptions import InvalidName, MissingExtra, SettingInvalid
from deliverystore.fsops import Durability
from deliverystore.publishing import public_store
from deliverystore.publishing import registry as media_registry

_BYTES = (
    "DELIVERY_STORE_MAX_FILE_BYTES",
    "DELIVERY_STORE_MAX_DELIVERY_BYTES",
    "DELIVERY_STORE_MAX_FILES",
    "DELIVERY_STORE_USER_QUOTA_BYTES",
    "DELIVERY_STORE_DATACENTER_MAX_FILE_BYTES",
    "DELIVERY_STORE_DATACENTER_MAX_WAITING",
)


@register()
def check_settings(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Check every setting of the app."""
    messages = [
        *_check_store(),
        *_check_digest(),
        *_check_durability(),
        *_check_limits(),
        *_check_extensions(),
        *_check_types(),
        *_check_times(),
        *_check_uploads(),
        *_check_processors(),
        *_check_datacenter(),
        *_check_spools(),
        *_check_publishing(),
    ]
    if any(message.is_serious() for message in messages):
        return messages
    return [*messages, *_check_overlaps(), *_check_public_folder()]


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
    yield from _check_fallback(store)


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
    except (ImproperlyConfigured, TypeError) as error:
        hint = (
            f"Use one of the names in STORAGES: {', '.join(storages.backends)}; "
            "its OPTIONS must be those that the storage takes."
        )
        yield _error(4, f"DELIVERY_STORE_STORAGE: {error}", hint)
        return
    if isinstance(storage, DjangoStorageDeliveryStore):
        hint = "Choose the alias of a storage that has a medium of its own."
        yield _error(4, f"DELIVERY_STORE_STORAGE: {alias!r} wraps a storage.", hint)
    yield from _check_prefix(2, "DELIVERY_STORE_ROOT", "deliveries")


def _check_fallback(store: DeliveryStoreInterface) -> Iterator[CheckMessage]:
    try:
        fallback = load_fallback()
    except SettingInvalid as error:
        hint = f"Use one of the names in STORAGES: {', '.join(storages.backends)}."
        yield _error(13, str(error), hint)
        return
    # A wrong setting of a store has been said.
    with contextlib.suppress(ImproperlyConfigured, TypeError):
        if fallback is not None and are_the_same(store, fallback):
            alias = conf.DELIVERY_STORE_FALLBACK
            message = f"DELIVERY_STORE_FALLBACK: {alias!r} is the store in use."
            yield _error(13, message, "Name the store that was used before, or None.")


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
        lambda one: paths.extension(f"name{one}") == one and "*" not in one,
        '[".pdf", ".txt"]',
    )


def _check_types() -> Iterator[CheckMessage]:
    name = "DELIVERY_STORE_ALLOWED_TYPES"
    yield from _check_patterns(
        9,
        name,
        lambda one: one.count("/") == 1 and one == one.lower(),
        '["application/pdf", "image/*"]',
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
    defaults = {
        "DELIVERY_STORE_ABANDON_AFTER": 7,
        "DELIVERY_STORE_GRACE": 1,
        "DELIVERY_STORE_KEEP_EXPORTS": 7,
    }
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


def _check_datacenter() -> Iterator[CheckMessage]:
    yield from _check_names()
    name = "DELIVERY_STORE_DATACENTER_ROOT"
    alias = conf.DELIVERY_STORE_DATACENTER_STORAGE
    root = getattr(conf, name)
    if alias is None:
        if root is not None and (fault := _fault_of_folder(name)):
            hint = f'Write {name} = "/path/to/a/folder", or None for no data center.'
            yield _error(14, fault, hint)
        return
    if alias not in storages.backends:
        hint = f"Use one of the names in STORAGES: {', '.join(storages.backends)}."
        message = f"DELIVERY_STORE_DATACENTER_STORAGE: {alias!r} is not in STORAGES."
        yield _error(15, message, hint)
    yield from _check_prefix(14, name, "tables")


def _check_spools() -> Iterator[CheckMessage]:
    name = "DELIVERY_STORE_SPOOLS"
    spools: object = conf.DELIVERY_STORE_SPOOLS
    hint = f'Write {name} = {{"scans": "/path/to/a/folder"}}, or None for no spools.'
    if spools is None:
        return
    if not isinstance(spools, dict):
        yield _error(18, f"{name} is {spools!r}, not a dict.", hint)
        return
    for key, folder in spools.items():
        if not isinstance(key, str) or not key.strip() or os.sep in key:
            yield _error(18, f"{name}: {key!r} cannot be a name.", hint)
        elif fault := _fault_of(folder, f"{name}[{key!r}]"):
            yield _error(18, fault, hint)


def _check_publishing() -> Iterator[CheckMessage]:
    name, alias = "DELIVERY_STORE_PUBLIC_STORAGE", conf.DELIVERY_STORE_PUBLIC_STORAGE
    if alias not in storages.backends:
        hint = f"Use one of the names in STORAGES: {', '.join(storages.backends)}."
        yield _error(30, f"{name}: {alias!r} is not in STORAGES.", hint)
    name = "DELIVERY_STORE_WORKBENCH_ROOT"
    if getattr(conf, name) is not None and (fault := _fault_of_folder(name)):
        hint = f'Write {name} = "/path/to/a/folder", or None for a temporary one.'
        yield _error(32, fault, hint)
    for name, found in media_registry.clashes():
        classes = ", ".join(f"{one.__module__}.{one.__qualname__}" for one in found)
        message = f"Several media processors are called {name!r}: {classes}."
        hint = 'Give each a name of its own, such as name = "photo".'
        yield _error(33, message, hint)


def _check_public_folder() -> Iterator[CheckMessage]:
    """Check that what visitors may get is no folder of what they may not."""
    if not media_registry.get_processors() or not public_store.local_storage:
        return
    public = Path(public_store.get_local_path(["name"])).parent.resolve()
    if public == Path.cwd():
        alias = conf.DELIVERY_STORE_PUBLIC_STORAGE
        message = f"STORAGES[{alias!r}], which is to be public, has no folder."
        yield _error(31, message, 'Write MEDIA_ROOT = "/path/to/a/folder".')
        return
    for name, folder in _folders().items():
        if folder.is_relative_to(public) or public.is_relative_to(folder):
            message = f"{name} ({folder}) and the public store ({public}) overlap."
            hint = (
                "Choose folders of which none lies in another: one of them is public."
            )
            yield _error(31, message, hint)


def _check_overlaps() -> Iterator[CheckMessage]:
    """Check that no folder of files lies in another, where its files are strangers."""
    for (name, folder), (other, outer) in combinations(_folders().items(), 2):
        if folder.is_relative_to(outer) or outer.is_relative_to(folder):
            message = f"{name} ({folder}) and {other} ({outer}) overlap."
            yield _error(17, message, "Choose folders of which none lies in another.")


def _folders() -> dict[str, Path]:
    """Return the folders that the settings name; none of them may be wrong."""
    folders = {"DELIVERY_STORE_ROOT": folder_of(load_store())}
    if (fallback := load_fallback()) is not None:
        folders["DELIVERY_STORE_FALLBACK"] = folder_of(fallback)
    names = ["DELIVERY_STORE_UPLOAD_ROOT"]
    if conf.DELIVERY_STORE_DATACENTER_STORAGE is None:
        names.append("DELIVERY_STORE_DATACENTER_ROOT")
    for name in names:
        root = getattr(conf, name)
        folders[name] = None if root is None else Path(root).resolve()
    for name, spool in (conf.DELIVERY_STORE_SPOOLS or {}).items():
        folders[f"DELIVERY_STORE_SPOOLS[{name!r}]"] = Path(spool).resolve()
    return {name: folder for name, folder in folders.items() if folder is not None}


def _check_names() -> Iterator[CheckMessage]:
    name = "DELIVERY_STORE_DATACENTER_MAX_NAME_BYTES"
    limit = getattr(conf, name)
    if not (_is_count(limit) and 0 < limit <= naming.MAX_BYTES):
        message = f"{name} is {limit!r}, not a whole number up to {naming.MAX_BYTES}."
        yield _error(16, message, f"Write {name} = {naming.MAX_BYTES}.")


def _check_prefix(number: int, name: str, example: str) -> Iterator[CheckMessage]:
    """Check a setting that says where in another storage files are."""
    root = getattr(conf, name)
    try:
        paths.clean_folder(os.fspath(root or ""))
    except (InvalidName, TypeError, AttributeError):
        message = f"{name} is a prefix here and cannot be {root!r}."
        hint = f'Write a prefix, such as "{example}", or leave it out.'
        yield _error(number, message, hint)


def _check_processors() -> Iterator[CheckMessage]:
    for name, found in registry.clashes():
        classes = ", ".join(f"{one.__module__}.{one.__qualname__}" for one in found)
        hint = 'Give each a name of its own, such as name = "students".'
        yield _error(20, f"Several processors are called {name!r}: {classes}.", hint)
    for processor in registry.get_processors().values():
        faults = registry.faults(processor)
        for fault in faults:
            hint = "Name fields of the model, and in key_fields and aliases none else."
            yield _error(21, f"{processor.__qualname__}: {fault}", hint)
        if not faults and registry.leaves_save_out(processor):
            yield CheckWarning(
                f"{processor.__qualname__}: the model's own save() will not run.",
                hint="Write use_bulk = False if it must, or use_bulk = True if not.",
                id="deliverystore.W020",
            )


def _fault_of_folder(name: str) -> str:
    """Return why a setting does not name a local folder, or ""."""
    return _fault_of(getattr(conf, name), name)


def _fault_of(root: object, name: str) -> str:
    if not root or not isinstance(root, str | PurePath):
        return f"{name} is {root!r}, not a folder."
    path = Path(root)
    if not path.is_absolute():
        return f"{name}: {str(root)!r} is not absolute."
    # Unlike Path.exists(), it says no where it may not look.
    there = next(filter(os.path.lexists, [path, *path.parents]))
    if "\x00" in str(root) or not os.path.isdir(there):  # noqa: PTH112
        return f"{name}: {str(there)!r} is not a folder."
    return ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
