"""FileStore: files on their way from one process to another, each for one taker."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from threading import Event
from typing import IO, Any

from deliverystore import fsops
from deliverystore.conf import conf
from deliverystore.exceptions import ClaimLost
from deliverystore.paths import last_part
from deliverystore.spool import counting, recovering, watching
from deliverystore.spool.claims import Claim, Terms
from deliverystore.spool.counting import SpoolStatus
from deliverystore.spool.folders import FAILED, SpoolFolders
from deliverystore.spool.lookahead import LookAhead
from deliverystore.spool.names import is_hidden, new_name, parse
from deliverystore.spool.recovering import Recovery

# Below, list is a method.
Paths = list[str]

# The end of a lease must fit in a name.
_LONGEST_LEASE = timedelta(days=36_500)
_MODE = re.compile(r"[wxa](?=[bt+]{0,2}$)")


class FileStore:
    """A folder in which files are written, handed over, claimed and done.

    path is the folder. A claim holds for lease; a file is tried max_attempts times. A
    file in new that was changed, renamed or given back within the last settle is not
    claimed yet: somebody may be writing to it. With a settle, nor is one that the
    system says is open for writing. durability, "full" or "none", defaults to
    DELIVERY_STORE_DURABILITY. An object may be shared by threads.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        lease: timedelta = timedelta(minutes=5),
        max_attempts: int = 3,
        settle: timedelta = timedelta(0),
        durability: str | None = None,
    ) -> None:
        if not timedelta(0) < _time("lease", lease) <= _LONGEST_LEASE:
            raise ValueError(
                f"lease: {lease}, but a lease is above 0 and at most 100 years."
            )
        if _time("settle", settle) < timedelta(0):
            raise ValueError(f"settle: {settle} is below 0.")
        if max_attempts < 1:
            raise ValueError(
                f"max_attempts: {max_attempts}, but a file is tried once at least."
            )
        if not os.fspath(path):
            raise ValueError("path: it is empty; the current folder is called '.'.")
        self.path = Path(path).absolute()
        self._folders = SpoolFolders(
            self.path, fsops.Durability(durability or conf.DELIVERY_STORE_DURABILITY)
        )
        self._terms = Terms(lease=lease.total_seconds(), max_attempts=max_attempts)
        self._ahead = LookAhead(self._folders.new, settle.total_seconds())

    def __repr__(self) -> str:
        return f"FileStore({str(self.path)!r})"

    def prepare(self) -> None:
        """Make tmp, new and cur; do nothing if they are there."""
        self._folders.prepare()

    # -- Files by name: leading folders of a filename are left out everywhere --------

    def create(self, filename: str, mode: str = "w") -> IO[Any]:
        """Open a new file in tmp, for text in UTF-8 unless mode says "b".

        The caller closes it, then moves it. Raise FileExists if tmp has one of this
        name: somebody may be writing to it.
        """
        exclusive, count = _MODE.subn("x", mode, count=1)
        if not count:
            raise ValueError(f"{mode!r} opens no new file; write w, wb, w+ or w+b.")
        return fsops.create(self._folders.tmp / new_name(filename), exclusive)

    @contextlib.contextmanager
    def writing(self, filename: str) -> Iterator[fsops.PendingFile]:
        """Give a file to the block, for str in UTF-8 and bytes; then hand it over.

        It appears in new, whole and durable, when the block ends; not at all if that
        raises. Raise FileExists if new has one of this name.
        """
        folders = self._folders
        name = new_name(filename)
        folders.confirm()
        with fsops.new_file(
            folders.new / name, folders.policy, draft_folder=folders.tmp
        ) as file:
            yield file

    def move(self, filename: str, source: str, destination: str) -> None:
        """Move a file to another section; of several who try at once, one does.

        When it returns, the file is durable. Raise FileExists if the destination has
        one of this name, FileNotFoundError if the source has none, OSError if that is
        a link or no file.
        """
        folders = self._folders
        name = last_part(filename)
        old, new = folders.section(source) / name, folders.section(destination) / name
        folders.confirm()
        fsops.rename(old, new, folders.policy)

    def copy(self, filename: str, source: str, destination: str) -> None:
        """Copy a file to another section, where it appears whole and durable.

        Raise FileExists if the destination has one of this name, FileNotFoundError if
        the source has none, OSError if that is a link or no file.
        """
        folders = self._folders
        name = last_part(filename)
        old, new = folders.section(source) / name, folders.section(destination) / name
        policy = fsops.Policy(root=new.parent, durability=folders.policy.durability)
        folders.confirm()
        fsops.copy_file(old, new, policy, draft_folder=folders.tmp, follow_links=False)

    def remove(self, filename: str, section: str) -> None:
        """Remove a file. Raise FileNotFoundError if there is none of this name."""
        folder = self._folders.section(section)
        fsops.remove(folder / last_part(filename), self._folders.policy)

    def list(self, section: str) -> Paths:
        """Return the full paths of the files in a section, by name.

        Hidden files, folders, links and pipes are left out.
        """
        return _listed(self._folders.section(section))

    # -- Claims ----------------------------------------------------------------------

    def claim(self) -> Claim | None:
        """Take the file that waits for longest, or return None if none does.

        Exactly one of any number of processes gets it. Where several take files at
        once, the order is not exact.
        """
        while (name := self._ahead.next()) is not None:
            if (claim := self._take(name)) is not None:
                self._ahead.hit()
                return claim
            self._ahead.missed()
        return None

    def claims(self, limit: int | None = None) -> Iterator[Claim]:
        """Yield claims, at most limit, until no file waits.

        Each is taken when it is asked for, so that no lease runs before its turn.
        """
        return islice(iter(self.claim, None), limit)

    def release(self, claim: Claim) -> None:
        """Give a file back as if it had not been claimed; as Claim.release() does."""
        claim.release()

    def recover(self, now: datetime | None = None) -> Recovery:
        """Give back the files of claims whose lease has ended; now is aware.

        Those that were tried max_attempts times go to failed. Files that move() has
        brought to cur have no lease, and stay.
        """
        moment = time.time() if now is None else now.timestamp()
        return recovering.recover(self._folders, self._terms, moment)

    def leftovers(self, older_than: timedelta) -> Paths:
        """Return the full paths of the files that sweep() would remove."""
        return recovering.leftovers(self._folders, _ago(older_than))

    def sweep(self, older_than: timedelta) -> int:
        """Remove files in tmp that were not changed for so long; return how many."""
        return recovering.sweep(self._folders, _ago(older_than))

    def watch(
        self, stop: Event | None = None, *, interval: timedelta = timedelta(seconds=1)
    ) -> Generator[Claim, None, None]:
        """Yield claims as files arrive, and recover() now and then, until stop is set.

        With the extra "watch" the system tells when a file arrives; else, and besides,
        the folder is looked at after each interval.
        """
        pause = _time("interval", interval).total_seconds()
        return watching.watch(self, self._folders.new, stop or Event(), pause)

    @property
    def lease(self) -> timedelta:
        """How long a claim holds."""
        return timedelta(seconds=self._terms.lease)

    @property
    def put_aside(self) -> int:
        """How many files this object has moved to failed and could not claim.

        Their names are too long, or they are no files.
        """
        return self._folders.put_aside_count

    # -- What there is ---------------------------------------------------------------

    def status(self, limit: int | None = None) -> SpoolStatus:
        """Count the files that wait, are claimed, or have failed.

        With a limit, at most one more is looked at in each folder, so that it takes no
        longer however many there are: above the limit, waiting and ignored together,
        claimed or failed say that there are more.
        Raise FileNotFoundError if this is no spool.
        """
        return counting.status(self._folders, time.time(), limit)

    def failed(self) -> Paths:
        """Return the full paths of the files that were tried too often, by name."""
        try:
            with os.scandir(self.path / FAILED) as entries:
                return sorted(one.path for one in entries if not is_hidden(one.name))
        except FileNotFoundError:
            return []

    def retry(self, filename: str) -> None:
        """Let a file that failed() names wait again, as if it had never been tried.

        Raise FileExists if new has one of its name, FileNotFoundError if it is gone,
        OSError if it is a link or no file.
        """
        folders = self._folders
        old = folders.failed / last_part(filename)
        new = folders.new / parse(old.name).filename
        fsops.rename(old, new, folders.policy)

    def _take(self, name: str) -> Claim | None:
        folders = self._folders
        claimed = parse(name).claimed(time.time() + self._terms.lease)
        if not claimed.fits:
            folders.put_aside(name)
            return None
        number = folders.take(name, str(claimed))
        if number is None:
            return None
        status = folders.status(str(claimed))
        if status is None:
            # It was given back already: this process stood still meanwhile.
            return None
        if not stat.S_ISREG(status.st_mode):
            folders.refuse(claimed)
            return None
        claim = Claim(folders, self._terms, claimed, number, status)
        if self._ahead.is_being_written(str(claim.path)):
            # Opened at the last moment. From now on nobody opens it by its old name.
            with contextlib.suppress(ClaimLost):
                claim.release()
            return None
        return claim


def _time(name: str, value: timedelta) -> timedelta:
    """Return a length of time. Raise TypeError if it is a bare number."""
    if not isinstance(value, timedelta):
        raise TypeError(f"{name}: {value!r} is no timedelta.")
    return value


def _ago(older_than: timedelta) -> float:
    return time.time() - _time("older_than", older_than).total_seconds()


def _listed(folder: Path) -> Paths:
    """Return the full paths of the files in a folder, by name."""
    with os.scandir(folder) as entries:
        found = [
            entry.path
            for entry in entries
            if not is_hidden(entry.name) and entry.is_file(follow_symlinks=False)
        ]
    return sorted(found)
