"""Every change to a local file system.

A file is written without a name (O_TMPFILE; where the file system lacks it, under a
temporary name in the same folder), synced, and only then linked to its name; then the
folder is synced. So a name holds nothing, the whole old, or the whole new content at
every moment, also after a power cut. Sources: open(2), linkat(2), fsync(2); Pillai et
al., "All File Systems Are Not Created Equal" (OSDI 2014) for the order of the calls.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import io
import os
import secrets
import shutil
import signal
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, TypeVar

from deliverystore.exceptions import FileDamaged, FileExists, SyncFailed
from deliverystore.paths import TEMPORARY_PREFIX
from deliverystore.streams import DiscardedOnError

# Large enough that small writes do not become system calls.
_BUFFER_SIZE = 128 * 1024
# How much is written before the disk is told to begin, so that the sync finds little
# left to do.
_WRITE_BACK_SIZE = 8 * 1024 * 1024
# Open files that a group holds back before it publishes them.
_GROUP_SIZE = 64
# How often a folder that others remove is made again before giving up.
_TRIES = 100
# What the system says where it has no O_TMPFILE, or no way to give it a name.
_NO_ANONYMOUS = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}
_NO_COPY_RANGE = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP}
# What renameat2(2) says where the file system knows no RENAME_NOREPLACE.
_NO_EXCLUSIVE_RENAME = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_RENAME_NOREPLACE = 1
# The years 1900 and 9999, in seconds since 1970.
_EARLIEST, _LATEST = -2_208_988_800, 253_370_764_800
_CREATE = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
_AT_FDCWD = -100

T = TypeVar("T")


class Durability(StrEnum):
    """How much of a change survives a power cut when the call returns."""

    FULL = "full"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How files and folders come to be below one root.

    root is the folder up to which new folders are synced. The permissions are modes
    such as 0o640; None leaves them to the umask.
    """

    root: Path
    durability: Durability = Durability.FULL
    file_permissions: int | None = None
    folder_permissions: int | None = None

    @property
    def durable(self) -> bool:
        """Whether changes are synced."""
        return self.durability is Durability.FULL


class PendingFile(DiscardedOnError, io.BufferedRandom):
    """A file, open for writing and reading, that gets its name when it is closed.

    Leaving a with block by an exception, discard(), or losing the last reference
    throws it away; then nothing was ever visible.
    """

    def __init__(self, draft: _Draft, group: Group | None = None) -> None:
        super().__init__(io.FileIO(draft.fd, "r+b", closefd=False), _BUFFER_SIZE)
        self._draft = draft
        self._group = group
        self._sent = 0
        self._unsent = 0

    @property
    def path(self) -> Path:
        """The path that the file gets, or has got."""
        return self._draft.path

    def write(self, data: Any, /) -> int:
        """Write bytes, or str as UTF-8; return the number of bytes."""
        with _naming(self.path):
            written = super().write(data.encode() if isinstance(data, str) else data)
        self._unsent += written
        if self._unsent >= _WRITE_BACK_SIZE:
            self._draft.start_writing_back(self._sent)
            self._sent += self._unsent
            self._unsent = 0
        return written

    def close(self) -> None:
        """Publish the file under its name; do nothing when it is closed already.

        Raise FileExists if the name is taken and was not to be replaced. After an
        OSError nothing was published, or the outcome is unknown.
        """
        if self.closed:
            return
        try:
            with _naming(self.path):
                super().close()
        except BaseException:
            self._draft.discard()
            raise
        if self._group is None:
            _publish([self._draft])
        else:
            self._group.take(self._draft)

    def discard(self) -> None:
        """Throw away what was written."""
        if not self.closed:
            self.raw.close()
            self._draft.discard()

    def __del__(self) -> None:
        if hasattr(self, "_draft"):
            self.discard()


@dataclass
class Group:
    """Files that share a barrier: all are synced, then named, then the folders.

    A context manager. The files appear when the block ends, or in batches of 64
    before it; if it raises, those that are still held back are thrown away.
    """

    _drafts: list[_Draft] = field(default_factory=list)
    _ended: bool = False

    def take(self, draft: _Draft) -> None:
        """Hold back a written file until the barrier.

        Raise ValueError if that is over: the file is thrown away.
        """
        if self._ended:
            draft.discard()
            raise ValueError(f"{draft.path} was closed after its group had ended.")
        draft.start_writing_back()
        self._drafts.append(draft)
        if len(self._drafts) >= _GROUP_SIZE:
            self._release()

    def __enter__(self) -> Group:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended = True
        if exc_type is None:
            self._release()
        _discard(self._drafts)

    def _release(self) -> None:
        drafts, self._drafts = self._drafts, []
        _publish(drafts)


