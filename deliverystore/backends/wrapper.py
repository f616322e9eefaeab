"""A delivery store over any Django storage, such as those of django-storages."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

from django.core.files import File
from django.core.files.storage import Storage, storages
from django.core.files.storage.handler import InvalidStorageError
from django.utils.deconstruct import deconstructible

from deliverystore.backends.base import (
    Capability,
    DeliveryStoreInterface,
    StoredFile,
)
from deliverystore.backends.walking import StoredEntry, Visit, pass_by
from deliverystore.conf import conf
from deliverystore.exceptions import FileExists, MissingExtra, StoreUnavailable
from deliverystore.paths import clean_folder
from deliverystore.streams import CHUNK_SIZE, Section

if TYPE_CHECKING:
    from deliverystore.backends.s3 import Objects

# Errors of these packages say what they mean; a storage raises those of its service's
# library, too, whatever it is.
_UNDERSTOOD = {"builtins", "deliverystore", "django"}


@deconstructible(path="deliverystore.backends.DjangoStorageDeliveryStore")
class DjangoStorageDeliveryStore(DeliveryStoreInterface):
    """Keeps files in another storage, below a prefix.

    storage is an alias in STORAGES or a Storage; it defaults to
    DELIVERY_STORE_STORAGE. root is the prefix, such as "deliveries"; it defaults to
    DELIVERY_STORE_ROOT. A name that the storage chooses itself is kept in the
    FileMeta. What survives a power cut is what the storage promises.
    """

    capabilities = frozenset({Capability.SHARED})

    def __init__(
        self, root: str | None = None, storage: str | Storage | None = None
    ) -> None:
        self._root = root
        self._storage = storage

    @property
    def storage(self) -> Storage:
        """The storage that has the bytes."""
        storage = self._storage or conf.DELIVERY_STORE_STORAGE
        return storage if isinstance(storage, Storage) else _configured(storage)

    @property
    def root(self) -> str:
        """The prefix, without a slash at its end."""
        root = conf.DELIVERY_STORE_ROOT if self._root is None else self._root
        return str(root or "").rstrip("/")

    def delete(self, name: str) -> None:
        if not name:
            raise ValueError("The name must be given to delete().")
        with self._translated(name):
            self.storage.delete(self._inner(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with self._translated(path):
            return self.storage.listdir(self._inner(path))

    def size(self, name: str) -> int:
        with self._translated(name):
            return self.storage.size(self._inner(name))

    def url(self, name: str | None) -> str:
        with self._translated(name or ""):
            return self.storage.url(self._inner(name or ""))

    def path(self, name: str) -> str:
        return self.storage.path(self._inner(name))

    def get_accessed_time(self, name: str) -> datetime:
        with self._translated(name):
            return self.storage.get_accessed_time(self._inner(name))

    def get_created_time(self, name: str) -> datetime:
        with self._translated(name):
            return self.storage.get_created_time(self._inner(name))

    def get_modified_time(self, name: str) -> datetime:
        with self._translated(name):
            return self.storage.get_modified_time(self._inner(name))

    def get_valid_name(self, name: str) -> str:
        return self.storage.get_valid_name(name)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        length = max_length and max_length + len(self._inner(""))
        with self._translated(name):
            available = self._outer(
                self.storage.get_available_name(self._inner(name), max_length=length)
            )
        if available == name and self.exists(name):
            # The storage would replace what is there, which nobody asked for.
            return super().get_available_name(name, max_length)
        return available

    def walk(self, after: str = "", *, visit: Visit = pass_by) -> Iterator[StoredEntry]:
        if (objects := self._objects()) is None:
            yield from super().walk(after, visit=visit)
            return
        with self._translated(""):
            for entry in objects.walk(self.root, after):
                yield StoredEntry(**entry)

    def leftovers(self, before: datetime, *, visit: Visit = pass_by) -> Iterator[str]:
        if (objects := self._objects()) is not None:
            with self._translated(""):
                yield from objects.broken_uploads(self.root, before)

    def remove_leftover(self, name: str) -> None:
        if (objects := self._objects()) is None:
            super().remove_leftover(name)
            return
        upload, _, target = name.partition(":")
        with self._translated(target):
            objects.abort_upload(upload, self._inner(target))

    def _open(self, name: str, mode: str = "rb") -> File:
        inner, objects = self._inner(name), self._objects()
        file = objects.open(inner) if objects else self.storage.open(inner, "rb")
        reader = self._reader(name, file)
        return File(
            reader if "b" in mode else io.TextIOWrapper(reader, encoding="utf-8"), name
        )

    def _read_range(self, name: str, start: int, length: int) -> BinaryIO:
        if (objects := self._objects()) is None:
            return super()._read_range(name, start, length)
        # One byte also where none is wanted: it tells whether there is a file.
        file = objects.open(self._inner(name), start, start + max(length, 1))
        return io.BufferedReader(Section(self._reader(name, file), length))

    def _exists(self, name: str) -> bool:
        with self._translated(name):
            return self.storage.exists(self._inner(name))

    def _save(self, name: str, content: File) -> str:
        with self._translated(name):
            return self._outer(self.storage.save(self._inner(name), content))

    def _copy(
        self, name: str, target: str | StoredFile, group: object | None = None
    ) -> None:
        if (objects := self._objects()) is None:
            super()._copy(name, target, group)
            return
        wanted = self._inner(self.name_of(target))
        copy = self.storage.get_available_name(wanted)
        if copy != wanted and isinstance(target, str):
            raise FileExists(f"{target!r} exists, and the storage does not replace it.")
        objects.copy(self._inner(name), copy)
        if copy != wanted and not isinstance(target, str):
            target.stored_as = self._outer(copy)

    def _objects(self) -> Objects | None:
        """Return what can do more than the storage, if that is one for S3."""
        # Without importing it: a storage for S3 has been imported from there.
        module = sys.modules.get("storages.backends.s3")
        if module is None or not isinstance(self.storage, module.S3Storage):
            return None
        # What is stored compressed, only the storage itself can read.
        if self.storage.gzip:
            return None
        from deliverystore.backends.s3 import Objects

        return Objects(self.storage)

    def _reader(self, name: str, file: object) -> io.BufferedReader:
        translated = partial(self._translated, name)
        return io.BufferedReader(
            _Translating(cast("BinaryIO", file), translated), CHUNK_SIZE
        )

    @contextlib.contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        """Raise StoreUnavailable for an error of the library that the storage uses."""
        with super()._translated(name):
            try:
                yield
            except Exception as error:
                package = type(error).__module__.partition(".")[0]
                if package in _UNDERSTOOD:
                    raise
                raise StoreUnavailable(self._explained(name, error)) from error

    def _explained(self, name: str, error: Exception) -> str:
        storage = self._storage or conf.DELIVERY_STORE_STORAGE
        where = (
            f"STORAGES[{storage!r}]"
            if isinstance(storage, str)
            else type(storage).__name__
        )
        objects = self._objects()
        advice = objects.advice_on(error) if objects else ""
        what = f"{where} cannot be used for {name!r}" if name else f"{where} fails"
        return f"{what}: {str(error).rstrip('.')}. {advice}".rstrip()

    def _inner(self, name: str) -> str:
        name = clean_folder(name)
        return f"{self.root}/{name}" if self.root else name

    def _outer(self, name: str) -> str:
        return name.removeprefix(f"{self.root}/") if self.root else name


class _Translating(io.RawIOBase):
    """An open file of a storage, whose errors are raised as those of the store."""

    def __init__(
        self, file: BinaryIO, translated: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._file = file
        self._translated = translated

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        with self._translated():
            self._file.seek(offset, whence)
            return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        with self._translated():
            chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _configured(alias: str) -> Storage:
    try:
        return storages[alias]
    except InvalidStorageError as error:
        missing = str(getattr(error.__cause__, "name", ""))
        if missing.partition(".")[0] == "storages":
            raise MissingExtra(f"STORAGES[{alias!r}]", "s3") from error
        raise
