"""Files as they arrive: claimed at once, and looked for now and then."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deliverystore.spool.claims import Claim
    from deliverystore.spool.store import FileStore

# How long, in milliseconds, further arrivals are waited for, to be told together.
_TOGETHER, _STEP = 50, 5


def watch(
    store: FileStore, folder: Path, stop: Event, pause: float
) -> Generator[Claim, None, None]:
    """Yield claims until stop is set; look after ended leases four times a lease."""
    arrivals = _arrivals(folder, stop, pause)
    between = max(store.lease.total_seconds() / 4, pause)
    recover_at = 0.0
    while not stop.is_set():
        if time.monotonic() >= recover_at:
            store.recover()
            recover_at = time.monotonic() + between
        if (claim := store.claim()) is not None:
            yield claim
        elif next(arrivals, stop) is stop:
            return


def _arrivals(folder: Path, stop: Event, pause: float) -> Iterator[object]:
    """Yield whenever something may have come, and after each pause of seconds."""
    try:
        import watchfiles
    except ImportError:
        while not stop.wait(pause):
            yield None
        return
    while not stop.is_set():
        try:
            yield from watchfiles.watch(
                folder,
                watch_filter=_has_come,
                debounce=_TOGETHER,
                step=_STEP,
                rust_timeout=max(1, int(pause * 1000)),
                yield_on_timeout=True,
                stop_event=stop,
                recursive=False,
            )
        except RuntimeError:
            # A name that is no UTF-8 has come: it cannot tell it, and ends.
            yield None


def _has_come(change: object, path: str) -> bool:
    import watchfiles

    return change is not watchfiles.Change.deleted
