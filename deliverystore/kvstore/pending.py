"""The changes of a transaction that is not over yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deliverystore.kvstore.changes import Change, Staged


class Pending(threading.local):
    """The changes of the transaction that a thread is in; None outside of any."""

    changes: dict[str, Change] | None = None
    staged: list[Staged]

    def change_of(self, key: str) -> Change | None:
        return None if self.changes is None else self.changes.get(key)

    def all_changes(self) -> list[Change]:
        return [] if self.changes is None else list(self.changes.values())

    def add(self, change: Change) -> None:
        assert self.changes is not None  # noqa: S101 - asked before
        if change.data is not None:
            self.staged.append(change.data)
        before = self.changes.get(change.key)
        self.changes[change.key] = before.then(change) if before else change

    @contextmanager
    def outermost(self) -> Iterator[list[Staged]]:
        self.changes, self.staged = {}, []
        try:
            yield self.staged
        finally:
            self.changes, self.staged = None, []

    @contextmanager
    def inner(self) -> Iterator[None]:
        before = dict(self.changes or {})
        try:
            yield
        except BaseException:
            self.changes = before
            raise


def unused(staged: Sequence[Staged], changes: Sequence[Change]) -> list[Staged]:
    """Return the data that later changes of a transaction have made needless."""
    used = {id(change.data) for change in changes}
    return [one for one in staged if id(one) not in used]
