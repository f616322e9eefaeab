"""The contract on our stores, and on stores as a stranger writes them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from django.test import SimpleTestCase

from deliverystore.backends import (
    Capability,
    DeliveryStoreInterface,
    DjangoStorageDeliveryStore,
    FsDeliveryStore,
    FsHierDeliveryStore,
    MemoryDeliveryStore,
)
from deliverystore.testing import DeliveryStoreTestMixin, TestDeliveryStoreMixin


class FolderTestCase(SimpleTestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)


class TestFs(DeliveryStoreTestMixin, FolderTestCase):
    def get_storageobj(self):
        return FsDeliveryStore(self.folder)


class TestFsWithFullDurability(DeliveryStoreTestMixin, FolderTestCase):
    def get_storageobj(self):
        return FsDeliveryStore(self.folder, durability="full")


class TestFsHier(DeliveryStoreTestMixin, FolderTestCase):
    def get_storageobj(self):
        return FsHierDeliveryStore(self.folder, interval=3)


class TestMemory(DeliveryStoreTestMixin, SimpleTestCase):
    def get_storageobj(self):
        return MemoryDeliveryStore()


class TestDjangoStorageOverFilesThatAreNotReplaced(
    DeliveryStoreTestMixin, FolderTestCase
):
    def get_storageobj(self):
        return DjangoStorageDeliveryStore("prefix", FileSystemStorage(self.folder))


class TestDjangoStorageOverFilesThatAreReplaced(DeliveryStoreTestMixin, FolderTestCase):
    def get_storageobj(self):
        storage = FileSystemStorage(self.folder, allow_overwrite=True)
        return DjangoStorageDeliveryStore("prefix", storage)


class TestDjangoStorageWithoutPrefix(DeliveryStoreTestMixin, FolderTestCase):
    def get_storageobj(self):
        return DjangoStorageDeliveryStore("", FileSystemStorage(self.folder))


class OverMemory(DjangoStorageDeliveryStore):
    capabilities = frozenset()


class TestDjangoStorageOverMemory(DeliveryStoreTestMixin, SimpleTestCase):
    # All files that Django's InMemoryStorage opens share one position.
    test_several_readers_do_not_disturb_each_other = None  # type: ignore[assignment]

    def get_storageobj(self):
        return OverMemory("prefix", InMemoryStorage())


class DictStore(DeliveryStoreInterface):
    def __init__(self):
        self.contents = {}

    def _open(self, name, mode="rb"):
        if name not in self.contents:
            raise FileNotFoundError(name)
        return ContentFile(self.contents[name], name)

    def _save(self, name, content):
        self.contents[name] = b"".join(content.chunks())
        return name

    def _exists(self, name):
        return name in self.contents

    def delete(self, name):
        self.contents.pop(name, None)


class TestStoreOfAStranger(DeliveryStoreTestMixin, SimpleTestCase):
    def get_storageobj(self):
        return DictStore()


class FlatFolderStore(DeliveryStoreInterface):
    capabilities = frozenset({Capability.REPLACE, Capability.SHARED})

    def __init__(self, folder):
        self.folder = folder

    def _path(self, name):
        return self.folder / name.encode().hex()

    def _open(self, name, mode="rb"):
        return File(self._path(name).open(mode))

    def _save(self, name, content):
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
            file.writelines(content.chunks())
        os.replace(file.name, self._path(name))  # noqa: PTH105
        return name

    def _exists(self, name):
        return self._path(name).exists()

    def delete(self, name):
        self._path(name).unlink(missing_ok=True)


class TestStoreOfAStrangerWithCapabilities(TestDeliveryStoreMixin, FolderTestCase):
    def get_storageobj(self):
        return FlatFolderStore(self.folder)
