"""Data centers in different places, what is in them, and interruptions."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
from functools import wraps

import pytest
from django.core.files.storage import FileSystemStorage, InMemoryStorage

from deliverystore.backends import FsDeliveryStore, MemoryDeliveryStore
from deliverystore.datacenter import DataCenter
from deliverystore.datacenter.places import FolderPlace, StoragePlace

PLACES = {
    "folder": lambda folder: folder,
    "in-memory-storage": lambda folder: InMemoryStorage(),
    "memory-store": lambda folder: MemoryDeliveryStore(),
    "storage-that-replaces": lambda folder: FileSystemStorage(
        folder, allow_overwrite=True
    ),
    "file-system-storage": lambda folder: FileSystemStorage(folder),
    "delivery-store": lambda folder: FsDeliveryStore(folder),
}


def put(center, name, content="a,b\r\n1,2\r\n"):
    center.place.replace(name, [content.encode()])
    return name


def read(center, name):
    return b"".join(center.place.chunks(name)).decode()


def content_of(center):
    """Return what is in a data center, file by file; what nobody sees is left out."""
    return {
        entry.name: read(center, entry.name)
        for entry in center.place.all_entries()
        if "/." not in f"/{entry.name}"
    }


def names_in(center):
    return sorted(content_of(center))


def hidden_in(center):
    return [e.name for e in center.place.all_entries() if "/." in f"/{e.name}"]


class Killed(BaseException):
    """Nothing catches it, as nothing catches a power cut."""


class Fuse:
    """Counts what happens, and stops it at one moment."""

    def __init__(self):
        self.left = None

    @contextlib.contextmanager
    def blows_at(self, number):
        self.left = number
        try:
            yield
        finally:
            self.left = None

    def tick(self):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed


_METHODS = {
    FolderPlace: ["_create", "_move", "_copy", "_write_open", "delete", "entry"],
    StoragePlace: ["_save", "_open", "delete", "exists", "size", "get_modified_time"],
}


def _fused(method, fuse):
    @wraps(method)
    def call(self, *arguments, **options):
        fuse.tick()
        result = method(self, *arguments, **options)
        fuse.tick()
        return result

    return call


def fragile(place_class, fuse):
    """Return a place of which every call can be the last one, begun or done."""
    methods = {
        name: _fused(getattr(place_class, name), fuse) for name in _METHODS[place_class]
    }
    return type(f"Fragile{place_class.__name__}", (place_class,), methods)


def fragile_centers(folder, fuse):
    """Return how to make data centers, by their kinds, that a fuse interrupts."""
    numbers = itertools.count()
    in_folder = fragile(FolderPlace, fuse)
    in_storage = fragile(StoragePlace, fuse)
    return {
        "folder": lambda: DataCenter(in_folder(folder / f"center-{next(numbers)}")),
        "storage": lambda: DataCenter(in_storage("", InMemoryStorage())),
        "replacing": lambda: DataCenter(in_storage("", MemoryDeliveryStore())),
    }


# -- Every change of the file system -----------------------------------------------

_CHANGES = ["link", "rename", "replace", "remove", "unlink", "rmdir", "mkdir", "open"]


@contextlib.contextmanager
def fused_system(fuse):
    """Let a fuse count what changes the file system, or opens a file of it."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in [*((os, name) for name in _CHANGES), (io, "open")]:
            patch.setattr(owner, name, _ticking(getattr(owner, name), fuse))
        yield


def _ticking(function, fuse):
    @wraps(function)
    def call(*arguments, **options):
        fuse.tick()
        return function(*arguments, **options)

    return call
