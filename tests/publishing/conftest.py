"""A public store in a folder, and processors to fill it."""

from __future__ import annotations

import pytest

from deliverystore.publishing import registry
from tests.browser import browser, page, screen  # noqa: F401 - fixtures
from tests.factories import finished_delivery
from tests.publishing.media import UpperProcessor


@pytest.fixture
def media(settings, tmp_path):
    """Return the folder of the public store, from which a web server serves."""
    folder = tmp_path / "media"
    settings.STORAGES = {
        **settings.STORAGES,
        "media": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder, "base_url": "/media/"},
        },
    }
    settings.DELIVERY_STORE_PUBLIC_STORAGE = "media"
    settings.DELIVERY_STORE_WORKBENCH_ROOT = tmp_path / "benches"
    return folder


@pytest.fixture
def processor():
    """Return a function that registers a media processor for this test, alone."""
    before = list(registry._registered)
    registry._registered.clear()

    def add(one):
        registry._registered.insert(0, one)
        return one

    add(UpperProcessor)
    yield add
    registry._registered[:] = before


@pytest.fixture
def file(db, media, processor):
    """Return a file that was handed in, and that a processor takes."""
    return finished_delivery(files=[("hello.txt", b"hello")]).files.get()
