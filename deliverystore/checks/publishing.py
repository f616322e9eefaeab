"""Checks of what visitors see: where it is, and what makes it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings  # noqa: TID251 - where Django's own files are
from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning
from django.core.files.storage import storages

from deliverystore.backends import DjangoStorageDeliveryStore
from deliverystore.backends.handler import load_fallback, load_store
from deliverystore.checks.faults import (
    check_alias,
    fault_of_folder,
    has_no_folder,
    wrong,
)
from deliverystore.checks.overlaps import named_folders
from deliverystore.conf import conf
from deliverystore.publishing import PictureProcessor, public_store
from deliverystore.publishing import registry as media_registry


def check_publishing() -> Iterator[CheckMessage]:
    """Check the public store, the workbenches and the media processors."""
    alias = conf.DELIVERY_STORE_PUBLIC_STORAGE
    # Who publishes nothing need not have what his storage needs.
    if media_registry.get_processors() or alias not in storages.backends:
        yield from check_alias(30, "DELIVERY_STORE_PUBLIC_STORAGE")
    name = "DELIVERY_STORE_WORKBENCH_ROOT"
    if getattr(conf, name) is not None and (fault := fault_of_folder(name)):
        hint = f'Write {name} = "/path/to/a/folder", or None for a temporary one.'
        yield wrong(32, fault, hint)
    for name, found in media_registry.clashes():
        classes = ", ".join(f"{one.__module__}.{one.__qualname__}" for one in found)
        message = f"Several media processors are called {name!r}: {classes}."
        hint = 'Give each a name of its own, such as name = "photo".'
        yield wrong(33, message, hint)
    yield from _check_pillow()


def _check_pillow() -> Iterator[CheckMessage]:
    """Check that what makes pictures is installed: it is an extra."""
    processors = media_registry.get_processors()
    pictures = [
        name for name, one in processors.items() if issubclass(one, PictureProcessor)
    ]
    if pictures and find_spec("PIL") is None:
        yield CheckWarning(
            "Pillow is not installed, which these media processors need: "
            f"{', '.join(pictures)}.",
            hint='Type pip install "deliverystore[images]".',
            id="deliverystore.W031",
        )


def check_public_folder() -> Iterator[CheckMessage]:
    """Check that what visitors may get is not where there is what they may not."""
    if media_registry.get_processors():
        yield from _check_shared_storage()
        alias = conf.DELIVERY_STORE_PUBLIC_STORAGE
        if has_no_folder(storages[alias]):
            message = f"STORAGES[{alias!r}], which is to be public, has no folder."
            yield wrong(31, message, 'Write MEDIA_ROOT = "/path/to/a/folder".')
            return
    for public, outer in _public_folders().items():
        for name, folder in named_folders().items():
            if folder.is_relative_to(outer) or outer.is_relative_to(folder):
                message = f"{name} ({folder}) and {public} ({outer}) overlap."
                hint = (
                    "Choose folders of which none lies in another: one of them is "
                    "public."
                )
                yield wrong(31, message, hint)


def _public_folders() -> dict[str, Path]:
    """Return what web servers give out: MEDIA_ROOT also if nothing is published."""
    folders: dict[str, Path] = {}
    if media_registry.get_processors() and public_store.local_storage:
        path = public_store.get_local_path(["name"])
        folders["the public store"] = Path(path).parent.resolve()
    if settings.MEDIA_ROOT:
        media = Path(settings.MEDIA_ROOT).resolve()
        if media not in folders.values():
            folders["MEDIA_ROOT"] = media
    return folders


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
