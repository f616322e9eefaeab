"""How far a command is: a bar on the terminal of whoever waits for it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

Unit = Literal["bytes", "files", "rows"]


class Progress:
    """What a command reports to, from any thread."""

    def __init__(self, bar: tqdm | None) -> None:
        self._bar = bar
        self._lock = Lock()

    def advance(self, count: int = 1) -> None:
        """Say that so many more of them are done."""
        if self._bar is not None:
            with self._lock:
                self._bar.update(count)

    def aside(self) -> AbstractContextManager[None]:
        """Take the bar away while the block prints, and show it again."""
        if self._bar is None:
            return nullcontext()
        return self._bar.external_write_mode(self._bar.fp)


@contextlib.contextmanager
def progress(
    total: int | None, *, unit: Unit, hidden: bool = False, stream: TextIO | None = None
) -> Iterator[Progress]:
    """Give a Progress to the block; it shows a bar if somebody watches.

    That is: unless hidden, if the stream (standard error) is a terminal, and if the
    extra "progress" is installed. The bar is gone when the block ends. total counts
    them; None stands for a number that nobody knows.
    """
    stream = stream or sys.stderr
    bar = None if hidden or not stream.isatty() else _bar(total, unit, stream)
    try:
        yield Progress(bar)
    finally:
        if bar is not None:
            bar.close()


def _bar(total: int | None, unit: Unit, stream: TextIO) -> tqdm | None:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    if unit == "bytes":
        return tqdm(
            total=total,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            file=stream,
            leave=False,
        )
    return tqdm(total=total, unit=f" {unit}", file=stream, leave=False)