def new_file(
    path: Path,
    policy: Policy,
    *,
    replace: bool = False,
    another_path: Callable[[Path], Path] | None = None,
    group: Group | None = None,
    draft_folder: Path | None = None,
) -> PendingFile:
    """Open a new file that appears at path when it is closed; make its folders.

    If the path is taken by then, the file there is replaced if replace is true; else
    another_path, if given, is asked for the next path to try. Until it appears it is
    in draft_folder, on the same file system, or else where it will be.
    """
    folder = draft_folder or path.parent
    fd, temporary = _in_folder(folder, policy, partial(_open_unnamed, folder))
    draft = _Draft(fd, path, policy, replace, another_path, temporary)
    try:
        with _naming(path):
            if policy.file_permissions is not None:
                os.fchmod(fd, policy.file_permissions)
            return PendingFile(draft, group)
    except BaseException:
        draft.discard()
        raise


def create(path: Path, mode: str) -> IO[Any]:
    """Open a new file under its name at once; the caller closes it.

    mode is one of open() with an "x"; text is UTF-8. Nothing is synced. Raise
    FileExists if the name is taken.
    """
    encoding = None if "b" in mode else "utf-8"
    try:
        return path.open(mode, encoding=encoding)
    except FileExistsError as error:
        raise FileExists(f"{path} exists; it is not opened again.") from error


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading and writing, and keep all others out who ask this way.

    Raise BlockingIOError if somebody has it, FileNotFoundError if there is none.
    """
    with path.open("r+b") as file:
        with _naming(path):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_nlink == 0:
                raise FileNotFoundError(f"{path} was removed just now.")
        yield file


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else, who asks this way, is at work in a folder."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with _naming(folder):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def append(file: BinaryIO, offset: int, chunks: Iterable[bytes], policy: Policy) -> int:
    """Write chunks from offset on, where the file is cut; return the number of bytes.

    When it returns, they are synced; if it raises, the file is as good as before up to
    offset. Raise FileDamaged if the file ends before offset.
    """
    path = Path(file.name)
    with _naming(path):
        if os.fstat(file.fileno()).st_size < offset:
            raise FileDamaged(f"{path} has lost bytes before byte {offset}.")
        file.seek(offset)
        file.truncate()
    for chunk in chunks:
        with _naming(path):
            file.write(chunk)
    with _naming(path):
        file.flush()
    if policy.durable:
        with _syncing(path):
            os.fsync(file.fileno())
    return file.tell() - offset


def copy_file(
    source: Path,
    path: Path,
    policy: Policy,
    *,
    replace: bool = False,
    group: Group | None = None,
    draft_folder: Path | None = None,
    follow_links: bool = True,
) -> None:
    """Copy a file inside the kernel, sharing its blocks where the disk can.

    Raise FileExists if path is taken and not to be replaced. Until it is whole, the
    copy is in draft_folder, or else where it will be. Without follow_links, raise
    OSError if source is a link or no file.
    """
    how: dict[str, Any] = {"replace": replace, "group": group}
    opener = None if follow_links else open_file_itself
    with _naming(source):
        opened = open(source, "rb", buffering=0, opener=opener)  # noqa: SIM115
    with (
        opened as original,
        new_file(path, policy, **how, draft_folder=draft_folder) as copy,
    ):
        copy_content(original, copy)


def copy_content(source: BinaryIO | io.FileIO, target: PendingFile) -> None:
    """Copy an open file, not read from yet, into a new one, not written to yet."""
    with _naming(source.name, target.path):
        if not _copy_range(source.fileno(), target.fileno()):
            shutil.copyfileobj(source, target, _BUFFER_SIZE)
        target.seek(0, os.SEEK_END)


def move(source: Path, path: Path, policy: Policy) -> None:
    """Move a file without ever replacing another one; safe to repeat when killed.

    Raise FileExists if path is taken, unless it is another name of the same file,
    as after a move that was killed half way.
    """
    if policy.durable:
        _sync(source)
    try:
        _in_folder(path.parent, policy, partial(os.link, source, path))
    except FileExistsError as error:
        if not _are_names_of_one_file(source, path):
            raise FileExists(f"{path} exists, so {source} was not moved.") from error
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        copy_file(source, path, policy)
    if policy.durable:
        _sync_chain(path.parent, policy.root)
    source.unlink()
    if policy.durable:
        _sync_folder(source.parent)


def rename(source: Path, path: Path, policy: Policy) -> None:
    """Move a file inside its file system; of several who try at once, one does.

    It has one of its names at every moment. Raise FileExists if path is taken,
    FileNotFoundError if the source is gone, OSError if it is a link or no file.
    """
    fd = open_file_itself(source)
    try:
        if policy.durable:
            with _syncing(source):
                os.fsync(fd)
    finally:
        os.close(fd)
    try:
        _rename_new(source, path, policy)
    except FileExistsError as error:
        raise FileExists(f"{path} exists, so {source} was not moved.") from error
    sync_folders([path.parent, source.parent], policy)


def take(source: str, path: str) -> bool:
    """Give a file a name that nobody else ever uses; tell whether it was still there.

    Of several who try at once, one does. Nothing is synced.
    """
    try:
        os.rename(source, path)  # noqa: PTH104 - called very often
    except FileNotFoundError:
        return False
    return True


def drop(path: str) -> bool:
    """Remove a file without a sync; tell whether it was still there."""
    try:
        os.unlink(path)  # noqa: PTH108 - called very often
    except FileNotFoundError:
        return False
    return True


def write_temporary(folder: Path, chunks: Iterable[bytes], policy: Policy) -> str:
    """Write a new file under a temporary name in a folder, and return its path.

    Its content survives a power cut, its name does not yet. If chunks raises, nothing
    is left.
    """
    path = f"{folder}/{_temporary_name()}"
    opened = partial(os.open, path, _CREATE, 0o666)
    try:
        fd = opened()
    except FileNotFoundError:
        fd = _in_folder(folder, policy, opened)
    try:
        try:
            _write_all(fd, path, chunks, policy)
        finally:
            os.close(fd)
    except BaseException:
        drop(path)
        raise
    return path


def give_name(temporary: str, path: str) -> None:
    """Rename a temporary file, in place of what is there; nothing is synced."""
    os.replace(temporary, path)  # noqa: PTH105 - called very often


def add_name(source: str, path: str) -> None:
    """Give a file a second name, in place of what is there; nothing is synced."""
    try:
        os.link(source, path)
    except FileExistsError:
        temporary = str(_temporary_path(Path(path).parent))
        os.link(source, temporary)
        try:
            os.replace(temporary, path)  # noqa: PTH105
        finally:
            # Of two names of one file, replace(2) leaves both.
            drop(temporary)


def mark(path: str) -> None:
    """Make an empty file that says something by its name; nothing is synced."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o666))


