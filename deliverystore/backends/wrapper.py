"""A delivery store over any Django storage, such as those of django-storages."""

from __future__ import annotations

import io
from datetime import datetime
from typing import BinaryIO

from django.core.files import File
from django.core.files.storage import Storage, storages
from django.core.files.storage.handler import InvalidStorageError
from django.utils.deconstruct import deconstructible

from deliverystore.backends.base import Capability, DeliveryStoreInterface
from deliverystore.conf import conf
from deliverystore.exceptions import MissingExtra
from deliverystore.paths import clean_folder
from deliverystore.streams import Section


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
        return _configured(storage) if isinstance(storage, str) else storage

    @property
    def root(self) -> str:
        """The prefix, without a slash at its end."""
        root = conf.DELIVERY_STORE_ROOT if self._root is None else self._root
        return str(root or "").rstrip("/")

    def delete(self, name: str) -> None:
        if not name:
            raise ValueError("The name must be given to delete().")
        self.storage.delete(self._inner(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        return self.storage.listdir(self._inner(path))

    def size(self, name: str) -> int:
        with self._translated(name):
            return self.storage.size(self._inner(name))

    def url(self, name: str | None) -> str:
        return self.storage.url(self._inner(name or ""))

    def path(self, name: str) -> str:
        return self.storage.path(self._inner(name))

    def get_accessed_time(self, name: str) -> datetime:
        return self.storage.get_accessed_time(self._inner(name))

    def get_created_time(self, name: str) -> datetime:
        return self.storage.get_created_time(self._inner(name))

    def get_modified_time(self, name: str) -> datetime:
        return self.storage.get_modified_time(self._inner(name))

    def get_valid_name(self, name: str) -> str:
        return self.storage.get_valid_name(name)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        if max_length is not None:
            max_length += len(self._inner(""))
        return self._outer(
            self.storage.get_available_name(self._inner(name), max_length=max_length)
        )

    def _open(self, name: str, mode: str = "rb") -> File:
        return self.storage.open(self._inner(name), mode)

    def _read_range(self, name: str, start: int, length: int) -> BinaryIO:
        # django-storages downloads a whole object from S3 to seek in it.
        if hasattr(self.storage, "get_object_parameters"):
            with self.open(name, "rb") as file:
                if not file.obj.content_encoding:  # type: ignore[attr-defined]
                    return _range_of_object(file, start, length)
        return super()._read_range(name, start, length)

    def _exists(self, name: str) -> bool:
        return self.storage.exists(self._inner(name))

    def _save(self, name: str, content: File) -> str:
        return self._outer(self.storage.save(self._inner(name), content))

    def _inner(self, name: str) -> str:
        name = clean_folder(name)
        return f"{self.root}/{name}" if self.root else name

    def _outer(self, name: str) -> str:
        return name.removeprefix(f"{self.root}/") if self.root else name


def _range_of_object(file: File, start: int, length: int) -> BinaryIO:
    end = min(start + length, file.size)
    if start >= end:
        return io.BytesIO()
    part = file.obj.get(Range=f"bytes={start}-{end - 1}")  # type: ignore[attr-defined]
    return io.BufferedReader(Section(part["Body"], end - start))


def _configured(alias: str) -> Storage:
    try:
        return storages[alias]
    except InvalidStorageError as error:
        missing = str(getattr(error.__cause__, "name", ""))
        if missing.partition(".")[0] == "storages":
            raise MissingExtra(f"STORAGES[{alias!r}]", "s3") from error
        raise
