"""A store that also knows another one, in which it looks for what it does not have."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, TypeVar

from django.core.files import File

from deliverystore.backends.base import DeliveryStoreInterface, StoredFile
from deliverystore.backends.walking import StoredEntry, Visit, pass_by
from deliverystore.backends.writing import PendingWrite
from deliverystore.exceptions import FileExists, FileNotFound
from deliverystore.streams import CHUNK_SIZE

T = TypeVar("T")


class FallbackDeliveryStore(DeliveryStoreInterface):
    """Reads from a first store and, what that does not have, from a second one.

    All that is written goes to the first; what is removed, is removed from both. walk()
    and leftovers() speak of the first alone.
    """

    # The two may have different names for one FileMeta. So each is asked for the file
    # itself, in what a store usually leaves alone.

    def __init__(
        self, first: DeliveryStoreInterface, second: DeliveryStoreInterface
    ) -> None:
        self.first = first
        self.second = second
        self.capabilities = first.capabilities

    def read_open(self, file: str | StoredFile) -> BinaryIO:
        return self._of_either(lambda store: store.read_open(file))

    def read_range(self, file: str | StoredFile, start: int, length: int) -> BinaryIO:
        return self._of_either(lambda store: store.read_range(file, start, length))

    def write_open(
        self, file: str | StoredFile, *, group: object | None = None
    ) -> PendingWrite:
        return self.first.write_open(file, group=group)

    def remove(self, file: str | StoredFile) -> None:
        found = False
        for store in (self.first, self.second):
            with contextlib.suppress(FileNotFound):
                store.remove(file)
                found = True
        if not found:
            # Raised by the first, in its own words.
            self.first.remove(file)

    def exists(self, file: str | StoredFile) -> bool:
        return self.first.exists(file) or self.second.exists(file)

    def copy(
        self,
        source: str | StoredFile,
        target: str | StoredFile,
        *,
        group: object | None = None,
    ) -> None:
        try:
            self.first.copy(source, target, group=group)
        except FileNotFound:
            with (
                self.second.read_open(source) as content,
                self.first.write_open(target, group=group) as copy,
            ):
                shutil.copyfileobj(content, copy, CHUNK_SIZE)

    def name_of(self, file: str | StoredFile) -> str:
        """Return the storage name of a file, in the store that has it."""
        name = self.first.name_of(file)
        other = self.second.name_of(file)
        if other != name and not self.first.exists(name) and self.second.exists(other):
            return other
        return name

    def get_name(self, file: StoredFile) -> str:
        return self.first.get_name(file)

    def delete(self, name: str) -> None:
        self.first.delete(name)
        self.second.delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        folders: set[str] = set()
        files: set[str] = set()
        for store in (self.first, self.second):
            with contextlib.suppress(FileNotFoundError):
                some_folders, some_files = store.listdir(path)
                folders.update(some_folders)
                files.update(some_files)
        return sorted(folders), sorted(files)

    def size(self, name: str) -> int:
        return self._of_either(lambda store: store.size(name))

    def url(self, name: str | None) -> str:
        return self._holder(name or "").url(name)

    def path(self, name: str) -> str:
        return self._holder(name).path(name)

    def get_accessed_time(self, name: str) -> datetime:
        return self._of_either(lambda store: store.get_accessed_time(name))

    def get_created_time(self, name: str) -> datetime:
        return self._of_either(lambda store: store.get_created_time(name))

    def get_modified_time(self, name: str) -> datetime:
        return self._of_either(lambda store: store.get_modified_time(name))

    def get_valid_name(self, name: str) -> str:
        return self.first.get_valid_name(name)

    def walk(self, after: str = "", *, visit: Visit = pass_by) -> Iterator[StoredEntry]:
        return self.first.walk(after, visit=visit)

    def leftovers(self, before: datetime, *, visit: Visit = pass_by) -> Iterator[str]:
        return self.first.leftovers(before, visit=visit)

    def remove_leftover(self, name: str) -> None:
        self.first.remove_leftover(name)

    def _open(self, name: str, mode: str = "rb") -> File:
        return self._of_either(lambda store: store.open(name, mode))

    def _write_open(
        self,
        name: str,
        file: str | StoredFile,
        *,
        replace: bool = True,
        group: object | None = None,
    ) -> PendingWrite:
        if not replace and self.second.exists(name):
            raise FileExists(f"{name!r} exists and is not replaced.")
        return self.first._write_open(  # noqa: SLF001 - it is a store, too
            name, file, replace=replace, group=group
        )

    def _group(self) -> AbstractContextManager[object | None]:
        return self.first.group()

    def _exists(self, name: str) -> bool:
        return self.first.exists(name) or self.second.exists(name)

    def _save(self, name: str, content: File) -> str:
        return self.first.save(name, content)

    def _of_either(self, action: Callable[[DeliveryStoreInterface], T]) -> T:
        """Return what the first store answers or, if it has no such file, the second.

        Raise FileNotFound, in the words of the first, if neither has it.
        """
        try:
            return action(self.first)
        except FileNotFoundError as error:
            try:
                return action(self.second)
            except FileNotFoundError:
                raise error from None

    def _holder(self, name: str) -> DeliveryStoreInterface:
        if not self.first.exists(name) and self.second.exists(name):
            return self.second
        return self.first


def without_fallback(store: DeliveryStoreInterface) -> DeliveryStoreInterface:
    """Return the store that is written to, for who must not look into the other."""
    return store.first if isinstance(store, FallbackDeliveryStore) else store
