"""The commands beside the site that the demo serves."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORKER = ("db_worker", "--no-reload", "--no-startup-delay", "--verbosity=0")


@contextmanager
def beside(*commands: Sequence[str]) -> Iterator[None]:
    """Let commands do what is asked for on the pages, as long as the block runs.

    At the end each finishes what it is at.
    """
    asked: list[int] = []
    with ExitStack() as stack:
        # Not while a command is being started: nobody would end it.
        for one in _ENDING:
            before = signal.signal(one, lambda number, _frame: asked.append(number))
            stack.callback(signal.signal, one, before)
        for command in commands:
            stack.callback(_end, _start(command))
        for one in _ENDING:
            # Who is asked to end leaves the block, too, and takes the commands along.
            signal.signal(one, _leave)
        if asked:
            _leave()
        yield


def work_off() -> None:
    """Let a worker do what is asked for by now."""
    subprocess.run([*_program(), *WORKER, "--batch"], check=True)  # noqa: S603


def _leave(*_: object) -> None:
    sys.exit()


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # Ctrl-C must reach a command once, by way of the block: twice means at once.
    return subprocess.Popen([*_program(), *command], process_group=0)  # noqa: S603


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def _program() -> list[str]:
    """Return the same program as this one; a command has to follow."""
    return [sys.executable, sys.argv[0]]
