"""Workbenches: the temporary local folder of one job."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self

from deliverystore import fsops
from deliverystore.conf import conf
from deliverystore.exceptions import InvalidName, SettingInvalid
from deliverystore.publishing.filepaths import Filepath, clean_listy_filepath
from deliverystore.publishing.storage import StorageInterface
from deliverystore.streams import CHUNK_SIZE

# Held locked as long as the process of the workbench lives.
_LEASE = ".lease"
# Nothing else in the base is ever removed: it may be the wrong folder.
_NAME = re.compile("[0-9a-f]{16}")


class Workbench:
    """A temporary folder of one job, for nobody else; gone when its block ends.

    made by WorkbenchManager.create().
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lease = contextlib.ExitStack()
        self._policy = fsops.Policy(
            root=path.parent,
            durability=fsops.Durability.NONE,
            file_permissions=0o600,
            folder_permissions=0o700,
        )
        fsops.make_folders(path, self._policy)
        fsops.create(path / _LEASE, "xb").close()
        self._lease.enter_context(fsops.exclusive(path / _LEASE))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.destroy()

    def joinpath(self, *parts: str) -> Path:
        """Return a path in the workbench. Raise InvalidName if it would leave it."""
        path = PurePosixPath(*parts)
        if path.is_absolute() or ".." in path.parts:
            raise InvalidName(f"{path} leaves the workbench.")
        return self.path / path

    def localized_file(
        self,
        storage: StorageInterface,
        filepath: Filepath,
        filename_if_copying: str | None = None,
        *,
        keep_extension_if_copying: bool = True,
        writable: bool = False,
    ) -> Path:
        """Return the local path of a file, copied into the workbench if need be.

        In a local storage it is the path of the file itself, which must only be read;
        writable asks for a copy in any case. Raise FileNotFound.
        """
        if storage.local_storage and not writable:
            return Path(storage.get_local_path(filepath))
        last = clean_listy_filepath(filepath)[-1]
        filename = filename_if_copying or last
        if filename_if_copying and keep_extension_if_copying:
            filename += PurePosixPath(last).suffix
        with storage.get_file(filepath) as source:
            return self.add(filename, source)

    def add(self, filename: str, source: IO[bytes]) -> Path:
        """Copy an open file into the workbench, and return the path that it gets."""
        path = self.path / clean_listy_filepath([filename])[0]
        with fsops.new_file(path, self._policy, another_path=_next) as copy:
            shutil.copyfileobj(source, copy, CHUNK_SIZE)
        return copy.path

    def destroy(self) -> None:
        """Remove the folder with all that is in it; do nothing if it is gone."""
        with self._lease, contextlib.suppress(FileNotFoundError):
            fsops.remove_tree(self.path)


class WorkbenchManager:
    """Makes workbenches in a folder, and finds those whose processes are gone.

    base defaults to DELIVERY_STORE_WORKBENCH_ROOT or, without that, to a folder for
    this user among the temporary files of the machine.
    """

    def __init__(self, base: str | Path | None = None) -> None:
        self._base = base

    @property
    def base(self) -> Path:
        """The folder of all workbenches."""
        given = self._base or conf.DELIVERY_STORE_WORKBENCH_ROOT
        return Path(given) if given else _own_folder()

    def create(self) -> Workbench:
        """Return a new workbench, to be used as a context manager."""
        return Workbench(self.base / secrets.token_hex(8))

    def abandoned(self, older_than: float) -> Iterator[Path]:
        """Yield the workbenches in which nobody is at work, older than these seconds.

        Whether somebody is, only this machine knows: a base is not to be shared.
        """
        before = time.time() - older_than
        with contextlib.suppress(FileNotFoundError):
            for path in sorted(self.base.iterdir()):
                if not _NAME.fullmatch(path.name):
                    continue
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    if path.lstat().st_mtime <= before and not _is_leased(path):
                        yield path

    def clear(self, older_than: float) -> list[Path]:
        """Remove what abandoned() tells of, and return it."""
        removed = []
        for path in self.abandoned(older_than):
            with contextlib.suppress(FileNotFoundError):
                fsops.remove_tree(path)
                removed.append(path)
        return removed


def _is_leased(path: Path) -> bool:
    """Tell whether the process that made a workbench is alive."""
    try:
        with fsops.exclusive(path / _LEASE):
            return False
    except FileNotFoundError:
        # Killed before it had a lease, or while it was destroyed.
        if not path.is_dir():
            raise
        return False
    except BlockingIOError:
        return True


def _own_folder() -> Path:
    """Return a folder of this user; raise SettingInvalid if another one made it."""
    path = Path(tempfile.gettempdir()) / f"deliverystore-workbench-{os.getuid()}"
    with contextlib.suppress(FileNotFoundError):
        if path.lstat().st_uid != os.getuid() or path.is_symlink():
            raise SettingInvalid(
                f"{path} belongs to somebody else: set DELIVERY_STORE_WORKBENCH_ROOT."
            )
    return path


def _next(path: Path) -> Path:
    """Return the next path to try: "a.jpg", "a-2.jpg", "a-3.jpg"."""
    stem, _, number = path.stem.rpartition("-")
    if stem and number.isdecimal():
        return path.with_stem(f"{stem}-{int(number) + 1}")
    return path.with_stem(f"{path.stem}-2")
