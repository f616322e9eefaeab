"""Which system calls are steps: what they are called, and which files they are about.

Numbers: x86-64 Linux, arch/x86/entry/syscalls/syscall_64.tbl.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A system call: its name, and which of its arguments are files.

    fds are the positions of open files, paths those of paths from the current folder,
    ats those of folders that a path follows. length is the position of the number
    of bytes to write, which is halved to make the write a short one.
    """

    name: str
    fds: tuple[int, ...] = ()
    paths: tuple[int, ...] = ()
    ats: tuple[int, ...] = ()
    length: int | None = None


@dataclass(kw_only=True)
class Call:
    """A step: one system call of a process on files that are watched."""

    kind: Kind
    args: tuple[int, ...]
    # The paths of its arguments, in their order.
    paths: list[Path]
    result: int = 0
    # Its number among the steps, from 0 on.
    number: int = 0

    @property
    def name(self) -> str:
        return self.kind.name

    def __str__(self) -> str:
        return f"{self.name} {' '.join(path.name for path in self.paths)}"


def _calls() -> dict[int, Kind]:
    on_open_files = {
        0: "read", 3: "close", 5: "fstat", 8: "lseek", 16: "ioctl", 17: "pread64",
        19: "readv", 45: "recvfrom", 44: "sendto", 46: "sendmsg", 47: "recvmsg",
        72: "fcntl", 73: "flock", 74: "fsync", 75: "fdatasync", 77: "ftruncate",
        78: "getdents", 81: "fchdir", 91: "fchmod", 93: "fchown", 217: "getdents64",
        221: "fadvise64", 277: "sync_file_range", 285: "fallocate", 295: "preadv",
        306: "syncfs", 327: "preadv2",
    }  # fmt: skip
    with_path = {
        2: "open", 4: "stat", 6: "lstat", 21: "access", 76: "truncate", 80: "chdir",
        83: "mkdir", 84: "rmdir", 85: "creat", 87: "unlink", 89: "readlink",
        90: "chmod", 92: "chown", 94: "lchown", 133: "mknod",
    }  # fmt: skip
    at_folder = {
        257: "openat", 258: "mkdirat", 259: "mknodat", 260: "fchownat",
        261: "futimesat", 262: "newfstatat", 263: "unlinkat", 267: "readlinkat",
        268: "fchmodat", 269: "faccessat", 280: "utimensat", 332: "statx",
        437: "openat2", 439: "faccessat2", 452: "fchmodat2",
    }  # fmt: skip
    kinds = {nr: Kind(name=name, fds=(0,)) for nr, name in on_open_files.items()}
    kinds |= {nr: Kind(name=name, paths=(0,)) for nr, name in with_path.items()}
    kinds |= {nr: Kind(name=name, ats=(0,)) for nr, name in at_folder.items()}
    return kinds | {
        1: Kind(name="write", fds=(0,), length=2),
        9: Kind(name="mmap", fds=(4,)),
        18: Kind(name="pwrite64", fds=(0,), length=2),
        20: Kind(name="writev", fds=(0,), length=2),
        40: Kind(name="sendfile", fds=(1, 0), length=3),
        82: Kind(name="rename", paths=(0, 1)),
        86: Kind(name="link", paths=(0, 1)),
        88: Kind(name="symlink", paths=(1,)),
        264: Kind(name="renameat", ats=(0, 2)),
        265: Kind(name="linkat", ats=(0, 2)),
        266: Kind(name="symlinkat", ats=(1,)),
        275: Kind(name="splice", fds=(0, 2), length=4),
        296: Kind(name="pwritev", fds=(0,), length=2),
        316: Kind(name="renameat2", ats=(0, 2)),
        326: Kind(name="copy_file_range", fds=(0, 2), length=4),
        328: Kind(name="pwritev2", fds=(0,), length=2),
    }


KINDS = _calls()
