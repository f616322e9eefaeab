"""Where a data center is: a local folder, or any storage of Django."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.storage import Storage

from deliverystore import fsops
from deliverystore.backends import (
    DeliveryStoreInterface,
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
    StoredEntry,
)
from deliverystore.backends.walking import aware
from deliverystore.conf import conf
from deliverystore.datacenter.locks import locked
from deliverystore.digests import Digester
from deliverystore.exceptions import (
    FileDamaged,
    FileExists,
    FileNotFound,
    InvalidName,
    SettingInvalid,
)
from deliverystore.paths import is_temporary
from deliverystore.streams import CHUNK_SIZE


class Place(DeliveryStoreInterface):
    """A store in which files are listed by folder, and moved."""

    def entries(self, folder: str = "") -> Iterator[StoredEntry]:
        """Yield the files of one folder, in no order; their names are whole paths."""
        return (entry for _, entry in self._scan(folder) if entry is not None)

    def all_entries(self) -> Iterator[StoredEntry]:
        """Yield all files, those in folders included, in no order."""
        folders = [""]
        while folders:
            for name, entry in self._scan(folders.pop()):
                if entry is None:
                    folders.append(name)
                else:
                    yield entry

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file in pieces of at most 1 MiB."""
        with self.read_open(name) as file:
            while chunk := file.read(CHUNK_SIZE):
                yield chunk

    def digest(self, name: str) -> str:
        """Return the digest of a file as it is stored now."""
        with Digester() as digester:
            for chunk in self.chunks(name):
                digester.update(chunk)
            return digester.digest()

    def create(self, names: Iterable[str], chunks: Iterable[bytes]) -> str:
        """Store a new file under the first name that is free; return the name.

        Raise FileExists if all are taken.
        """
        candidates = iter(names)
        return self._create(next(candidates), candidates, chunks)

    def replace(self, name: str, chunks: Iterable[bytes]) -> None:
        """Store a file, in place of what has its name."""
        with self.write_open(name) as file:
            for chunk in chunks:
                file.write(chunk)

    def move(self, name: str, new_name: str) -> None:
        """Move a file; repeating it after a kill at any moment ends the same.

        Raise FileExists if other bytes have the new name, FileNotFound if there is
        no file.
        """
        with self._translated(name):
            try:
                self._move(name, new_name)
            except FileExists:
                if self.digest(name) != self.digest(new_name):
                    raise
                self.delete(name)

    def move_over(self, name: str, new_name: str) -> None:
        """Move a file in place of another one; it can be repeated as move() can."""
        self.copy(name, new_name)
        self.delete(name)

    def set_time(self, name: str, modified: datetime) -> None:
        """Give a copy the time of its original, where the medium can."""

    @abstractmethod
    def entry(self, name: str) -> StoredEntry:
        """Return size and time of one file; raise FileNotFound if there is none."""

    @abstractmethod
    def _scan(self, folder: str) -> Iterator[tuple[str, StoredEntry | None]]:
        """Yield what is in a folder by its whole path: files, and None for folders."""

    @abstractmethod
    def _create(self, name: str, others: Iterator[str], chunks: Iterable[bytes]) -> str:
        """Store a new file under a name, or the first free one of the others."""

    @abstractmethod
    def _move(self, name: str, new_name: str) -> None:
        """Move a file; raise FileExists if the new name is taken."""


class FolderPlace(Place, FsDeliveryStore):
    """A folder of the local file system. Symbolic links in it lead nowhere."""

    def make_folders(self, names: Iterable[str]) -> None:
        """Make these folders, and the place itself."""
        for name in names:
            fsops.make_folders(Path(self.path(name)), self.policy)

    def entry(self, name: str) -> StoredEntry:
        with self._translated(name):
            entry = _entry(name, Path(self.path(name)).lstat())
        if entry is None:
            raise FileNotFound(f"{name!r} is no plain file.")
        return entry

    def set_time(self, name: str, modified: datetime) -> None:
        fsops.set_time(Path(self.path(name)), modified)

    def _open(self, name: str, mode: str = "rb") -> File:
        self.entry(name)
        return super()._open(name, mode)

    def _scan(self, folder: str) -> Iterator[tuple[str, StoredEntry | None]]:
        try:
            found = os.scandir(self.path(folder))
        except FileNotFoundError:
            return
        with found:
            for one in found:
                if is_temporary(one.name):
                    continue
                name = f"{folder}/{one.name}" if folder else one.name
                with contextlib.suppress(FileNotFoundError):
                    entry = _entry(name, one.stat(follow_symlinks=False))
                    if entry is not None or one.is_dir(follow_symlinks=False):
                        yield name, entry

    def _create(self, name: str, others: Iterator[str], chunks: Iterable[bytes]) -> str:
        def another(path: Path) -> Path:
            if (other := next(others, None)) is None:
                raise FileExists(f"{path} exists and is not replaced.")
            return Path(self.path(other))

        with fsops.new_file(
            Path(self.path(name)), self.policy, another_path=another
        ) as new:
            for chunk in chunks:
                new.write(chunk)
        return self._name_at(new.path)

    def _move(self, name: str, new_name: str) -> None:
        fsops.move(Path(self.path(name)), Path(self.path(new_name)), self.policy)


