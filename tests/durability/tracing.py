"""A process that is stopped at each of its system calls, to see it, or to make it fail.

ptrace(2), as strace uses it. A process of its own, forked from this one, does the work;
what it asks the kernel is seen, or changed, at the kernel's door. So nothing is
missed, whichever library asks: Python, SQLite or libpq.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import os
import platform
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.durability.calls import KINDS, Call, Kind
from tests.durability.peeking import arguments, signed

Work = Callable[[], object]

_TRACEME, _CONT_TO_CALL, _SETOPTIONS, _GET_CALL = 0, 24, 0x4200, 0x420E
_POKEUSER = 6
# PTRACE_O_TRACESYSGOOD | TRACEFORK | TRACEVFORK | TRACECLONE | EXITKILL
_OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x100000
_WALL = 0x40000000
_PIDFD_GETFD = 438
# Where sys/user.h keeps them: the number of the call, its result, its arguments.
_NUMBER, _RESULT, _ARGUMENTS = 120, 80, (112, 104, 96, 56, 72, 44)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Fate(StrEnum):
    """What becomes of one system call."""

    KILL = "SIGKILL"
    ENOSPC = "ENOSPC"
    EIO = "EIO"
    EACCES = "EACCES"
    EDQUOT = "EDQUOT"
    SHORT = "short write"
    # Of sockets: the other end has hung up, perhaps after doing what it was asked.
    ECONNRESET = "ECONNRESET"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to the first step of this name, from this number on."""

    step: int
    name: str
    fate: Fate


@dataclass(kw_only=True)
class Outcome:
    """How the work ended: it returned, it raised, or the process died.

    answers are what it said meanwhile. leaked are descriptors it left open.
    """

    ended: str = "died"
    error: str = ""
    kind: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    failed: Call | None = None

    @property
    def returned(self) -> bool:
        return self.ended == "returned"


def knows_this_machine() -> bool:
    """Tell whether the numbers of the system calls are those of this machine."""
    return platform.machine() == "x86_64" and sys.platform == "linux"


def run(
    work: Work,
    *,
    watched: list[Path],
    fault: Fault | None = None,
    seen: Callable[[int, Call], None] | None = None,
    sockets: bool = False,
) -> Outcome:
    """Do the work in a process of its own, and return how it ended.

    Steps are the system calls on files below the watched folders and, if asked for, on
    sockets. seen gets each, with the id of its thread, as soon as it has succeeded.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _do(work, writing)
    os.close(writing)
    tracer = _Tracer(pid, watched, fault, seen, sockets)
    tracer.follow()
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    outcome = Outcome(**json.loads(said)) if said else Outcome()
    outcome.calls, outcome.failed = tracer.calls, tracer.failed
    return outcome


def _do(work: Work, pipe: int) -> None:
    """Be the process that does the work, and never return."""
    try:
        before = _open_files()
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        said: dict[str, object] = {"ended": "returned"}
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the parent is to see it
            said = {
                "ended": "raised",
                "error": f"{type(error).__name__}: {error}",
                "kind": [cls.__name__ for cls in type(error).__mro__],
            }
            del error
        gc.collect()
        said["leaked"] = sorted(_open_files() - before)
        os.write(pipe, json.dumps(said).encode())
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        os._exit(0)


def _open_files() -> set[str]:
    """Return the descriptors that are open, and what each is."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            found.add(f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}")  # noqa: PTH115
        except FileNotFoundError:
            continue
    return found


