"""What is to become of keys: changes that are collected, then done in one step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from deliverystore.kvstore.metadata import Metadata
from deliverystore.kvstore.values import Source


class Staged(Source, Protocol):
    """Data that is stored already, but under no key yet."""

    def discard(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of one key.

    removed: what is stored under it goes first. data and metadata replace what is
    there; None leaves it, or is empty if there is nothing. update is put over the
    metadata. required: the key must be there when the change is done, else a
    KeyNotFound is raised and nothing is done.
    """

    key: str
    removed: bool = False
    data: Staged | None = None
    metadata: Metadata | None = None
    update: Metadata = field(default_factory=dict)
    required: bool = False

    @property
    def makes(self) -> bool:
        """Whether there is a value afterwards, whatever was there before."""
        return self.data is not None or self.metadata is not None

    @property
    def is_deletion(self) -> bool:
        """Whether there is none afterwards."""
        return self.removed and not self.makes

    def then(self, later: Change) -> Change:
        """Return the one change that does what this and a later one do."""
        required = self.required or (later.required and not self.makes)
        if later.removed:
            return replace(later, required=required)
        metadata, update = later.metadata, later.update
        if metadata is None and self.metadata is not None:
            metadata, update = {**self.metadata, **later.update}, {}
        elif metadata is None:
            update = {**self.update, **later.update}
        return Change(
            key=self.key,
            removed=self.removed,
            data=later.data or self.data,
            metadata=metadata,
            update=update,
            required=required,
        )

    def metadata_after(self, before: Metadata | None) -> Metadata:
        """Return the metadata that there is afterwards."""
        found = {} if self.removed else before or {}
        return {**(found if self.metadata is None else self.metadata), **self.update}


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A change that was done: whether the key was there before, and its metadata.

    Of a key that was deleted, metadata is what it had.
    """

    key: str
    existed: bool
    deleted: bool
    metadata: Metadata
