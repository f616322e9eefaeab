"""The files of a FileSystemStore, read without a lock: pairs that belong together."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deliverystore.exceptions import FileDamaged
from deliverystore.kvstore.filenames import is_long, key_of, name_of
from deliverystore.kvstore.journal import Journal
from deliverystore.kvstore.metadata import Metadata
from deliverystore.kvstore.openfiles import OpenedFile

logger = logging.getLogger(__name__)

DATA, METADATA, KEY = ".data", ".metadata", ".key"
# How often a pair that others keep replacing is looked at again.
_TRIES = 1000


class Pair(NamedTuple):
    """Data and metadata of one moment."""

    data: OpenedFile
    metadata: Metadata


class Pairs:
    """Reads pairs of files below one folder, whose changes go through a journal."""

    def __init__(self, root: Path, journal: Journal) -> None:
        self._root = str(root)
        self._journal = journal

    def read(self, name: str) -> Pair | None:
        """Return the pair of a name; None if there is none.

        Raise FileDamaged if the data is missing, or the metadata cannot be read.
        """
        for _ in range(_TRIES):
            if (found := self._try_to_read(name)) is not None:
                return found
            if self._journal.mentions(f"{name}."):
                self._journal.settle()
            elif not self._is_there(name, METADATA):
                return None
            elif not self._is_there(name, DATA) and self._is_there(name, METADATA):
                break
        raise FileDamaged(f"{self._at(name, DATA)} is missing, or never stands still.")

    def read_metadata(self, name: str) -> Metadata | None:
        """Return the metadata of a name; None if there is none."""
        self._settle(name)
        return self.load_metadata(name)

    def load_metadata(self, name: str) -> Metadata | None:
        """Return the same without a look into the journal."""
        try:
            return _parsed(self._at(name, METADATA))
        except FileNotFoundError:
            return None

    def exists(self, name: str) -> bool:
        """Tell whether there is a pair."""
        self._settle(name)
        return self._is_there(name, METADATA)

    def is_there(self, name: str) -> bool:
        """Tell the same to who is alone."""
        return self._is_there(name, METADATA)

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield the names of all pairs, without suffix, and their keys."""
        if self._journal.is_busy():
            self._journal.settle()
        with os.scandir(self._root) as entries:
            for entry in entries:
                name, dot, _ = entry.name.rpartition(METADATA)
                if not dot or not entry.name.endswith(METADATA):
                    continue
                if (key := self._key(name)) is not None:
                    yield name, key
                elif not name.startswith("."):
                    logger.warning("%r is not the name of any key.", entry.path)

    def _key(self, name: str) -> str | None:
        """Return the key that has a name; if that is a digest, from its file."""
        if not is_long(name):
            return key_of(name)
        try:
            key = Path(self._at(name, KEY)).read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            return None
        return key if name_of(key) == name else None

    def _try_to_read(self, name: str) -> Pair | None:
        """Return a pair; None if it is missing, or might not belong together.

        It does if no step was about its files between the first look and the last.
        """
        metadata_path, data_path = self._at(name, METADATA), self._at(name, DATA)
        try:
            metadata, data = _opened(metadata_path), _opened(data_path)
            raw = metadata.content()
            if (
                self._journal.mentions(f"{name}.")
                or not _is_still(metadata, metadata_path)
                or not _is_still(data, data_path)
            ):
                return None
        except FileNotFoundError:
            return None
        return Pair(data, _loaded(raw, metadata_path))

    def _settle(self, name: str) -> None:
        if self._journal.mentions(f"{name}."):
            self._journal.settle()

    def _is_there(self, name: str, suffix: str) -> bool:
        # exists() would take a disk that fails for a file that is missing.
        try:
            os.stat(self._at(name, suffix))  # noqa: PTH116 - called very often
        except FileNotFoundError:
            return False
        return True

    def _at(self, name: str, suffix: str) -> str:
        return f"{self._root}/{name}{suffix}"


def files_of(name: str) -> list[str]:
    """Return the names of the files of a pair; the first one says that it exists."""
    suffixes = (METADATA, DATA, KEY) if is_long(name) else (METADATA, DATA)
    return [name + suffix for suffix in suffixes]


def _opened(path: str) -> OpenedFile:
    # O_NONBLOCK does nothing to files; at a pipe, nobody would be waited for.
    file = OpenedFile(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), path)
    if not stat.S_ISREG(file.status.st_mode):
        raise FileDamaged(f"{path} is no file.")
    return file


def _is_still(file: OpenedFile, path: str) -> bool:
    status = os.stat(path)  # noqa: PTH116 - called very often
    return status.st_ino == file.status.st_ino and status.st_dev == file.status.st_dev


def _parsed(path: str) -> Metadata:
    file = _opened(path)
    try:
        return _loaded(file.content(), path)
    finally:
        file.close()


def _loaded(raw: bytes, path: str) -> Metadata:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise FileDamaged(f"{path} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise FileDamaged(f"{path} holds no metadata, but {found!r:.100}.")
    return found
