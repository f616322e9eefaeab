"""Checks that no folder of the settings lies in another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from django.core.checks import CheckMessage
from django.core.files.storage import storages

from deliverystore.backends.handler import load_fallback, load_store, store_for
from deliverystore.backends.probing import folder_of
from deliverystore.checks.faults import wrong
from deliverystore.conf import conf
from deliverystore.kvstore.places import VALUES


def check_overlaps() -> Iterator[CheckMessage]:
    """Check that no folder of files lies in another, where its files are strangers."""
    for (name, folder), (other, outer) in combinations(named_folders().items(), 2):
        if folder.is_relative_to(outer) or outer.is_relative_to(folder):
            message = f"{name} ({folder}) and {other} ({outer}) overlap."
            yield wrong(17, message, "Choose folders of which none lies in another.")


def named_folders() -> dict[str, Path]:
    """Return the folders that the settings name; none of them may be wrong."""
    folders = {"DELIVERY_STORE_ROOT": folder_of(load_store())}
    if (fallback := load_fallback()) is not None:
        folders["DELIVERY_STORE_FALLBACK"] = folder_of(fallback)
    if VALUES in storages.backends:
        folders[f"STORAGES[{VALUES!r}]"] = folder_of(store_for(VALUES))
    names = ["DELIVERY_STORE_UPLOAD_ROOT", "DELIVERY_STORE_WORKBENCH_ROOT"]
    if conf.DELIVERY_STORE_DATACENTER_STORAGE is None:
        names.append("DELIVERY_STORE_DATACENTER_ROOT")
    for name in names:
        root = getattr(conf, name)
        folders[name] = None if root is None else Path(root).resolve()
    for setting in ("DELIVERY_STORE_SPOOLS", "DELIVERY_STORE_KVSTORES"):
        for name, folder in (getattr(conf, setting) or {}).items():
            folders[f"{setting}[{name!r}]"] = Path(folder).resolve()
    return {name: folder for name, folder in folders.items() if folder is not None}