def sync_folders(folders: Iterable[Path], policy: Policy) -> None:
    """Make names that came and went in folders survive a power cut."""
    if policy.durable:
        for folder in dict.fromkeys(folders):
            _sync_folder(folder)


def open_file_itself(path: str | Path, flags: int = os.O_RDONLY) -> int:
    """Open a file, an opener for open(): no link is followed, no pipe waited for.

    Raise OSError if it is a link or no file.
    """
    # O_NONBLOCK does nothing to files: open(2).
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, fd)
        with _naming(path):
            is_file = stat.S_ISREG(os.fstat(fd).st_mode)
        if not is_file:
            raise OSError(errno.EINVAL, "Not a file", str(path))
        stack.pop_all()
    return fd


def is_open_for_writing(path: str) -> bool:
    """Tell whether somebody is writing to a file, as far as the system says it.

    Linux does, of a file on its own disks that belongs to the user of this process, or
    of any file with CAP_LEASE: it refuses a read lease, F_SETLEASE in fcntl(2). What
    it does not say is false.
    """
    try:
        fd = open_file_itself(path)
    except OSError as error:
        # Somebody has a write lease, which nobody gets who does not write.
        return error.errno == errno.EAGAIN
    try:
        # Who opens it while the lease is held has us sent a signal: SIGIO would end
        # the process, SIGURG is ignored.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        # A process that another thread starts meanwhile has the file open, too.
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    except AttributeError:
        # Other systems have no such leases.
        return False
    finally:
        os.close(fd)
    return False


def changed(seconds: float) -> datetime:
    """Return the time of a file's last change, aware, for its seconds since 1970.

    Any program can give a file any time: of one that no calendar has, it is the
    nearest that has, with room for every time zone.
    """
    return datetime.fromtimestamp(min(max(seconds, _EARLIEST), _LATEST), tz=UTC)


def set_time(path: Path, modified: datetime) -> None:
    """Give a file the time of its last change, aware, of what it was copied from.

    After a power cut it may have its own again.
    """
    os.utime(path, (modified.timestamp(), modified.timestamp()), follow_symlinks=False)


