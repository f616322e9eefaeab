"""Any Django storage by filepaths, as media processors and their results need it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from deliverystore import fsops
from deliverystore.backends import (
    Capability,
    DeliveryStoreInterface,
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
)
from deliverystore.backends.handler import store_for
from deliverystore.exceptions import NotLocal, NoWebServing
from deliverystore.publishing.filepaths import (
    Filepath,
    filepath_of,
    name_of,
    with_token,
)
from deliverystore.streams import CHUNK_SIZE


class StorageInterface:
    """Files by lists of parts, in an alias of STORAGES, or a storage.

    Every filepath is cleaned by clean_listy_filepath. A FileSystemStorage is written
    to as by FsDeliveryStore: a name holds the whole content or nothing.
    """

    def __init__(self, storage: str | Storage) -> None:
        self._storage = storage

    @property
    def store(self) -> DeliveryStoreInterface:
        """The storage, as a delivery store. Raise SettingInvalid."""
        storage = self._storage
        if isinstance(storage, DeliveryStoreInterface):
            return storage
        if isinstance(storage, str):
            found = store_for(storage)
        else:
            found = DjangoStorageDeliveryStore(root="", storage=storage)
        if isinstance(found, DjangoStorageDeliveryStore) and not found.root:
            return _whole_or_nothing(found.storage) or found
        return found

    @property
    def local_storage(self) -> bool:
        """Whether files have a path on this machine."""
        return _is_local(self.store)

    def file_exists(self, filepath: Filepath) -> bool:
        """Tell whether there is a file; a folder is none."""
        store, name = self.store, name_of(filepath)
        return store.exists(name) and not _is_folder(store, name)

    def get_file(self, filepath: Filepath, mode: str = "rb") -> File:
        """Return an open Django File; what is written appears when it is closed.

        The caller closes it. Raise FileNotFound if it is to be read and not there.
        """
        return self.store.open(name_of(filepath), mode)

    def delete_file(self, filepath: Filepath) -> None:
        """Delete a file; do nothing if there is none."""
        store, name = self.store, name_of(filepath)
        if not _is_folder(store, name):
            store.delete(name)

    def delete_dir(self, dirpath: Filepath, *, recursive: bool = False) -> bool:
        """Delete a folder and, if asked, what is in it; tell whether it was deleted."""
        name = name_of(dirpath)
        if recursive:
            return _delete_below(self.store, name)
        folders, files = _listed(self.store, name)
        if folders or files or not self.local_storage:
            return False
        return _delete_folder(self.store, name)

    def file_url(self, filepath: Filepath) -> str:
        """Return the address at which visitors get a file. Raise NoWebServing."""
        name = name_of(filepath)
        try:
            return self.store.url(name)
        except (ValueError, NotImplementedError) as error:
            raise NoWebServing(f"{name!r} has no URL: {error}") from error

    def get_unique_filepath(self, filepath: Filepath) -> list[str]:
        """Suggest a filepath that is free now; store_unique takes one for good."""
        return filepath_of(self.store.get_available_name(name_of(filepath)))

    def get_local_path(self, filepath: Filepath) -> str:
        """Return the path of a file, to be read only. Raise NotLocal."""
        store, name = self.store, name_of(filepath)
        if not _is_local(store):
            text = f"{name!r} is no file of this machine; copy_locally() copies it."
            raise NotLocal(text)
        return store.path(name)

    def copy_locally(self, filepath: Filepath, dest_path: str | Path) -> None:
        """Copy a file to a path on this machine, where it replaces what is there."""
        path = Path(dest_path)
        with (
            self.store.read_open(name_of(filepath)) as source,
            fsops.new_file(path, _unsynced(path), replace=True) as copy,
        ):
            shutil.copyfileobj(source, copy, CHUNK_SIZE)

    def copy_local_to_storage(self, filename: str | Path, filepath: Filepath) -> None:
        """Store a local file under a filepath, where it replaces what is there.

        Raise FileExists if the storage cannot replace.
        """
        with (
            Path(filename).open("rb") as source,
            self.store.write_open(name_of(filepath)) as copy,
        ):
            shutil.copyfileobj(source, copy, CHUNK_SIZE)

    def get_file_size(self, filepath: Filepath) -> int:
        """Return how many bytes a file has."""
        return self.store.size(name_of(filepath))

    def store_unique(self, filepath: Filepath, content: bytes | IO[bytes]) -> list[str]:
        """Store under a filepath that nothing else has, and return that filepath.

        Of several who store under one filepath at once, each gets a filepath of its
        own. Where the storage cannot create a name for one of them alone, as S3, each
        gets a random part in its name.
        """
        store, name = self.store, name_of(filepath)
        if Capability.UNIQUE not in store.capabilities:
            name = with_token(name)
        file = ContentFile(content) if isinstance(content, bytes) else File(content)
        return filepath_of(store.save(name, file))


class BasicFileStorage(StorageInterface):
    """Files in a folder of this machine, served by the web server below base_url.

    Without a base_url, file_url raises NoWebServing.
    """

    def __init__(self, base_dir: str | Path, base_url: str | None = None) -> None:
        super().__init__(FsDeliveryStore(base_dir, base_url=base_url))


class CloudFileStorage(StorageInterface):
    """Files of an alias of STORAGES that are on another machine: a job copies them."""

    def __init__(self, alias: str) -> None:
        super().__init__(alias)

    @property
    def local_storage(self) -> bool:
        """False: nothing of it has a path on this machine."""
        return False

    def get_local_path(self, filepath: Filepath) -> str:
        raise NotLocal(f"{name_of(filepath)!r} is in STORAGES[{self._storage!r}].")


def _is_local(store: DeliveryStoreInterface) -> bool:
    try:
        store.path("file")
    except NotImplementedError:
        return False
    # It tells paths at which there is nothing.
    inner = getattr(store, "storage", None)
    return not isinstance(inner, InMemoryStorage)


def _whole_or_nothing(storage: Storage) -> DeliveryStoreInterface | None:
    """Return a store that writes durably to the folder of one of Django's own."""
    if type(storage) is not FileSystemStorage:
        return None
    return FsDeliveryStore(
        Path(storage.location),
        base_url=storage.base_url,
        file_permissions_mode=storage.file_permissions_mode,
        directory_permissions_mode=storage.directory_permissions_mode,
    )


def _unsynced(path: Path) -> fsops.Policy:
    return fsops.Policy(root=path.parent, durability=fsops.Durability.NONE)


def _listed(store: DeliveryStoreInterface, name: str) -> tuple[list[str], list[str]]:
    try:
        return store.listdir(name)
    except (FileNotFoundError, NotADirectoryError):
        return [], []


def _delete_below(store: DeliveryStoreInterface, name: str) -> bool:
    folders, files = _listed(store, name)
    deleted = [_delete_below(store, f"{name}/{folder}") for folder in folders]
    for file in files:
        store.delete(f"{name}/{file}")
    return _delete_folder(store, name) or any(deleted) or bool(files)


def _delete_folder(store: DeliveryStoreInterface, name: str) -> bool:
    """Delete an empty folder where there are folders; tell whether it was there."""
    is_folder = _is_folder(store, name)
    if is_folder:
        store.delete(name)
    return is_folder


def _is_folder(store: DeliveryStoreInterface, name: str) -> bool:
    return _is_local(store) and Path(store.path(name)).is_dir()
