"""FileSystemStore: two files in a folder for each key."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from deliverystore import fsops
from deliverystore.conf import conf
from deliverystore.exceptions import FileDamaged, StoreNotFound
from deliverystore.kvstore.base import AbstractStore
from deliverystore.kvstore.changes import Applied, Change
from deliverystore.kvstore.filenames import is_long, name_of
from deliverystore.kvstore.journal import Journal
from deliverystore.kvstore.metadata import Matcher, Metadata
from deliverystore.kvstore.openfiles import OpenedFile
from deliverystore.kvstore.pairs import DATA, KEY, METADATA, Pairs, files_of
from deliverystore.kvstore.reading import missing
from deliverystore.kvstore.values import Value
from deliverystore.paths import TEMPORARY_PREFIX

logger = logging.getLogger(__name__)

_MAGIC = b"__version__ = 0\n"


def init_shared_store(
    path: str | os.PathLike[str],
    magic_fname: str = ".FSStore",
    *,
    durability: str | None = None,
) -> None:
    """Make a folder a store, and the folder; do nothing if it is one already.

    durability, "full" or "none", defaults to DELIVERY_STORE_DURABILITY.
    """
    if not os.fspath(path):
        raise ValueError("The path of a store is empty: name a folder.")
    root = Path(path).absolute()
    policy = _policy(root, durability)
    fsops.make_folders(root, policy)
    if not (root / magic_fname).exists():
        temporary = fsops.write_temporary(root, [_MAGIC], policy)
        try:
            fsops.give_name(temporary, str(root / magic_fname))
        finally:
            fsops.drop(temporary)
    fsops.sync_folders([root], policy)


class FileSystemStore(AbstractStore):
    """Keeps data in <key>.data and metadata, as JSON, in <key>.metadata.

    path is a folder that init_shared_store() has made a store, with its magic file;
    else StoreNotFound is raised, also later if the folder is gone by then. Many
    processes and threads can use it at once. durability, "full" or "none", defaults to
    DELIVERY_STORE_DURABILITY.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        magic_fname: str = ".FSStore",
        *,
        durability: str | None = None,
    ) -> None:
        super().__init__()
        self.path = Path(path).absolute()
        self._magic = self.path / magic_fname
        self._check_magic()
        self._journal = Journal(self.path, _policy(self.path, durability))
        self._pairs = Pairs(self.path, self._journal)

    def __repr__(self) -> str:
        return f"FileSystemStore({str(self.path)!r})"

    def info(self) -> Metadata:
        return {**super().info(), "version": 0, "path": str(self.path)}

    def leftovers(self, older_than: timedelta = timedelta(days=1)) -> list[Path]:
        """Return the files that sweep() would remove."""
        before = time.time() - older_than.total_seconds()
        return [
            path
            for folder in (self._journal.folder, self.path)
            for entry in _files(folder)
            if self._is_litter(path := Path(entry)) and _modified(entry) < before
        ]

    def sweep(self, older_than: timedelta = timedelta(days=1)) -> int:
        """Remove what killed writers have left for so long; return how many files."""
        found = self.leftovers(older_than)
        if not found:
            return 0
        with self._journal.alone():
            # Somebody may need by now what nobody needed then.
            litter = [str(path) for path in found if self._is_litter(path)]
            return sum(map(fsops.drop, litter))

    # -- Reading: no lock, no change -------------------------------------------------

    def _read(self, key: str) -> Value:
        pair = self._pairs.read(name_of(key))
        if pair is None:
            self._check_magic()
            raise missing(key)
        modified = datetime.fromtimestamp(pair.data.status.st_mtime, tz=UTC)
        return Value(pair.data, pair.metadata, modified=modified)

    def _read_metadata(self, key: str) -> Metadata:
        metadata = self._pairs.read_metadata(name_of(key))
        if metadata is None:
            self._check_magic()
            raise missing(key)
        return metadata

    def _has(self, key: str) -> bool:
        if self._pairs.exists(name_of(key)):
            return True
        self._check_magic()
        return False

    def _scan(self, matcher: Matcher) -> Iterator[tuple[str, Metadata]]:
        self._check_magic()
        for name, key in self._pairs.names():
            try:
                metadata = self._pairs.load_metadata(name)
            except OSError as error:
                # One damaged file is no reason to find none of the others.
                logger.error("A query leaves out %r: %s", key, error)  # noqa: TRY400
                continue
            if metadata is not None and matcher(metadata):
                yield key, metadata

    def _scan_keys(self, matcher: Matcher) -> Iterator[str]:
        if matcher:
            return super()._scan_keys(matcher)
        self._check_magic()
        return (key for _, key in self._pairs.names())

    # -- Writing ----------------------------------------------------------------------

    def _stage(self, chunks: Iterable[bytes]) -> _StagedFile:
        self._check_magic()
        return _StagedFile(self._journal.write(chunks))

    def _commit(self, changes: Sequence[Change]) -> list[Applied]:
        step = _Step(self._journal, self._pairs)
        try:
            self._check_magic()
            # What is known already is written before anybody has to wait.
            for change in changes:
                step.prepare(change)
            with self._journal.alone():
                # Others may have kept us waiting for long.
                self._check_magic()
                applied = list(filter(None, map(step.add, changes)))
                step.do()
        except BaseException:
            # What is in its place by now is not there any more.
            step.discard(changes)
            raise
        return applied

    def _check_magic(self) -> None:
        """Raise StoreNotFound if the folder is gone, or empty for want of its disk."""
        if not self._magic.is_file():
            raise StoreNotFound(
                f"{self.path} is no key-value store: it has no file "
                f"{self._magic.name!r}. init_shared_store() makes it one."
            )

    def _is_litter(self, path: Path) -> bool:
        """Tell whether a file is temporary, or that of a key that is gone."""
        if path.name.startswith("."):
            return path.name.startswith(TEMPORARY_PREFIX)
        # Others in the journal are those of a step.
        is_of_key = path.suffix in (DATA, KEY) and path.parent == self.path
        return is_of_key and not self._pairs.is_there(path.stem)