def remove(path: Path, policy: Policy) -> None:
    """Remove a file; raise FileNotFoundError if there is none."""
    path.unlink()
    if policy.durable:
        _sync_folder(path.parent)


def remove_folder(path: Path, policy: Policy) -> None:
    """Remove an empty folder; raise OSError if something is in it."""
    path.rmdir()
    if policy.durable:
        _sync_folder(path.parent)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, without a sync; links are not followed.

    Raise FileNotFoundError if there is none.
    """
    shutil.rmtree(path)


def remove_empty_folders(folder: Path, policy: Policy) -> None:
    """Remove a folder and its parents below the root, as far as they are empty."""
    with contextlib.suppress(OSError):
        while folder != policy.root and policy.root in folder.parents:
            folder.rmdir()
            folder = folder.parent


def make_folders(folder: Path, policy: Policy) -> None:
    """Make a folder and its parents; each new one is synced in its parent.

    A folder that somebody else makes meanwhile is synced all the same: whether they
    got so far is not known.
    """
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folders(folder.parent, policy)
    try:
        folder.mkdir()
    except FileExistsError:
        # It may be lost again by now: then whoever needs it has it made again.
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISDIR(folder.stat().st_mode):
                raise
    else:
        if policy.folder_permissions is not None:
            folder.chmod(policy.folder_permissions)
    if policy.durable:
        _sync_folder(folder.parent)


@dataclass
class _Draft:
    """A written file that has no name yet, or only a temporary one."""

    fd: int
    path: Path
    policy: Policy
    replace: bool
    another_path: Callable[[Path], Path] | None
    temporary: Path | None

    def start_writing_back(self, start: int = 0) -> None:
        """Let the disk begin, if there will be a sync."""
        if self.policy.durable:
            _start_writing_back(self.fd, start)

    def sync(self) -> None:
        if self.policy.durable:
            with _syncing(self.path):
                os.fsync(self.fd)

    def give_name(self) -> None:
        try:
            publish = self._replace if self.replace else self._create
            _in_folder(self.path.parent, self.policy, publish)
        except FileExistsError as error:
            if self.another_path is None:
                raise FileExists(f"{self.path} exists and is not replaced.") from error
            self.path = self.another_path(self.path)
            self.give_name()

    def discard(self) -> None:
        """Close the file and drop its temporary name; without a name, it is gone."""
        fd, self.fd = self.fd, -1
        temporary, self.temporary = self.temporary, None
        try:
            if fd >= 0:
                with _naming(self.path):
                    os.close(fd)
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)

    def _create(self) -> None:
        self._link(self.path)

    def _replace(self) -> None:
        if self.temporary is None:
            try:
                self._link(self.path)
            except FileExistsError:
                temporary = _temporary_path(self.path.parent)
                try:
                    self._link(temporary)
                except BaseException:
                    # It may have got the name all the same.
                    temporary.unlink(missing_ok=True)
                    raise
                self.temporary = temporary
            else:
                return
        self.temporary.replace(self.path)
        self.temporary = None

    def _link(self, path: Path) -> None:
        if self.temporary is not None:
            os.link(self.temporary, path)
        else:
            _link_open_file(self.fd, path)


def _publish(drafts: list[_Draft]) -> None:
    """Sync all files, give them their names, then sync their folders."""
    try:
        for draft in drafts:
            draft.sync()
        for draft in drafts:
            draft.give_name()
        durable = {d.path.parent: d.policy for d in drafts if d.policy.durable}
        for folder, policy in durable.items():
            _sync_chain(folder, policy.root)
    finally:
        _discard(drafts)


def _discard(drafts: list[_Draft]) -> None:
    """Discard all, also if one of them raises."""
    with contextlib.ExitStack() as stack:
        for draft in drafts:
            stack.callback(draft.discard)


def _in_folder(folder: Path, policy: Policy, action: Callable[[], T]) -> T:
    """Run an action that needs a folder, making the folder as often as it is lost."""
    for _ in range(_TRIES):
        try:
            return action()
        except FileNotFoundError:
            # A parent may be lost while its child is made.
            with contextlib.suppress(FileNotFoundError):
                make_folders(folder, policy)
    return action()


def _open_unnamed(folder: Path) -> tuple[int, Path | None]:
    """Open a file in a folder, without a name or else under a temporary one."""
    if _can_link_open_files():
        try:
            return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666), None
        except OSError as error:
            if error.errno not in _NO_ANONYMOUS:
                raise
    path = _temporary_path(folder)
    return os.open(path, _CREATE, 0o666), path


def _are_names_of_one_file(one: Path, other: Path) -> bool:
    """Tell whether one name of a file can go, since the other one stays."""
    if one.name == other.name and one.parent.samefile(other.parent):
        return False
    status = one.lstat()
    return status.st_nlink > 1 and os.path.samestat(status, other.lstat())


def _rename_new(source: Path, path: Path, policy: Policy) -> None:
    """Rename a file; raise FileExistsError if the new name is taken."""
    function = _renameat2()
    if function is not None:
        old, new = os.fsencode(source), os.fsencode(path)
        if function(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in _NO_EXCLUSIVE_RENAME:
            raise OSError(number, os.strerror(number), str(source), None, str(path))
    with alone_in(path.parent):
        try:
            os.link(source, path)
        except FileExistsError:
            # So it is after somebody was killed between these two steps.
            if not _are_names_of_one_file(source, path):
                raise
        # The old name must not be lost before the new one is there for good.
        sync_folders([path.parent], policy)
        source.unlink()


@cache
def _renameat2() -> Callable[..., int] | None:
    """Return renameat2(2), which Python does not offer, if the C library has it."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        path = ctypes.c_char_p
        function.argtypes = [ctypes.c_int, path, ctypes.c_int, path, ctypes.c_uint]
    return function


