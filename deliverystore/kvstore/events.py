"""What stores tell those who listen, through Django's signals."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from django.dispatch import Signal

from deliverystore import signals
from deliverystore.kvstore.metadata import Metadata, copied

if TYPE_CHECKING:
    from deliverystore.kvstore.reading import AbstractReadOnlyStore


@dataclass(frozen=True, kw_only=True)
class StoreEvent:
    """Something that happened in a store, the source."""

    signal: ClassVar[Signal]

    source: AbstractReadOnlyStore


@dataclass(frozen=True, kw_only=True)
class StoreModificationEvent(StoreEvent):
    """Something that happened to a key; metadata is what it has, or had."""

    action: ClassVar[str]

    key: str
    metadata: Metadata


@dataclass(frozen=True, kw_only=True)
class StoreSetEvent(StoreModificationEvent):
    """A key is there that was not there before."""

    signal = signals.store_set
    action = "set"


@dataclass(frozen=True, kw_only=True)
class StoreUpdateEvent(StoreModificationEvent):
    """A key that was there before has other data, other metadata, or both."""

    signal = signals.store_update
    action = "update"


@dataclass(frozen=True, kw_only=True)
class StoreDeleteEvent(StoreModificationEvent):
    """A key is not there any more."""

    signal = signals.store_delete
    action = "delete"


@dataclass(frozen=True, kw_only=True)
class StoreProgressEvent(StoreEvent):
    """Data of a key is being copied; operation_id is the same for one copy."""

    operation_id: uuid.UUID
    message: str
    key: str
    metadata: Metadata


@dataclass(frozen=True, kw_only=True)
class StoreProgressStartEvent(StoreProgressEvent):
    """It begins; steps is the number of bytes, -1 if that is not known."""

    signal = signals.store_progress_start

    steps: int


@dataclass(frozen=True, kw_only=True)
class StoreProgressStepEvent(StoreProgressEvent):
    """It goes on; step is the number of bytes so far."""

    signal = signals.store_progress_step

    step: int


@dataclass(frozen=True, kw_only=True)
class StoreProgressEndEvent(StoreProgressEvent):
    """It is over, as exit_state says."""

    signal = signals.store_progress_end

    exit_state: Literal["normal", "exception"]


@dataclass(frozen=True, kw_only=True)
class StoreTransactionStartEvent(StoreEvent):
    """A transaction has begun; notes is what was said of it."""

    signal = signals.store_transaction_start

    notes: str


@dataclass(frozen=True, kw_only=True)
class StoreTransactionEndEvent(StoreEvent):
    """A transaction is over: done, or failed and undone."""

    signal = signals.store_transaction_end

    notes: str
    state: Literal["done", "failed"]


def send(event: StoreEvent) -> None:
    """Tell whoever listens; a receiver that fails is logged, and harms nobody."""
    event.signal.send_robust(sender=type(event.source), event=event)


@dataclass(kw_only=True)
class Progress:
    """A copy of the data of one key, of which those who listen are told.

    steps is the number of bytes, -1 if that is not known.
    """

    source: AbstractReadOnlyStore
    key: str
    message: str
    metadata: Metadata
    steps: int = -1
    _id: uuid.UUID = field(default_factory=uuid.uuid4)

    def of(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield chunks, and tell of each."""
        step = 0
        with self._told():
            for chunk in chunks:
                yield chunk
                step += len(chunk)
                send(StoreProgressStepEvent(step=step, **self._common()))

    @contextmanager
    def _told(self) -> Iterator[None]:
        exit_state: Literal["normal", "exception"] = "exception"
        send(StoreProgressStartEvent(steps=self.steps, **self._common()))
        try:
            yield
            exit_state = "normal"
        finally:
            send(StoreProgressEndEvent(exit_state=exit_state, **self._common()))

    def _common(self) -> Metadata:
        return {
            "source": self.source,
            "operation_id": self._id,
            "message": self.message,
            "key": self.key,
            "metadata": copied(self.metadata),
        }


def is_followed(source: AbstractReadOnlyStore) -> bool:
    """Tell whether somebody listens to the progress of copies in this store."""
    return any(
        signal.has_listeners(type(source))
        for signal in (
            signals.store_progress_start,
            signals.store_progress_step,
            signals.store_progress_end,
        )
    )
