"""The data center: a place where files with rows come in, wait, and are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.core.files.storage import Storage

from deliverystore.datacenter import (
    deleting,
    distribution,
    files,
    logs,
    moving,
    naming,
    permissions,
    reader,
    restoring,
    uploading,
)
from deliverystore.datacenter.files import LIMIT, DataCenterFile, Sort
from deliverystore.datacenter.free_names import OnTaken
from deliverystore.datacenter.journal import Distribution
from deliverystore.datacenter.naming import DELETED, FINISHED, LOGS, UNFINISHED
from deliverystore.datacenter.places import FolderPlace, Place, StoragePlace, place_at
from deliverystore.datacenter.reader import Report
from deliverystore.datacenter.tables import Layout
from deliverystore.datacenter.uploading import Uploaded
from deliverystore.exceptions import InvalidName
from deliverystore.signals import storage_moved
from deliverystore.streams import Data

if TYPE_CHECKING:
    from deliverystore.models.access import User


class DataCenter:
    """A place for files with rows: by default the one that the settings name.

    location is a folder, whose subfolders are made, or a Storage. Relative paths are
    those of its files, such as "N.csv" or "finished/N.csv". user is who is asked for
    a permission, where there is one, and named in the log; without, the site does it.
    """

    def __init__(self, location: str | Path | Storage | None = None) -> None:
        self._use(place_at(location))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.location}>"

    @property
    def place(self) -> Place:
        """The store with the files, for the services of this package."""
        return self._place

    @property
    def location(self) -> str:
        """The absolute path of the folder, or the prefix in the storage."""
        if isinstance(self._place, StoragePlace):
            return self._place.root
        return str(getattr(self._place, "location", ""))

    @property
    def deleted_path(self) -> str:
        """Where deleted files are, until they are restored or somebody removes them."""
        return f"{self.location}/{DELETED}" if self.location else DELETED

    # -- Lists ---------------------------------------------------------------------

    def get_pending_files(
        self, sort: Sort = "name", limit: int = LIMIT
    ) -> list[DataCenterFile]:
        """Return the files that wait: by name, or by date with the newest first."""
        return files.listed(self._place, [""], sort, limit)

    def get_finished_files(self, limit: int = 100) -> list[DataCenterFile]:
        """Return the newest files whose rows are in, and what went in, newest first."""
        return files.listed(self._place, [FINISHED], "date", limit)

    def get_unfinished_files(
        self, sort: Sort = "name", limit: int = LIMIT
    ) -> list[DataCenterFile]:
        """Return the originals whose rows are not all in yet."""
        return files.listed(self._place, [UNFINISHED], sort, limit)

    def get_deleted_files(
        self, sort: Sort = "date", limit: int = LIMIT
    ) -> list[DataCenterFile]:
        """Return what was deleted and can be restored."""
        folders = [f"{DELETED}/{name}" for name in (FINISHED, UNFINISHED)]
        return files.listed(self._place, [DELETED, *folders], sort, limit)

    def get_log_files(self) -> list[DataCenterFile]:
        """Return the logs and their rotated backups, by name."""
        return files.listed(self._place, [LOGS], "name", LIMIT, is_wanted=bool)

    def get_file(self, relative_path: str) -> DataCenterFile:
        """Return one file; raise FileNotFound if there is none."""
        entry = self._place.entry(naming.clean_path(relative_path))
        return files.files_of([entry])[0]

    # -- One file ------------------------------------------------------------------

    def open(self, relative_path: str, *, user: User | None = None) -> BinaryIO:
        """Return a file, open for reading bytes; the caller closes it.

        With a user it is a download. Raise NotPermitted, FileNotFound.
        """
        path = naming.clean_path(relative_path)
        is_log = path.startswith(f"{LOGS}/")
        permission = permissions.VIEW_LOGS if is_log else permissions.DOWNLOAD
        permissions.ask(user, "download files of the data center", permission)
        if path.startswith(f"{DELETED}/"):
            permissions.ask(user, "see what was deleted", permissions.DELETE)
        file = self._place.read_open(path)
        if user is not None:
            logs.log_event("download", path, user)
        return file

    def count_records(
        self, relative_path: str, count: Callable[[BinaryIO], int]
    ) -> int:
        """Return how many records a file has; count is called if nobody knows yet."""
        file = self.get_file(relative_path)
        if file.records is None:
            with self.open(relative_path) as opened:
                records = count(opened)
            files.remember_records(file, records)
            return records
        return file.records

    def upload(
        self,
        filename: str,
        data: Data,
        *,
        on_taken: OnTaken = OnTaken.REFUSE,
        user: User | None = None,
        notify: bool = True,
    ) -> Uploaded:
        """Store a file that comes in, as a stream; when it returns, it is kept.

        It is checked, but kept whatever is found: its report says what. Once that is
        committed, who may import gets an e-mail, unless notify says otherwise. Rows
        that a run has left make room for the same rows, mended, if on_taken says so;
        what is nearly called like them ("N.create.pending (1).csv") is taken for them.

        Raise NotPermitted; InvalidName if it cannot have its name; FileExists if that
        is taken, and was not to be changed; FileTooLarge; TooManyFiles if too many
        wait; RunBusy, or RunRefused, if what was to make room is being imported, or
        was; MissingExtra if it is a workbook and there is no extra "xlsx".
        """
        return uploading.upload(
            self, filename, data, on_taken=on_taken, user=user, notify=notify
        )

    def check(self, relative_path: str, layout: Layout | None = None) -> Report:
        """Report what is wrong with a file; what layout leaves open is found out."""
        declared = (layout or Layout()).declared
        with self.open(relative_path) as file:
            return reader.check(file, name=relative_path, **declared)

    def delete(self, relative_path: str, *, user: User | None = None) -> str:
        """Move a file to the deleted ones; return its relative path there.

        Raise NotPermitted, or RunBusy if it has a run that is not over.
        """
        return deleting.delete(self._place, relative_path, user)

    def restore(
        self,
        relative_path: str,
        *,
        on_taken: OnTaken = OnTaken.REFUSE,
        user: User | None = None,
    ) -> str:
        """Move a deleted file back to where it was; return its relative path there.

        Rows that a run has left go by their name alone: it is not changed, but they
        can take the place of those that wait.

        Raise NotPermitted; FileExists if its name was taken meanwhile, and is not to
        be changed; RunBusy if what was to make room is being imported.
        """
        return restoring.restore(self._place, relative_path, on_taken, user)

    # -- Runs ----------------------------------------------------------------------

    def distribute_processed_files(
        self,
        successful: bool,  # noqa: FBT001
        source_path: str | Path,
        finished_file: str | Path,
        pending_file: str | Path | None,
        mode: str = "create",
        move_orig: bool = True,  # noqa: FBT001, FBT002
        *,
        append: bool = True,
        user: User | None = None,
    ) -> Distribution | None:
        """Put the files of a run where they belong; killed, it can be called again.

        source_path is that of a waiting file, relative or absolute; the others are
        local files, which are gone when it returns, with their folder if
        make_results_folder made it. Without append, finished_file takes the place of
        what earlier runs have finished. Return None if an earlier call had ended.
        """
        results = distribution.Results(
            source=self._source_name(source_path),
            mode=mode,
            successful=successful,
            finished_file=Path(finished_file).absolute(),
            pending_file=None
            if pending_file is None
            else Path(pending_file).absolute(),
            move_orig=move_orig,
            append=append,
        )
        done = distribution.distribute(self._place, results)
        if done is not None:
            logs.log_event(
                "distribute", results.source, user, mode=mode, to=done.finished
            )
        return done

    def finish_distributions(self) -> int:
        """Do what interrupted distributions have left to do; return how many.

        Raise FileDamaged if a journal is not of this site, after all others.
        """
        return distribution.finish_all(self._place)

    def finish_distribution(self, source: str) -> Distribution | None:
        """Do what is left of the one for a file that waited; return what it did."""
        return distribution.finish(self._place, source)

    # -- The place -----------------------------------------------------------------

    def set_storage_path(
        self,
        path: str | Path | Storage,
        move: bool = False,  # noqa: FBT001, FBT002
        overwrite: bool = False,  # noqa: FBT001, FBT002
        *,
        advance: moving.Advance = lambda _size: None,
        user: User | None = None,
    ) -> list[str]:
        """Use another place from now on; return the paths of files not copied to it.

        With move, all files are brought there: copied, compared, and removed here.
        One whose name another file has there stays, unless overwrite says to replace
        that. Killed, it can be called again. advance is called with numbers of bytes.
        What DataCenter() uses stays a setting. Raise ValueError if there is no such
        folder.
        """
        old, new = self._place, place_at(path)
        moving.check_target(old, new, move=move)
        old_location, not_copied = self.location, []
        move = move and not moving.is_same_place(old, new)
        if move:
            self.finish_distributions()
            not_copied = list(
                moving.copy_files(old, new, overwrite=overwrite, advance=advance)
            )
        self._use(new)
        if move:
            moving.remove_copied(old, new)
        logs.log_event("move", old_location, user, to=self.location)
        storage_moved.send_robust(
            type(self),
            center=self,
            old_location=old_location,
            new_location=self.location,
            not_copied=not_copied,
        )
        return not_copied

    def preview_move(self, path: str | Path | Storage) -> moving.Preview:
        """Say what set_storage_path(path, move=True) would do; change nothing."""
        target = place_at(path)
        moving.check_target(self._place, target, move=True)
        return moving.preview(self._place, target)

    def query_logfiles(
        self,
        basename: str,
        query: str,
        limit: int = 0,
        start: int = 0,
        *,
        user: User | None = None,
    ) -> Iterator[str]:
        """Return the lines of a log and its backups that match, oldest first.

        As logs.query_logfiles says. Raise NotPermitted.
        """
        permissions.ask(user, "search the logs", permissions.VIEW_LOGS)
        return logs.query_logfiles(
            self._place, basename, query, limit=limit, start=start
        )

    # -- Private -------------------------------------------------------------------

    def _use(self, place: Place) -> None:
        self._place = place
        if isinstance(place, FolderPlace):
            place.make_folders(naming.FOLDERS)

    def _source_name(self, source_path: str | Path) -> str:
        path = Path(source_path)
        if path.is_absolute() and path.is_relative_to(self.location):
            path = path.relative_to(self.location)
        if len(path.parts) != 1 or not naming.is_data(path.name):
            raise InvalidName(f"{str(source_path)!r} is no file that waits here.")
        return path.name
