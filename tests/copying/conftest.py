"""Two stores, and files in the first."""

from __future__ import annotations

import pytest

from deliverystore.backends import FsDeliveryStore, FsHierDeliveryStore
from deliverystore.copying import Copier, copy_all
from deliverystore.testing import override_delivery_store
from tests.factories import open_delivery


@pytest.fixture
def old(tmp_path):
    store = FsDeliveryStore(tmp_path / "old")
    with override_delivery_store(store):
        yield store


@pytest.fixture
def new(tmp_path):
    return FsHierDeliveryStore(tmp_path / "new")


@pytest.fixture
def files(db, old):
    """Hand in a few files, one of them empty, one of some megabytes."""
    contents = [("a.txt", b"aaa"), ("empty", b""), ("large", b"x" * 3_000_000)]
    return list(open_delivery(files=contents).files.all())


@pytest.fixture
def copy(old, new):
    """Return what copies from old to new and tells the outcome by filename."""

    def run(jobs=1, **options):
        copier = Copier(**{"source": old, "target": new, **options})
        return {
            one.file.filename: one.outcome.value for one in copy_all(copier, jobs=jobs)
        }

    return run


def content_in(store, file):
    with store.read_open(file) as opened:
        return opened.read()


def write(store, file, content):
    with store.write_open(file) as opened:
        opened.write(content)


def names_in(store):
    return {entry.name for entry in store.walk()}
