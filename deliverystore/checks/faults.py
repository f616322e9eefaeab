"""What the checks have in common: errors with hints, folders, numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage, Storage, storages

from deliverystore import paths
from deliverystore.backends.handler import store_for
from deliverystore.conf import conf
from deliverystore.exceptions import InvalidName, MissingExtra, SettingInvalid


def wrong(number: int, message: str, hint: str) -> Error:
    """Return an error: what is wrong, and what to type instead."""
    return Error(message, hint=hint, id=f"deliverystore.E{number:03}")


def check_prefix(number: int, name: str, example: str) -> Iterator[CheckMessage]:
    """Check a setting that says where in another storage files are."""
    root = getattr(conf, name)
    try:
        paths.clean_folder(os.fspath(root or ""))
    except (InvalidName, TypeError, AttributeError):
        message = f"{name} is a prefix here and cannot be {root!r}."
        hint = f'Write a prefix, such as "{example}", or leave it out.'
        yield wrong(number, message, hint)


def check_alias(number: int, name: str) -> Iterator[CheckMessage]:
    """Check a setting that names one of STORAGES, and that this can be made."""
    try:
        store_for(getattr(conf, name))
    except MissingExtra as error:
        yield wrong(number, f"{name}: {error}", "Install the extra.")
    except SettingInvalid as error:
        hint = (
            f"Use one of the names in STORAGES: {', '.join(storages.backends)}; "
            "its OPTIONS must be those that the storage takes."
        )
        yield wrong(number, f"{name}: {error}", hint)


def check_named_folders(
    number: int, name: str, example: str, what: str
) -> Iterator[CheckMessage]:
    """Check a setting that gives names to folders."""
    folders = getattr(conf, name)
    hint = (
        f'Write {name} = {{"{example}": "/path/to/a/folder"}}, or None for no {what}.'
    )
    if folders is None:
        return
    if not isinstance(folders, dict):
        yield wrong(number, f"{name} is {folders!r}, not a dict.", hint)
        return
    for key, folder in folders.items():
        if not isinstance(key, str) or not key.strip() or os.sep in key:
            yield wrong(number, f"{name}: {key!r} cannot be a name.", hint)
        elif fault := fault_of(folder, f"{name}[{key!r}]"):
            yield wrong(number, fault, hint)


def fault_of_folder(name: str) -> str:
    """Return why a setting does not name a local folder, or ""."""
    return fault_of(getattr(conf, name), name)


def fault_of(root: object, name: str) -> str:
    """Return why a value, of a setting with a name, is no local folder, or ""."""
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


def has_no_folder(storage: Storage) -> bool:
    """Tell whether a storage of Django's is in the working folder, for want of one."""
    return isinstance(storage, FileSystemStorage) and not storage.base_location


def is_count(value: object) -> bool:
    """Tell whether a value is a whole number, which True is not."""
    return isinstance(value, int) and not isinstance(value, bool)