def _write_all(fd: int, path: str, chunks: Iterable[bytes], policy: Policy) -> None:
    """Write chunks as they come, and sync; a large file is begun to on the way."""
    sent = unsent = 0
    for chunk in chunks:
        with _naming(path):
            written = os.write(fd, chunk)
            while written < len(chunk):
                written += os.write(fd, memoryview(chunk)[written:])
        unsent += written
        if unsent >= _WRITE_BACK_SIZE and policy.durable:
            _start_writing_back(fd, sent)
            sent, unsent = sent + unsent, 0
    if policy.durable:
        with _syncing(path):
            os.fsync(fd)


def _start_writing_back(fd: int, start: int) -> None:
    """Let the disk begin, without waiting; it also leaves the cache to others.

    posix_fadvise(2): POSIX_FADV_DONTNEED starts to write back what is dirty.
    """
    if hasattr(os, "posix_fadvise"):
        # Only advice: what keeps data from the disk is reported by the sync.
        with contextlib.suppress(OSError):
            os.posix_fadvise(fd, start, 0, os.POSIX_FADV_DONTNEED)


def _temporary_path(folder: Path) -> Path:
    return folder / _temporary_name()


def _temporary_name() -> str:
    return f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"


@cache
def _can_link_open_files() -> bool:
    return hasattr(os, "O_TMPFILE") and Path("/proc/self/fd").is_dir()


def _link_open_file(fd: int, path: Path) -> None:
    """Give an open file a name, as open(2) shows it for O_TMPFILE.

    A folder descriptor makes Python call linkat(2), which alone follows the link
    in /proc; the path stays relative to it.
    """
    folder_fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with _naming(path):
        try:
            os.link(f"/proc/self/fd/{fd}", path.name, dst_dir_fd=folder_fd)
        finally:
            os.close(folder_fd)


def _copy_range(source: int, target: int) -> bool:
    """Copy a whole file inside the kernel; tell whether that was possible."""
    if not hasattr(os, "copy_file_range"):
        return False
    copied = 0
    try:
        while count := os.copy_file_range(source, target, 1 << 30):
            copied += count
    except OSError as error:
        if copied or error.errno not in _NO_COPY_RANGE:
            raise
        return False
    return copied > 0


def _sync_chain(folder: Path, root: Path) -> None:
    """Sync a folder and its parents up to the root.

    A parent may have been made by a process that has not synced it yet.
    """
    _sync_folder(folder)
    while folder != root and root in folder.parents:
        folder = folder.parent
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    _sync(folder, os.O_DIRECTORY)


def _sync(path: Path, flags: int = 0) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        with _syncing(path):
            os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _syncing(path: Path | str) -> Iterator[None]:
    """Say of a failed sync that it is one: asked again, the disk might say yes."""
    try:
        yield
    except OSError as error:
        raise SyncFailed(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def _naming(path: Path | str, target: Path | None = None) -> Iterator[None]:
    """Name the file in the error of a call that knows only its descriptor."""
    try:
        yield
    except OSError as error:
        if error.errno and str(error.filename or "/proc/").startswith("/proc/"):
            error.filename = str(path)
            # None would be told as a second file.
            del error.filename2
            if target is not None:
                error.filename2 = str(target)
        raise
