"""Delivery stores in a folder of the local file system."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

from deliverystore import fsops, paths
from deliverystore.backends.base import (
    Capability,
    DeliveryStoreInterface,
    StoredFile,
)
from deliverystore.backends.walking import (
    StoredEntry,
    Visit,
    local_children,
    local_leftovers,
    pass_by,
    walk_names,
)
from deliverystore.backends.writing import PendingWrite
from deliverystore.conf import conf
from deliverystore.exceptions import InvalidName, SettingInvalid


@deconstructible(path="deliverystore.backends.FsDeliveryStore")
class FsDeliveryStore(DeliveryStoreInterface, FileSystemStorage):
    """Keeps each file at <root>/<delivery id>/<filemeta id>, durably.

    As a Django storage it behaves like FileSystemStorage, but a name holds the whole
    content or nothing, and what save() answered survives a power cut. root defaults
    to DELIVERY_STORE_ROOT, durability ("full" or "none") to DELIVERY_STORE_DURABILITY,
    the permissions to FILE_UPLOAD_PERMISSIONS and FILE_UPLOAD_DIRECTORY_PERMISSIONS.
    Without a base_url the files have no URL.
    """

    capabilities = frozenset(Capability)

    def __init__(
        self,
        root: str | Path | None = None,
        *,
        base_url: str | None = None,
        file_permissions_mode: int | None = None,
        directory_permissions_mode: int | None = None,
        allow_overwrite: bool = False,
        durability: str | None = None,
    ) -> None:
        super().__init__(
            root,
            base_url,
            file_permissions_mode,
            directory_permissions_mode,
            allow_overwrite,
        )
        self._root = root
        self._url_prefix = base_url
        self._replaces = allow_overwrite
        self._durability = durability

    @property
    def base_location(self) -> str | Path:
        """The folder as it was given; read from the settings at each use."""
        root = self._root or conf.DELIVERY_STORE_ROOT
        if not root:
            raise SettingInvalid(
                "DELIVERY_STORE_ROOT is not set: name the folder for the files."
            )
        return root

    @property
    def location(self) -> str:
        """The absolute path of the folder."""
        # Without "..", like the paths that Django makes below it.
        return os.path.abspath(self.base_location)  # noqa: PTH100

    @property
    def base_url(self) -> str | None:  # type: ignore[override]
        """The URL prefix of the files, if they are to have any."""
        prefix = self._url_prefix
        return prefix if prefix is None or prefix.endswith("/") else f"{prefix}/"

    @property
    def policy(self) -> fsops.Policy:
        """How this store changes its folder."""
        return fsops.Policy(
            root=Path(self.location),
            durability=fsops.Durability(
                self._durability or conf.DELIVERY_STORE_DURABILITY
            ),
            file_permissions=self.file_permissions_mode,
            folder_permissions=self.directory_permissions_mode,
        )

    def path(self, name: str) -> str:
        path = super().path(name)
        parts = Path(path).relative_to(self.location).parts
        if any(map(paths.is_temporary, parts)) or "\x00" in path:
            raise InvalidName(f"{name!r} is no name of a stored file.")
        return path

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        folders, files = super().listdir(path)
        return folders, [name for name in files if not paths.is_temporary(name)]

    def delete(self, name: str) -> None:
        if not name:
            raise ValueError("The name must be given to delete().")
        path, policy = Path(self.path(name)), self.policy
        delete = fsops.remove_folder if path.is_dir() else fsops.remove
        try:
            delete(path, policy)
        except FileNotFoundError:
            return

    def walk(self, after: str = "", *, visit: Visit = pass_by) -> Iterator[StoredEntry]:
        root = Path(self.location)
        for name in walk_names(local_children(root), after, visit=visit):
            try:
                status = (root / name).stat()
            except FileNotFoundError:
                continue
            except OSError as error:
                visit(name, error)
                continue
            if stat.S_ISREG(status.st_mode):
                modified = fsops.changed(status.st_mtime)
                yield StoredEntry(name=name, size=status.st_size, modified=modified)

    def leftovers(self, before: datetime, *, visit: Visit = pass_by) -> Iterator[str]:
        return local_leftovers(Path(self.location), before.timestamp(), visit=visit)

    def remove_leftover(self, name: str) -> None:
        folder, _, last = name.rpartition("/")
        if not paths.is_temporary(last):
            raise InvalidName(f"{name!r} is no temporary file.")
        path = Path(self.path(folder)) / last
        with self._translated(name):
            fsops.remove(path, self.policy)
        fsops.remove_empty_folders(path.parent, self.policy)

    def _open(self, name: str, mode: str = "rb") -> File:
        return File(Path(self.path(name)).open(mode))

    def _exists(self, name: str) -> bool:
        return FileSystemStorage.exists(self, name)

    def _save(self, name: str, content: File) -> str:
        with fsops.new_file(
            Path(self.path(name)),
            self.policy,
            replace=self._replaces,
            another_path=self._available_path,
        ) as new:
            if hasattr(content, "temporary_file_path"):
                content.flush()
                with Path(content.temporary_file_path()).open("rb") as uploaded:
                    fsops.copy_content(uploaded, new)
            else:
                for chunk in content.chunks():
                    new.write(chunk)
        return self._name_at(new.path)

    def _write_open(
        self,
        name: str,
        file: str | StoredFile,
        *,
        replace: bool = True,
        group: object | None = None,
    ) -> PendingWrite:
        return fsops.new_file(
            Path(self.path(name)),
            self.policy,
            replace=replace,
            group=group if isinstance(group, fsops.Group) else None,
        )

    def _group(self) -> AbstractContextManager[fsops.Group]:
        return fsops.Group()

    def _remove(self, name: str) -> None:
        path, policy = Path(self.path(name)), self.policy
        fsops.remove(path, policy)
        fsops.remove_empty_folders(path.parent, policy)

    def _copy(
        self, name: str, target: str | StoredFile, group: object | None = None
    ) -> None:
        fsops.copy_file(
            Path(self.path(name)),
            Path(self.path(self.name_of(target))),
            self.policy,
            replace=True,
            group=group if isinstance(group, fsops.Group) else None,
        )

    def _available_path(self, path: Path) -> Path:
        return Path(self.path(self.get_available_name(self._name_at(path))))

    def _name_at(self, path: Path) -> str:
        return path.relative_to(self.location).as_posix()


@deconstructible(path="deliverystore.backends.FsHierDeliveryStore")
class FsHierDeliveryStore(FsDeliveryStore):
    """Keeps each file at <root>/<top>/<sub>/<delivery id>/<filemeta id>.

    No folder gets more than interval entries (but the root, which gets one for each
    interval * interval deliveries). interval defaults to DELIVERY_STORE_INTERVAL;
    changing it later hides what is stored already.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        interval: int | None = None,
        **options: object,
    ) -> None:
        super().__init__(root, **options)  # type: ignore[arg-type]
        self._interval = interval

    @property
    def interval(self) -> int:
        """How many deliveries share a folder; read from the settings at each use."""
        interval: object = self._interval
        if interval is None:
            interval = conf.DELIVERY_STORE_INTERVAL
        # A float would make folders such as "0.0".
        if not isinstance(interval, int) or interval < 1:
            raise SettingInvalid(
                f"The interval is {interval!r}; DELIVERY_STORE_INTERVAL must be "
                "a whole number from 1 on."
            )
        return interval

    def get_path_from_deliveryid(self, deliveryid: int) -> str:
        """Return "<top>/<sub>", the folder of a delivery's folder below the root."""
        interval = self.interval
        top, rest = divmod(deliveryid, interval * interval)
        return f"{top}/{rest // interval}"

    def get_name(self, file: StoredFile) -> str:
        folder = self.get_path_from_deliveryid(file.delivery_id or 0)
        return f"{folder}/{super().get_name(file)}"
