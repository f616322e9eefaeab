"""One file copied from one store into another, compared with its digest on the way."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from threading import Event

from django.utils.translation import gettext as _

from deliverystore.backends import Capability, DeliveryStoreInterface
from deliverystore.digests import VerifiedReader
from deliverystore.exceptions import (
    DeliveryStoreError,
    FileDamaged,
    FileExists,
    FileNotFound,
    SyncFailed,
)
from deliverystore.models import FileMeta
from deliverystore.streams import CHUNK_SIZE

logger = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What has become of a file."""

    COPIED = "copied"
    # It was there already.
    PRESENT = "present"
    # Its row was deleted meanwhile; no copy is left.
    REMOVED = "removed"
    # The source has no bytes, or not those that were handed in.
    MISSING = "missing"
    DAMAGED = "damaged"
    # The target has other bytes under its name.
    DIFFERENT = "different"
    # An error; perhaps it works another time.
    FAILED = "failed"


GOOD = frozenset({Outcome.COPIED, Outcome.PRESENT, Outcome.REMOVED})


@dataclass(frozen=True, kw_only=True)
class Copied:
    """A file, what has become of it and, if that is not good, why."""

    file: FileMeta
    outcome: Outcome
    reason: str = ""


class Stopped(Exception):
    """Leaves the file that is being copied."""


@dataclass(frozen=True, kw_only=True)
class Copier:
    """Copies a file from one store into another, as the options say.

    verify reads also what the target has already. replace replaces what differs there.
    dry_run changes nothing; of the source it looks at the sizes alone. advance is told,
    by several threads, how many bytes are done. stop() may be called from anywhere.
    """

    source: DeliveryStoreInterface
    target: DeliveryStoreInterface
    verify: bool = False
    replace: bool = False
    dry_run: bool = False
    advance: Callable[[int], object] = int
    _stopping: Event = field(default_factory=Event)

    def stop(self) -> None:
        """Have the files that are being copied let go, and no other begun."""
        self._stopping.set()

    @property
    def is_stopped(self) -> bool:
        """Whether stop() was called."""
        return self._stopping.is_set()

    def copy(self, file: FileMeta, group: object | None) -> Copied:
        """Copy a file and say what has become of it; raise Stopped after stop()."""
        if self.is_stopped:
            raise Stopped
        said = partial(Copied, file=file)
        try:
            return said(outcome=self._copy(file, group))
        except FileDamaged as error:
            return said(outcome=Outcome.DAMAGED, reason=str(error))
        except FileNotFound as error:
            return said(outcome=Outcome.MISSING, reason=str(error))
        except FileExists:
            reason = _("The store would have kept it under another name.")
            return said(outcome=Outcome.FAILED, reason=reason)
        except (OSError, DeliveryStoreError) as error:
            return said(outcome=Outcome.FAILED, reason=str(error))
        except Stopped:
            raise
        except Exception as error:
            # A strange storage must not keep the other files from being copied.
            logger.exception("File %s was not copied.", file.pk)
            return said(outcome=Outcome.FAILED, reason=repr(error))

    def _copy(self, file: FileMeta, group: object | None) -> Outcome:
        is_same = self._is_same_in_target(file)
        if is_same:
            self.advance(file.size)
            return Outcome.PRESENT
        if is_same is False and not self.replace:
            return Outcome.DIFFERENT
        if self.dry_run:
            self._look_for(file)
        else:
            self._transfer(file, group, is_taken=is_same is not None)
        return Outcome.COPIED

    def _is_same_in_target(self, file: FileMeta) -> bool | None:
        """Tell if the target has this file; None if it has nothing under its name."""
        name = self.target.name_of(file)
        verify = self.verify
        try:
            if self.target.size(name) != file.size:
                return False
        except FileNotFoundError:
            return None
        except NotImplementedError:
            if not self.target.exists(name):
                return None
            verify = True
        return not verify or self._reads_as_handed_in(file)

    def _reads_as_handed_in(self, file: FileMeta) -> bool:
        try:
            with file.open_in(self.target) as content:
                for _chunk in self._chunks(content):
                    pass
        except FileDamaged:
            return False
        return True

    def _look_for(self, file: FileMeta) -> None:
        """Raise FileNotFound or FileDamaged if the source has not so many bytes."""
        name = self.source.name_of(file)
        try:
            size = self.source.size(name)
        except (FileNotFoundError, NotImplementedError):
            if not self.source.exists(name):
                store = type(self.source).__name__
                raise FileNotFound(f"{store} has no {name!r}.") from None
            size = file.size
        if size != file.size:
            raise FileDamaged(f"{name!r} has {size:,} bytes instead of {file.size:,}.")
        self.advance(file.size)

    def _transfer(
        self, file: FileMeta, group: object | None, *, is_taken: bool
    ) -> None:
        # By its name, and not for the file: a store that gives it another one is to
        # refuse, since the row cannot name two.
        name = self.target.name_of(file)
        try:
            with (
                file.open_in(self.source) as content,
                self.target.write_open(name, group=group) as copy,
            ):
                for chunk in self._chunks(content):
                    copy.write(chunk)
                    self.advance(len(chunk))
                if is_taken and Capability.REPLACE not in self.target.capabilities:
                    self.target.remove(name)
        except SyncFailed:
            # Found there the next time, it would be taken for a good copy.
            with contextlib.suppress(OSError):
                self.target.remove(name)
            raise

    def _chunks(self, content: VerifiedReader) -> Iterator[bytes]:
        while chunk := content.read(CHUNK_SIZE):
            if self.is_stopped:
                raise Stopped
            yield chunk