class _Tracer:
    """Follows a process and its threads from call to call."""

    def __init__(
        self,
        pid: int,
        watched: list[Path],
        fault: Fault | None,
        seen: Callable[[int, Call], None] | None,
        sockets: bool,
    ) -> None:
        self._pid = pid
        self._watched = [str(path) for path in watched]
        self._fault = fault
        self._seen = seen
        self._sockets = sockets
        self._entered: dict[int, Call | None] = {}
        self.calls: list[Call] = []
        self.failed: Call | None = None

    def follow(self) -> None:
        """Let the process run to its end."""
        os.waitpid(self._pid, _WALL)
        _ptrace(_SETOPTIONS, self._pid, data=_OPTIONS)
        _ptrace(_CONT_TO_CALL, self._pid)
        while True:
            thread, status = os.waitpid(-1, _WALL)
            if not os.WIFSTOPPED(status):
                if thread == self._pid:
                    return
                continue
            try:
                self._go_on(thread, status)
            except ProcessLookupError:
                continue

    def _go_on(self, thread: int, status: int) -> None:
        number, passed_on = os.WSTOPSIG(status), 0
        if number == signal.SIGTRAP | 0x80:
            self._at_call(thread)
        elif number not in {signal.SIGTRAP, signal.SIGSTOP}:
            passed_on = number
        _ptrace(_CONT_TO_CALL, thread, data=passed_on)

    def _at_call(self, thread: int) -> None:
        """See a call before it is made, or after."""
        info = ctypes.create_string_buffer(88)
        _ptrace(_GET_CALL, thread, 88, ctypes.addressof(info))
        if info.raw[0] == 1:
            number, *args = struct.unpack_from("=7Q", info.raw, 24)
            self._enter(thread, number, tuple(args))
        elif call := self._entered.pop(thread, None):
            (call.result,) = struct.unpack_from("=q", info.raw, 24)
            self._leave(thread, call)

    def _enter(self, thread: int, number: int, args: tuple[int, ...]) -> None:
        call = self._step(thread, KINDS.get(number), args)
        if call is None:
            return
        call.number = len(self.calls)
        self.calls.append(call)
        self._entered[thread] = call
        fault = self._fault
        if fault is None or self.failed or fault.name != call.name:
            return
        if call.number < fault.step:
            return
        self.failed = call
        if fault.fate is Fate.SHORT:
            length = call.kind.length
            assert length is not None
            _poke(thread, _ARGUMENTS[length], args[length] // 2)
        elif fault.fate is Fate.KILL:
            _poke(thread, _NUMBER, -1)
            os.kill(self._pid, signal.SIGKILL)
        elif fault.fate is Fate.ECONNRESET:
            _hang_up(self._pid, signed(args[0]))
            _poke(thread, _NUMBER, -1)
        elif call.name != "close":
            # close(2): the descriptor is gone also when it reports an error.
            _poke(thread, _NUMBER, -1)

    def _leave(self, thread: int, call: Call) -> None:
        fault = self._fault
        if call is self.failed and fault and fault.fate is not Fate.SHORT:
            _poke(thread, _RESULT, -getattr(errno, fault.fate.name))
        elif self._seen and call.result >= 0:
            self._seen(thread, call)

    def _step(
        self, thread: int, kind: Kind | None, args: tuple[int, ...]
    ) -> Call | None:
        """Return the call if it is about something that is watched."""
        if kind is None:
            return None
        texts = list(arguments(thread, kind, args))
        if any(self._is_watched(text) for text in texts):
            return Call(kind=kind, args=args, paths=[Path(text) for text in texts])
        return None

    def _is_watched(self, text: str) -> bool:
        if self._sockets and text.startswith("socket:"):
            return True
        return any(
            text == folder or text.startswith(f"{folder}/") for folder in self._watched
        )


def _hang_up(pid: int, fd: int) -> None:
    """Break the connection of another process, so that it never hears of it again."""
    pidfd = os.pidfd_open(pid)
    try:
        with socket.socket(fileno=_libc.syscall(_PIDFD_GETFD, pidfd, fd, 0)) as end:
            end.shutdown(socket.SHUT_RDWR)
    finally:
        os.close(pidfd)


def _poke(thread: int, offset: int, value: int) -> None:
    _ptrace(_POKEUSER, thread, offset, value & 0xFFFFFFFFFFFFFFFF)


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    result: int = _libc.ptrace(request, pid, address, data)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
