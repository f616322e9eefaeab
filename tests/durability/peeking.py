"""What a stopped process asks the kernel about: its paths, its open files."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator

from tests.durability.calls import Kind

_AT_FDCWD = -100


def arguments(thread: int, kind: Kind, args: tuple[int, ...]) -> Iterator[str]:
    """Yield the paths that a call is about; for a socket, "socket:[…]"."""
    for position in kind.fds:
        yield _path_of(thread, args[position])
    for position in kind.paths:
        yield _join(_link(thread, "cwd"), _string(thread, args[position]))
    for position in kind.ats:
        last = _string(thread, args[position + 1])
        fd = signed(args[position])
        if last.startswith("/proc/self/fd/"):
            last = _path_of(thread, int(last.rpartition("/")[2]))
        folder = _link(thread, "cwd") if fd == _AT_FDCWD else _path_of(thread, fd)
        yield _join(folder, last)


def _join(folder: str, last: str) -> str:
    return os.path.normpath(os.path.join(folder, last)) if last else folder  # noqa: PTH118


def _path_of(thread: int, fd: int) -> str:
    fd = signed(fd)
    return _link(thread, f"fd/{fd}") if fd >= 0 else ""


def _link(thread: int, name: str) -> str:
    try:
        return os.readlink(f"/proc/{thread}/{name}")  # noqa: PTH115
    except FileNotFoundError:
        return ""


def _string(thread: int, address: int) -> str:
    """Return the string at an address of another process."""
    if address == 0:
        return ""
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:  # noqa: PTH123
        memory.seek(address)
        found = b""
        while b"\0" not in found:
            found += memory.read(4096 - (address + len(found)) % 4096)
    return os.fsdecode(found[: found.index(b"\0")])


def signed(value: int) -> int:
    """Return a descriptor, an int in C, from the register that held it."""
    return ctypes.c_int(value & 0xFFFFFFFF).value