class StoragePlace(Place, DjangoStorageDeliveryStore):
    """A storage of Django. It is asked for size and time of each file by itself.

    Some storages choose another name for a new file if its own is taken, some replace
    what is there. So a name is locked in the database while it gets its file.
    """

    def entry(self, name: str) -> StoredEntry:
        with self._translated(name):
            modified = aware(self.get_modified_time(name))
            return StoredEntry(name=name, size=self.size(name), modified=modified)

    def _scan(self, folder: str) -> Iterator[tuple[str, StoredEntry | None]]:
        try:
            folders, files = self.listdir(folder)
        except FileNotFoundError:
            return
        prefix = f"{folder}/" if folder else ""
        for name in folders:
            yield f"{prefix}{name}", None
        for name in files:
            # It may go while the others are asked for; S3 lists a folder as "".
            with contextlib.suppress(FileNotFoundError):
                if name and not is_temporary(name):
                    yield f"{prefix}{name}", self.entry(f"{prefix}{name}")

    def _create(self, name: str, others: Iterator[str], chunks: Iterable[bytes]) -> str:
        with tempfile.SpooledTemporaryFile(max_size=CHUNK_SIZE) as content:
            # No lock while somebody sends their bytes.
            for chunk in chunks:
                content.write(chunk)
            while not self._is_created(name, content):
                if (other := next(others, None)) is None:
                    raise FileExists(f"{name!r} exists and is not replaced.")
                name = other
        return name

    def _is_created(self, name: str, content: IO[bytes]) -> bool:
        """Store a new file; return False if the name is taken."""
        with locked(name):
            if self.exists(name):
                return False
            content.seek(0)
            stored = self._save(name, File(content, name))
            if stored == name:
                return True
            self.delete(stored)
            # Perhaps a program without our locks was faster.
            if self.exists(name):
                return False
            raise InvalidName(f"The storage does not keep the name {name!r}.")

    def _move(self, name: str, new_name: str) -> None:
        with Digester() as digester:
            self.create([new_name], digested(self.chunks(name), digester))
            self._compare(name, new_name, digester)
        self.delete(name)

    def _copy(self, name: str, target: object, group: object | None = None) -> None:
        new_name = str(target)
        with Digester() as digester:
            self.replace(new_name, digested(self.chunks(name), digester))
            self._compare(name, new_name, digester)

    def _compare(self, name: str, copy: str, digester: Digester) -> None:
        """Raise FileDamaged, before the original may go, if the copy is another."""
        if self.digest(copy) != digester.digest():
            self.delete(copy)
            raise FileDamaged(f"{copy!r} is not what {name!r} was copied from.")

    def _replace(self, name: str, content: File) -> str:
        # Most storages would choose another name; some, such as S3, replace.
        if self.get_available_name(name) != name:
            self.delete(name)
        return self._save(name, content)


def place_at(location: str | Path | Storage | None) -> Place:
    """Return the place at a folder, in a storage, or where the settings say.

    Raise SettingInvalid if they do not say it.
    """
    if isinstance(location, Place):
        return location
    if isinstance(location, Storage):
        return StoragePlace("", location)
    if location is not None:
        return FolderPlace(location)
    root = conf.DELIVERY_STORE_DATACENTER_ROOT
    if alias := conf.DELIVERY_STORE_DATACENTER_STORAGE:
        return StoragePlace(str(root or ""), alias)
    if not root:
        raise SettingInvalid(
            "DELIVERY_STORE_DATACENTER_ROOT is not set: name the folder of the "
            "data center."
        )
    return FolderPlace(root)


def _entry(name: str, status: os.stat_result) -> StoredEntry | None:
    if not stat.S_ISREG(status.st_mode):
        return None
    modified = fsops.changed(status.st_mtime)
    return StoredEntry(name=name, size=status.st_size, modified=modified)


def digested(chunks: Iterable[bytes], digester: Digester) -> Iterator[bytes]:
    """Pass chunks on, and hash them."""
    for chunk in chunks:
        digester.update(chunk)
        yield chunk
