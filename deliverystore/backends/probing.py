"""What can be told of a store without a file: whether it answers, and where it is."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from django.core.files.storage import InMemoryStorage

from deliverystore.backends.base import DeliveryStoreInterface
from deliverystore.backends.wrapper import DjangoStorageDeliveryStore

# Where storages say in which service, and where there, they keep their files.
_WHERE = ("endpoint_url", "account_name", "bucket_name", "azure_container", "location")


@dataclass(kw_only=True)
class _Probe:
    """As a FileMeta, for stores."""

    pk: int = 918273645
    delivery_id: int = 123456789
    stored_as: str = ""


# A file that no store has; its name shows how a store makes names.
PROBE = _Probe()
# Where the layouts of one folder are still alike.
_FIRST = _Probe(pk=1, delivery_id=1)


def ask(store: DeliveryStoreInterface) -> None:
    """Ask a store for something small; raise StoreUnavailable if it does not answer.

    A service that does not answer should be said once, and not for each file.
    """
    store.exists(PROBE)
    # Asked for an object, S3 does not tell that the whole bucket is not there.
    with contextlib.suppress(NotImplementedError):
        next(iter(store.walk()), None)


def place_of(store: DeliveryStoreInterface) -> str:
    """Return which store this is, as text: its class, where it is, how it names files.

    That is the same in all processes. Two stores that look the same from outside, such
    as two in memory, are the same here.
    """
    # type() would see the lazy object around the store.
    kind = store.__class__.__qualname__
    name = store.name_of(PROBE)
    try:
        return f"{kind}: {store.path(name)}"
    except NotImplementedError:
        if not isinstance(store, DjangoStorageDeliveryStore):
            return f"{kind}: {name}"
    storage = store.storage
    signs = [
        f"{one}={getattr(storage, one)}" for one in _WHERE if hasattr(storage, one)
    ]
    folder = f"{store.root}/" if store.root else ""
    return " ".join([f"{kind}: {type(storage).__qualname__}", *signs, folder + name])


def are_the_same(one: DeliveryStoreInterface, other: DeliveryStoreInterface) -> bool:
    """Tell if two stores keep a file in the same place, as far as that can be seen."""
    return _place(one) == _place(other)


def folder_of(store: DeliveryStoreInterface) -> Path | None:
    """Return the local folder in which a store keeps its files, if it has one."""
    # It tells paths at which there is nothing.
    if isinstance(getattr(store, "storage", None), InMemoryStorage):
        return None
    try:
        return Path(store.path("name")).parent.resolve()
    except NotImplementedError:
        return None


def lies_within(one: DeliveryStoreInterface, other: DeliveryStoreInterface) -> bool:
    """Tell if a store's folder lies in that of another, whose check meets its files."""
    inner, outer = folder_of(one), folder_of(other)
    return inner is not None and outer is not None and inner.is_relative_to(outer)


def _place(store: DeliveryStoreInterface) -> object:
    """Return what is equal for two stores in one place, in this process."""
    try:
        return store.path(store.name_of(_FIRST))
    except NotImplementedError:
        if isinstance(store, DjangoStorageDeliveryStore):
            return id(store.storage), store.root
        return id(store)
