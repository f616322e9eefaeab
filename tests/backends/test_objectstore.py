"""The contract on an object store: the S3 storage of django-storages, wrapped."""

from __future__ import annotations

import pytest
from django.test import SimpleTestCase

from deliverystore.backends import DjangoStorageDeliveryStore
from deliverystore.testing import DeliveryStoreTestMixin

pytestmark = pytest.mark.objectstore


@pytest.fixture(scope="module")
def storage():
    from moto.server import ThreadedMotoServer
    from storages.backends.s3 import S3Storage

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    storage = S3Storage(
        access_key="testing",
        secret_key="testing",
        bucket_name="deliveries",
        region_name="us-east-1",
        endpoint_url=f"http://{host}:{port}",
    )
    storage.bucket.create()
    yield storage
    server.stop()


class TestS3(DeliveryStoreTestMixin, SimpleTestCase):
    # The server runs in this process, too.
    test_a_large_stream_comes_back_unchanged_and_needs_little_memory = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def s3(self, storage):
        self.storage = storage

    def get_storageobj(self):
        return DjangoStorageDeliveryStore("prefix", self.storage)


@pytest.fixture
def requests(storage):
    """The ranges that were asked of the object store."""
    ranges = []

    def remember(params, **kwargs):
        ranges.append(params["headers"].get("Range"))

    events = storage.bucket.meta.client.meta.events
    events.register("before-call.s3.GetObject", remember)
    yield ranges
    events.unregister("before-call.s3.GetObject", remember)


def test_a_range_is_all_that_is_downloaded(storage, requests):
    store = DjangoStorageDeliveryStore("prefix", storage)
    with store.write_open("essay.txt") as file:
        file.write(b"0123456789")

    with store.read_range("essay.txt", 3, 4) as part:
        assert part.read() == b"3456"
    with store.read_range("essay.txt", 8, 4) as part:
        assert part.read() == b"89"
    with store.read_range("essay.txt", 10, 4) as part:
        assert part.read() == b""

    assert requests == ["bytes=3-6", "bytes=8-9"]


# django-storages leaves the file open from which it decompresses.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_range_of_what_is_stored_compressed_is_one_of_the_content(storage):
    store = DjangoStorageDeliveryStore("prefix", storage)
    storage.gzip = True
    try:
        with store.write_open("compressed.css") as file:
            file.write(b"0123456789")
        with store.read_range("compressed.css", 3, 4) as part:
            assert part.read() == b"3456"
    finally:
        storage.gzip = False
