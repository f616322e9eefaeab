"""The contract of a delivery store: a Django storage that also knows FileMetas."""

from __future__ import annotations

import contextlib
import io
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import IO, BinaryIO, Protocol, cast

from django.core.files import File
from django.core.files.storage import Storage

from deliverystore import paths, streams
from deliverystore.backends.walking import (
    StoredEntry,
    Visit,
    aware,
    pass_by,
    walk_names,
)
from deliverystore.backends.writing import PendingWrite, SpooledWrite, WritingFile
from deliverystore.exceptions import FileExists, FileNotFound, InvalidName


class StoredFile(Protocol):
    """What a store needs to know of a FileMeta."""

    stored_as: str

    @property
    def pk(self) -> int | None: ...

    @property
    def delivery_id(self) -> int | None: ...


class Capability(StrEnum):
    """What a store can promise beyond the contract; its tests ask for it."""

    # Readers and crashes meet the whole old or the whole new content.
    REPLACE = "replace"
    # Several saves of one name at once are all kept, each under its own name.
    UNIQUE = "unique"
    # Other processes see what was stored.
    SHARED = "shared"


class DeliveryStoreInterface(ABC, Storage):
    """A place for the bytes of FileMetas.

    A store of your own implements the four methods at the end, as for any Django
    storage. Wherever a method takes a file, that is a FileMeta or a name, and
    FileNotFound is raised if the store has no bytes for it.
    """

    capabilities: frozenset[Capability] = frozenset()

    # -- Do not override ---------------------------------------------------------

    def read_open(self, file: str | StoredFile) -> BinaryIO:
        """Return the file, open for reading bytes; the caller closes it."""
        name = self.name_of(file)
        return cast("BinaryIO", self.open(name, "rb"))

    def read_range(self, file: str | StoredFile, start: int, length: int) -> BinaryIO:
        """Return length bytes from start on as an open file; the caller closes it.

        What lies before is not read where the store can seek; a range that reaches
        past the end is cut there.
        """
        if start < 0 or length < 0:
            raise ValueError(f"start {start} and length {length} must not be negative.")
        with self._translated(name := self.name_of(file)):
            return self._read_range(name, start, length)

    def write_open(
        self, file: str | StoredFile, *, group: object | None = None
    ) -> PendingWrite:
        """Return a file open for writing bytes, or str as UTF-8.

        It replaces what is stored, in one step, when it is closed; a block that
        raises leaves the store as it was. Files written with one group() share
        its barrier.
        """
        return self._write_open(self.name_of(file), file, group=group)

    def group(self) -> AbstractContextManager[object | None]:
        """Return a context manager whose value write_open and copy take as group.

        When its block ends, the files of the group appear and are durable.
        """
        return self._group()

    def remove(self, file: str | StoredFile) -> None:
        """Remove the bytes of a file."""
        with self._translated(name := self.name_of(file)):
            self._remove(name)

    def exists(self, file: str | StoredFile) -> bool:
        """Tell whether the store has bytes for a file."""
        return self._exists(self.name_of(file))

    def copy(
        self,
        source: str | StoredFile,
        target: str | StoredFile,
        *,
        group: object | None = None,
    ) -> None:
        """Copy the bytes of source to target, by the medium itself where it can."""
        with self._translated(name := self.name_of(source)):
            self._copy(name, target, group)

    def name_of(self, file: str | StoredFile) -> str:
        """Return the storage name of a file.

        Raise InvalidName if it is a FileMeta that was never saved, or a name that
        leaves the store.
        """
        if isinstance(file, str):
            return paths.clean_name(file)
        if file.stored_as:
            return file.stored_as
        if file.pk is None or file.delivery_id is None:
            raise InvalidName(f"{file!r} has no id yet; save it before storing bytes.")
        return self.get_name(file)

    def open(self, name: str, mode: str = "rb") -> File:
        """Return an open Django File; one that writes is published at its close."""
        name = paths.clean_name(name)
        if set(mode) & set("wax+"):
            return self._open_for_writing(name, mode)
        with self._translated(name):
            return super().open(name, mode)

    # -- May override ------------------------------------------------------------

    def get_name(self, file: StoredFile) -> str:
        """Return the name under which the bytes of a FileMeta are stored."""
        return f"{file.delivery_id}/{file.pk}"

    def walk(self, after: str = "", *, visit: Visit = pass_by) -> Iterator[StoredEntry]:
        """Yield all that is stored, in an order that stays, going on after a name.

        visit is told of each folder that is looked into: its name and None or, if it
        cannot be listed, the error; it may raise, to stop. Raise NotImplementedError
        if the store cannot list, or lacks sizes or times.
        """
        for name in walk_names(self._children, after, visit=visit):
            with contextlib.suppress(FileNotFoundError):
                yield StoredEntry(
                    name=name,
                    size=self.size(name),
                    modified=aware(self.get_modified_time(name)),
                )

    def leftovers(self, before: datetime, *, visit: Visit = pass_by) -> Iterator[str]:
        """Yield the temporary files of broken writes, last changed before a moment.

        visit is told of folders as by walk().
        """
        return iter(())

    def remove_leftover(self, name: str) -> None:
        """Remove a temporary file; raise FileNotFound if there is none."""
        raise FileNotFound(f"{type(self).__name__} has no temporary file {name!r}.")

    def _read_range(self, name: str, start: int, length: int) -> BinaryIO:
        file = cast("BinaryIO", self.open(name, "rb"))
        if file.seekable():
            file.seek(start)
        else:
            streams.skip(file, start)
        return io.BufferedReader(streams.Section(file, length))

    def _write_open(
        self,
        name: str,
        file: str | StoredFile,
        *,
        replace: bool = True,
        group: object | None = None,
    ) -> PendingWrite:
        if not replace and self._exists(name):
            raise FileExists(f"{name!r} exists and is not replaced.")
        return SpooledWrite(partial(self._take, name, file))

    def _group(self) -> AbstractContextManager[object | None]:
        return contextlib.nullcontext()

    def _replace(self, name: str, content: File) -> str:
        """Store content under name or, if the medium cannot replace, another one."""
        return self._save(name, content)

    def _remove(self, name: str) -> None:
        if not self._exists(name):
            raise FileNotFoundError(name)
        self.delete(name)

    def _copy(
        self, name: str, target: str | StoredFile, group: object | None = None
    ) -> None:
        with (
            self.open(name, "rb") as content,
            self.write_open(target, group=group) as copy,
        ):
            shutil.copyfileobj(content, copy, streams.CHUNK_SIZE)

    # -- Must implement ----------------------------------------------------------

    @abstractmethod
    def _open(self, name: str, mode: str = "rb") -> File:
        """Return a File open for reading; raise FileNotFoundError if missing."""

    @abstractmethod
    def _save(self, name: str, content: File) -> str:
        """Store the content, from its start to its end, and return its name."""

    @abstractmethod
    def _exists(self, name: str) -> bool:
        """Tell whether there are bytes under this name."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove the bytes under this name; do nothing if there are none."""

    # -- Private -----------------------------------------------------------------

    def _children(self, folder: str, first: str) -> Iterator[tuple[str, bool]]:
        try:
            folders, files = self.listdir(folder)
        except FileNotFoundError:
            return iter(())
        found = [(name, True) for name in folders] + [(name, False) for name in files]
        return iter(sorted(child for child in found if child[0] >= first))

    def _take(self, name: str, file: str | StoredFile, content: IO) -> None:
        """Store what was written for a file, and note the name it got."""
        stored_as = self._replace(name, File(content, name))
        if stored_as == name:
            return
        if isinstance(file, str):
            self.delete(stored_as)
            raise FileExists(
                f"{file!r} exists, and the storage does not replace files."
            )
        # What is under the old name stays: perhaps a row still names it.
        file.stored_as = stored_as

    def _open_for_writing(self, name: str, mode: str) -> WritingFile:
        pending = self._write_open(name, name, replace="x" not in mode)
        try:
            if "w" not in mode and "x" not in mode:
                self._copy_existing(name, pending, mode)
            return WritingFile(pending, name, mode)
        except BaseException:
            pending.discard()
            raise

    def _copy_existing(self, name: str, pending: PendingWrite, mode: str) -> None:
        """Start from what is stored, as the modes "a" and "r+" ask for."""
        try:
            with self.open(name, "rb") as old:
                shutil.copyfileobj(old, pending, streams.CHUNK_SIZE)
        except FileNotFoundError:
            if "a" not in mode:
                raise
        if "a" not in mode:
            pending.seek(0)  # type: ignore[attr-defined]

    @contextlib.contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        """Raise our FileNotFound, naming the store, for the built-in one."""
        try:
            yield
        except FileNotFound:
            raise
        except FileNotFoundError as error:
            raise FileNotFound(f"{type(self).__name__} has no {name!r}.") from error
