"""The contract of a delivery store: a Django storage that also knows FileMetas."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from enum import StrEnum
from types import TracebackType
from typing import IO, BinaryIO, Protocol, Self, cast

from django.core.files import File
from django.core.files.storage import Storage

from deliverystore import paths, streams
from deliverystore.exceptions import FileExists, FileNotFound, InvalidName

_SPOOL_SIZE = 1024 * 1024


class StoredFile(Protocol):
    """What a store needs to know of a FileMeta."""

    stored_as: str

    @property
    def pk(self) -> int | None: ...

    @property
    def delivery_id(self) -> int | None: ...


class PendingWrite(Protocol):
    """A binary file that appears in the store, whole, when it is closed."""

    def write(self, data: bytes | str, /) -> int: ...

    def close(self) -> None: ...

    def discard(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


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
        return _SpooledWrite(self, name, file)

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
            shutil.copyfileobj(content, copy, _SPOOL_SIZE)

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
                shutil.copyfileobj(old, pending, _SPOOL_SIZE)
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


class WritingFile(File):
    """A Django File that is thrown away, not published, if its block raises."""

    def __init__(self, pending: PendingWrite, name: str, mode: str) -> None:
        file: IO = pending  # type: ignore[assignment]
        if "b" not in mode:
            file = _PendingText(file, encoding="utf-8", write_through=True)
        super().__init__(file, name)
        self.mode = mode
        self._pending = pending

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            self._pending.discard()
        self.close()


class _PendingText(io.TextIOWrapper):
    """Text on its way into a pending file, which is thrown away if it is lost."""

    def __del__(self) -> None:
        self.buffer.discard()  # type: ignore[attr-defined]


class _SpooledWrite(tempfile.SpooledTemporaryFile):
    """A write that waits in a local temporary file until the store takes it."""

    def __init__(
        self, store: DeliveryStoreInterface, name: str, file: str | StoredFile
    ) -> None:
        super().__init__(max_size=_SPOOL_SIZE)
        self._store = store
        self._target = name
        self._stored_file = file
        self._is_storing = False

    def write(self, data: bytes | str, /) -> int:  # type: ignore[override]
        return super().write(data.encode() if isinstance(data, str) else data)

    def close(self) -> None:
        # Some storages close what they are given.
        if self.closed or self._is_storing:
            return
        self._is_storing = True
        try:
            self.seek(0)
            self._store_content()
        finally:
            super().close()

    def discard(self) -> None:
        super().close()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            self.discard()
        self.close()

    def __del__(self) -> None:
        super().close()

    def _store_content(self) -> None:
        store, file = self._store, self._stored_file
        stored_as = store._replace(self._target, File(self, self._target))
        if stored_as == self._target:
            return
        if isinstance(file, str):
            store.delete(stored_as)
            raise FileExists(
                f"{file!r} exists, and the storage does not replace files."
            )
        # What is under the old name stays: perhaps a row still names it.
        file.stored_as = stored_as
