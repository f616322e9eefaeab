"""The spools that the settings name, and a look at all of them."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from deliverystore.conf import conf
from deliverystore.exceptions import SettingInvalid
from deliverystore.spool.counting import SpoolStatus
from deliverystore.spool.store import FileStore

# So many files are counted in all, so that a page does not wait for a full folder.
_COUNTED, _COUNTED_AT_LEAST = 10_000, 100


@dataclass(frozen=True, kw_only=True)
class SpoolLook:
    """What was seen of a spool.

    Numbers above limit say that there are more than limit. status is None if the
    folder could not be looked at; error says why.
    """

    name: str
    limit: int
    status: SpoolStatus | None = None
    error: OSError | None = None


def get_spools() -> dict[str, FileStore]:
    """Return the spools of DELIVERY_STORE_SPOOLS by their names, in this order."""
    spools = conf.DELIVERY_STORE_SPOOLS or {}
    return {name: FileStore(path) for name, path in spools.items()}


def folder_of(name_or_folder: str) -> Path:
    """Return the folder of a spool, which is called by its name or by its path.

    A path that is no folder is mistyped, or a disk is not there: raise SettingInvalid
    for a bare word, if there are names, and NotADirectoryError for others.
    """
    spools = conf.DELIVERY_STORE_SPOOLS or {}
    if name_or_folder in spools:
        return Path(spools[name_or_folder])
    path = Path(name_or_folder)
    if path.is_dir():
        return path
    if spools and os.sep not in name_or_folder:
        raise SettingInvalid(
            f"There is no spool {name_or_folder!r}; DELIVERY_STORE_SPOOLS has: "
            f"{', '.join(spools)}."
        )
    command = f"mkdir {shlex.quote(name_or_folder)}"
    hint = "" if path.exists() else f" For a new spool, make it: {command}"
    raise NotADirectoryError(f"{name_or_folder} is no folder.{hint}")


def look_at_spools() -> list[SpoolLook]:
    """Count what is in each spool of the settings, as far as that is quick."""
    spools = get_spools()
    limit = _COUNTED
    while limit * len(spools) > _COUNTED and limit > _COUNTED_AT_LEAST:
        limit //= 10
    return [_look(name, store, limit) for name, store in spools.items()]


def _look(name: str, store: FileStore, limit: int) -> SpoolLook:
    try:
        return SpoolLook(name=name, limit=limit, status=store.status(limit))
    except OSError as error:
        return SpoolLook(name=name, limit=limit, error=error)
