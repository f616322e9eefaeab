"""Checks of what visitors see: where it is, and what makes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning
from django.core.files.storage import storages

from deliverystore.backends import DjangoStorageDeliveryStore
from deliverystore.backends.handler import load_fallback, load_store
from deliverystore.checks.faults import fault_of_folder, wrong
from deliverystore.checks.overlaps import named_folders
from deliverystore.conf import conf
from deliverystore.publishing import public_store
from deliverystore.publishing import registry as media_registry


def check_publishing() -> Iterator[CheckMessage]:
    """Check the public store, the workbenches and the media processors."""
    name, alias = "DELIVERY_STORE_PUBLIC_STORAGE", conf.DELIVERY_STORE_PUBLIC_STORAGE
    if alias not in storages.backends:
        hint = f"Use one of the names in STORAGES: {', '.join(storages.backends)}."
        yield wrong(30, f"{name}: {alias!r} is not in STORAGES.", hint)
    name = "DELIVERY_STORE_WORKBENCH_ROOT"
    if getattr(conf, name) is not None and (fault := fault_of_folder(name)):
        hint = f'Write {name} = "/path/to/a/folder", or None for a temporary one.'
        yield wrong(32, fault, hint)
    for name, found in media_registry.clashes():
        classes = ", ".join(f"{one.__module__}.{one.__qualname__}" for one in found)
        message = f"Several media processors are called {name!r}: {classes}."
        hint = 'Give each a name of its own, such as name = "photo".'
        yield wrong(33, message, hint)


def check_public_folder() -> Iterator[CheckMessage]:
    """Check that what visitors may get is not where there is what they may not."""
    if not media_registry.get_processors():
        return
    yield from _check_shared_storage()
    if not public_store.local_storage:
        return
    public = Path(public_store.get_local_path(["name"])).parent.resolve()
    if public == Path.cwd():
        alias = conf.DELIVERY_STORE_PUBLIC_STORAGE
        message = f"STORAGES[{alias!r}], which is to be public, has no folder."
        yield wrong(31, message, 'Write MEDIA_ROOT = "/path/to/a/folder".')
        return
    for name, folder in named_folders().items():
        if folder.is_relative_to(public) or public.is_relative_to(folder):
            message = f"{name} ({folder}) and the public store ({public}) overlap."
            hint = (
                "Choose folders of which none lies in another: one of them is public."
            )
            yield wrong(31, message, hint)


def _check_shared_storage() -> Iterator[CheckMessage]:
    """Check that the public storage is not that of a private store, too."""
    alias = conf.DELIVERY_STORE_PUBLIC_STORAGE
    public = storages[alias]
    private = [
        name
        for name, store in (
            ("DELIVERY_STORE_BACKEND", load_store()),
            ("DELIVERY_STORE_FALLBACK", load_fallback()),
        )
        if isinstance(store, DjangoStorageDeliveryStore) and store.storage is public
    ]
    if alias == conf.DELIVERY_STORE_DATACENTER_STORAGE:
        private.append("DELIVERY_STORE_DATACENTER_STORAGE")
    for name in private:
        yield CheckWarning(
            f"{name} and the public store are both in STORAGES[{alias!r}].",
            hint="Give each a bucket of its own; or let visitors read nothing there "
            'but what is below "published/", and silence this.',
            id="deliverystore.W030",
        )
