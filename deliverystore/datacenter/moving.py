"""All files of a data center, brought to another place."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deliverystore.backends import StoredEntry
from deliverystore.datacenter.places import FolderPlace, Place, digested
from deliverystore.digests import Digester
from deliverystore.exceptions import FileDamaged, FileExists, FileNotFound

# Called with a number of bytes that are dealt with.
Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a move would do: files, their bytes, and names that others have there."""

    count: int
    size: int
    taken: list[str]


def check_target(source: Place, target: Place, *, move: bool) -> None:
    """Raise ValueError if files cannot be brought from one place to the other."""
    if not isinstance(target, FolderPlace):
        return
    new = Path(target.location)
    if not new.is_dir():
        raise ValueError(f"{new} is no folder; make it first.")
    if not move or not isinstance(source, FolderPlace):
        return
    one, other = new.resolve(), Path(source.location).resolve()
    if one != other and (one in other.parents or other in one.parents):
        raise ValueError(f"{new} and {source.location} lie in each other.")


def is_same_place(source: Place, target: Place) -> bool:
    """Tell whether what is put into one place is in the other one too."""
    probe = source.create([f".probe.{secrets.token_hex(8)}"], [b""])
    try:
        return target.exists(probe)
    finally:
        source.delete(probe)


def copy_files(
    source: Place, target: Place, *, overwrite: bool, advance: Advance
) -> Iterator[str]:
    """Copy and compare all files; yield the names of those that were not copied.

    What the target has already, of the same content, counts as copied.
    """
    for entry in source.all_entries():
        if not _copy(source, target, entry, overwrite=overwrite):
            yield entry.name
        advance(entry.size)


def remove_copied(source: Place, target: Place) -> None:
    """Remove the files that the target has too."""
    for entry in source.all_entries():
        if _is_same(source, target, entry):
            source.delete(entry.name)


def preview(source: Place, target: Place) -> Preview:
    """Look what a move would do; files of one name and size are read and compared."""
    count = size = 0
    taken = []
    for entry in source.all_entries():
        count += 1
        size += entry.size
        if target.exists(entry.name) and not _is_same(source, target, entry):
            taken.append(entry.name)
    return Preview(count=count, size=size, taken=taken)


def _copy(source: Place, target: Place, entry: StoredEntry, *, overwrite: bool) -> bool:
    if _is_same(source, target, entry):
        return True
    try:
        with Digester() as digester:
            chunks = digested(source.chunks(entry.name), digester)
            if overwrite:
                target.replace(entry.name, chunks)
            else:
                target.create([entry.name], chunks)
            copied = digester.digest()
    except (FileExists, FileNotFound):
        return False
    if target.digest(entry.name) != copied:
        target.delete(entry.name)
        raise FileDamaged(f"{entry.name!r} is not the same after it was copied.")
    target.set_time(entry.name, entry.modified)
    return True


def _is_same(source: Place, target: Place, entry: StoredEntry) -> bool:
    try:
        if target.entry(entry.name).size != entry.size:
            return False
        return target.digest(entry.name) == source.digest(entry.name)
    except FileNotFound:
        return False
