"""What SIGINT (Ctrl-C) and SIGTERM do to a command that can stop and go on later."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def on_stop(stop: Callable[[], object]) -> Iterator[None]:
    """Call stop when the process is asked to end; a second time, it ends at once.

    At once means: it is killed, whatever threads of it wait for.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may say what signals do.
        yield
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def asked(number: int, frame: object) -> None:
        for one in before:
            signal.signal(one, signal.SIG_DFL)
        stop()

    for one in before:
        signal.signal(one, asked)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