class _Step:
    """Turns changes into files to be, and does them."""

    def __init__(self, journal: Journal, pairs: Pairs) -> None:
        self._journal = journal
        self._pairs = pairs
        self._files: dict[str, str | None] = {}
        self._metadata: dict[str, str] = {}
        # Whether there is one change only, and it makes a new key.
        self._makes_one = False
        self.temporary: list[str] = []

    def discard(self, changes: Iterable[Change]) -> None:
        """Remove what was written for the step, and for the changes."""
        data = [one.data.path for one in changes if isinstance(one.data, _StagedFile)]
        for path in {*self.temporary, *data}:
            fsops.drop(path)

    def prepare(self, change: Change) -> None:
        """Write what does not depend on what is there."""
        if change.metadata is not None:
            self._metadata[change.key] = self._write(_dumped(change.metadata))

    def add(self, change: Change) -> Applied | None:
        """Add the files of a change; return what it does, or None if that is nothing.

        Raise KeyNotFound if the key is missing, and required.
        """
        key, name = change.key, name_of(change.key)
        existed = self._pairs.is_there(name)
        if not existed and change.required:
            raise missing(key)
        if not change.is_deletion:
            metadata = self._add_files(change, name, existed=existed)
        elif existed:
            self._makes_one = False
            metadata = self._last_metadata(name)
            self._files |= dict.fromkeys(files_of(name))
        else:
            return None
        return Applied(
            key=key, existed=existed, deleted=change.is_deletion, metadata=metadata
        )

    def _add_files(self, change: Change, name: str, *, existed: bool) -> Metadata:
        """Add the files that are to be, and return the metadata."""
        is_new = change.removed or not existed
        self._makes_one = not self._files and not existed
        stays = change.metadata is None and not is_new
        before = self._pairs.read_metadata(name) if stays else None
        metadata = change.metadata_after(before)
        if change.data is not None:
            self._files[name + DATA] = cast("_StagedFile", change.data).path
        elif is_new:
            self._files[name + DATA] = self._write(b"")
        if is_new and is_long(name):
            self._files[name + KEY] = self._write(change.key.encode())
        if change.metadata is not None:
            self._files[name + METADATA] = self._metadata[change.key]
        elif is_new or change.update:
            self._files[name + METADATA] = self._write(_dumped(metadata))
        return metadata

    def do(self) -> None:
        """Let all files have their names, or be gone; only when alone."""
        first, *others = self._files or [""]
        temporary = self._files.get(first)
        if self._makes_one:
            self._journal.make(self._files)
        elif not others and temporary is not None:
            self._journal.replace(first, temporary)
        elif self._is_one_deletion(first):
            self._journal.remove(first, others)
        elif self._files:
            self._journal.do(self._files)

    def _is_one_deletion(self, first: str) -> bool:
        name = first.removesuffix(METADATA)
        return self._files == dict.fromkeys(files_of(name))

    def _last_metadata(self, name: str) -> Metadata:
        try:
            return self._pairs.read_metadata(name) or {}
        except FileDamaged:
            return {}

    def _write(self, content: bytes) -> str:
        path = self._journal.write([content])
        self.temporary.append(path)
        return path


class _StagedFile:
    """Data in a temporary file."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def size(self) -> int:
        return os.stat(self.path).st_size  # noqa: PTH116

    def open(self) -> BinaryIO:
        return self._opened().open()

    def open_range(self, start: int, length: int) -> BinaryIO:
        return self._opened().open_range(start, length)

    def close(self) -> None:
        """Do nothing: each reader has opened it by itself."""

    def discard(self) -> None:
        fsops.drop(self.path)

    def _opened(self) -> OpenedFile:
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        return OpenedFile(fd, self.path)


def _policy(root: Path, durability: str | None) -> fsops.Policy:
    durability = durability or conf.DELIVERY_STORE_DURABILITY
    if durability not in list(fsops.Durability):
        raise ValueError(f'durability is "full" or "none", not {durability!r}.')
    return fsops.Policy(root=root, durability=fsops.Durability(durability))


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files in a folder, none if there is no folder."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from (one for one in entries if not one.is_dir(follow_symlinks=False))


def _modified(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        # Who has written it has just removed it, or needs it.
        return math.inf


def _dumped(metadata: Metadata) -> bytes:
    # A surrogate, of which encore.storage takes no notice, is escaped as JSON does it.
    return json.dumps(metadata, ensure_ascii=False).encode(errors="backslashreplace")
