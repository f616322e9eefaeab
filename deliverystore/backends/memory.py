"""A delivery store in memory, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import PurePosixPath
from threading import RLock

from django.core.files import File
from django.utils import timezone
from django.utils.deconstruct import deconstructible

from deliverystore.backends.base import Capability, DeliveryStoreInterface
from deliverystore.backends.walking import StoredEntry, Visit, aware, pass_by
from deliverystore.paths import clean_folder, clean_name


@dataclass(frozen=True, kw_only=True)
class _Entry:
    data: bytes
    created: datetime
    modified: datetime


@deconstructible(path="deliverystore.backends.MemoryDeliveryStore")
class MemoryDeliveryStore(DeliveryStoreInterface):
    """Keeps files in a dictionary of this process; safe with threads."""

    capabilities = frozenset({Capability.REPLACE, Capability.UNIQUE})

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = RLock()

    def delete(self, name: str) -> None:
        if not name:
            raise ValueError("The name must be given to delete().")
        with self._lock:
            self._entries.pop(clean_name(name), None)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        folder = PurePosixPath(clean_folder(path))
        folders: set[str] = set()
        files: set[str] = set()
        with self._lock:
            names = list(self._entries)
        for name in names:
            if folder in (parents := PurePosixPath(name)).parents:
                first, *rest = parents.relative_to(folder).parts
                (folders if rest else files).add(first)
        return sorted(folders), sorted(files)

    def walk(self, after: str = "", *, visit: Visit = pass_by) -> Iterator[StoredEntry]:
        with self._lock:
            entries = sorted(self._entries.items())
        for name, entry in entries:
            if name > after and name in self._entries:
                yield StoredEntry(
                    name=name, size=len(entry.data), modified=aware(entry.modified)
                )

    def size(self, name: str) -> int:
        return len(self._entry(name).data)

    def url(self, name: str | None) -> str:
        raise ValueError("This file is not accessible via a URL.")

    def get_accessed_time(self, name: str) -> datetime:
        return self.get_modified_time(name)

    def get_created_time(self, name: str) -> datetime:
        return self._entry(name).created

    def get_modified_time(self, name: str) -> datetime:
        return self._entry(name).modified

    def _open(self, name: str, mode: str = "rb") -> File:
        data = self._entry(name).data
        if "b" in mode:
            return File(BytesIO(data), name)
        return File(StringIO(data.decode()), name)

    def _exists(self, name: str) -> bool:
        return clean_name(name) in self._entries

    def _save(self, name: str, content: File) -> str:
        data = _read(content)
        with self._lock:
            if self._exists(name):
                name = self.get_available_name(name)
            return self._put(name, data)

    def _replace(self, name: str, content: File) -> str:
        return self._put(name, _read(content))

    def _put(self, name: str, data: bytes) -> str:
        name, now = clean_name(name), timezone.now()
        with self._lock:
            old = self._entries.get(name)
            self._entries[name] = _Entry(
                data=data, created=old.created if old else now, modified=now
            )
        return name

    def _entry(self, name: str) -> _Entry:
        try:
            return self._entries[clean_name(name)]
        except KeyError:
            raise FileNotFoundError(name) from None


def _read(content: File) -> bytes:
    pieces = (c.encode() if isinstance(c, str) else c for c in content.chunks())
    return b"".join(pieces)
