"""The contract on an object store: the S3 storage of django-storages, wrapped."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import SimpleTestCase

from deliverystore.backends import DjangoStorageDeliveryStore
from deliverystore.exceptions import FileExists, FileNotFound, StoreUnavailable
from deliverystore.models import FileMeta
from deliverystore.testing import DeliveryStoreTestMixin
from tests.objectstore import VARIABLE, content_of, write

pytestmark = pytest.mark.objectstore

MEGABYTE = 1_000_000


class TestS3(DeliveryStoreTestMixin, SimpleTestCase):
    if VARIABLE + "ENDPOINT" not in os.environ:
        # moto runs in this process, too; what streams is measured in another one.
        test_a_large_stream_comes_back_unchanged_and_needs_little_memory = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def _store(self, s3):
        self.s3 = s3

    def get_storageobj(self):
        return self.s3


def named(leftovers, name):
    return [leftover for leftover in leftovers if name in leftover]


@pytest.fixture
def asked(s3):
    """The requests to the object store, as (operation, headers)."""
    requests = []

    def remember(model, params, **kwargs):
        requests.append((model.name, params["headers"]))

    events = s3.storage.connection.meta.client.meta.events
    events.register("before-call.s3", remember)
    yield requests
    events.unregister("before-call.s3", remember)


@pytest.mark.processes
def test_200_mb_go_up_and_down_and_the_memory_stays_flat(objects):
    done = subprocess.run(
        [sys.executable, "-m", "tests.processes.stream", "200"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            **objects.environment,
        },
        check=True,
        capture_output=True,
        text=True,
    )

    assert json.loads(done.stdout)["growth"] < 32 * MEGABYTE


def test_a_range_is_all_that_is_downloaded(s3, asked, name):
    write(s3, name, b"0123456789")
    asked.clear()

    with s3.read_range(name, 3, 4) as part:
        assert part.read() == b"3456"
    with s3.read_range(name, 8, 4) as part:
        assert part.read() == b"89"

    assert [(operation, headers.get("Range")) for operation, headers in asked] == [
        ("GetObject", "bytes=3-6"),
        ("GetObject", "bytes=8-11"),
    ]


def test_what_lies_around_a_range_does_not_pass_the_network(
    s3, proxy, s3_behind_proxy, name
):
    write(s3, name, bytes(20 * MEGABYTE) + b"the end")

    with s3_behind_proxy.read_range(name, 20 * MEGABYTE, 3) as part:
        assert part.read() == b"the"

    assert proxy.received < 4096


def test_a_copy_is_made_inside_the_service(s3, proxy, s3_behind_proxy, name):
    content = secrets.token_bytes(20 * MEGABYTE)
    write(s3, name, content)

    s3_behind_proxy.copy(name, f"copy-{name}")

    assert proxy.sent + proxy.received < 64 * 1024
    assert hashlib.sha256(content_of(s3, f"copy-{name}")).digest() == (
        hashlib.sha256(content).digest()
    )


def test_a_copy_takes_what_the_settings_say_of_every_object(objects, asked, s3, name):
    write(s3, name, b"content")
    s3.storage.object_parameters = {"StorageClass": "STANDARD", "CacheControl": "no"}
    s3.storage.default_acl = "private"

    s3.copy(name, f"copy-{name}")

    [headers] = [headers for operation, headers in asked if operation == "CopyObject"]
    assert headers["x-amz-storage-class"] == "STANDARD"
    assert headers["x-amz-acl"] == "private"


def test_a_copy_needs_the_key_of_the_customer_for_reading_and_for_writing(
    asked, s3, name
):
    write(s3, name, b"content")
    s3.storage.object_parameters = {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": secrets.token_bytes(32),
    }

    def stop(**kwargs):
        raise ConnectionError("not sent: no service without TLS takes it")

    events = s3.storage.connection.meta.client.meta.events
    events.register("before-send.s3.HeadObject", stop)
    with pytest.raises(ConnectionError):
        s3.copy(name, f"copy-{name}")

    _, headers = asked[-1]
    key = "server-side-encryption-customer-key"
    assert f"x-amz-{key}" in headers


def test_a_copy_that_gets_another_name_is_followed_or_refused(objects, name):
    store = DjangoStorageDeliveryStore(
        objects.prefix, objects.storage(file_overwrite=False)
    )
    file = FileMeta(delivery_id=secrets.randbits(40), pk=7)
    taken = store.name_of(file)
    write(store, name, b"content")
    write(store, taken, b"of somebody else")

    store.copy(name, file)
    with pytest.raises(FileExists, match="does not replace"):
        store.copy(name, taken)

    assert file.stored_as.startswith(f"{taken}_")
    assert content_of(store, file) == b"content"
    assert content_of(store, taken) == b"of somebody else"


def test_saving_does_not_replace_also_if_the_storage_would(s3, name):
    names = [s3.save(name, ContentFile(content)) for content in (b"first", b"second")]

    assert [content_of(s3, one) for one in names] == [b"first", b"second"]


def test_files_can_be_read_from_any_place(s3, name):
    write(s3, name, b"0123456789")

    with s3.read_open(name) as file:
        assert file.read(2) == b"01"
        file.seek(-3, io.SEEK_END)
        assert file.read() == b"789"
        file.seek(4)
        assert (file.tell(), file.read(2), file.tell()) == (4, b"45", 6)
        file.seek(1, io.SEEK_CUR)
        assert file.read(1) == b"7"
        file.seek(100)
        assert file.read() == b""
    with s3.read_range(name, 2, 5) as part:
        assert part.read() == b"23456"


def test_a_download_goes_on_where_its_connection_broke(
    s3, proxy, s3_behind_proxy, name
):
    content = secrets.token_bytes(20 * MEGABYTE)
    write(s3, name, content)
    proxy.breaks_once_after = 12 * MEGABYTE

    found = content_of(s3_behind_proxy, name)

    assert proxy.breaks_once_after == float("inf")
    assert hashlib.sha256(found).digest() == hashlib.sha256(content).digest()
    assert proxy.received < 25 * MEGABYTE


def test_what_is_replaced_meanwhile_is_not_read_as_a_mixture(s3, name):
    write(s3, name, b"old" * MEGABYTE)

    with s3.read_open(name) as file:
        file.read(10)
        write(s3, name, b"new" * MEGABYTE)
        file.seek(2 * MEGABYTE)
        with pytest.raises(StoreUnavailable, match="replaced while it was read"):
            file.read(10)


def test_a_walk_asks_for_a_thousand_files_at_once(objects, asked, s3):
    folder = secrets.token_hex(8)
    store = DjangoStorageDeliveryStore(f"{objects.prefix}/{folder}", s3.storage)
    for number in range(3):
        write(store, f"5/{number}", b"content")
    asked.clear()

    assert [entry.name for entry in store.walk("5/0")] == ["5/1", "5/2"]

    assert [operation for operation, _ in asked] == ["ListObjectsV2"]


def test_the_parts_of_an_upload_that_broke_off_are_found_and_removed(s3, objects, name):
    client = s3.storage.connection.meta.client
    key = {"Bucket": objects.bucket, "Key": f"{objects.prefix}/{name}"}
    upload = client.create_multipart_upload(**key)["UploadId"]
    client.upload_part(**key, UploadId=upload, PartNumber=1, Body=b"a part")
    now = datetime.now(UTC)

    # It got a part since; moto says that each upload began long ago.
    assert not named(s3.leftovers(now - timedelta(hours=1)), name)
    [leftover] = named(s3.leftovers(now + timedelta(hours=1)), name)
    s3.remove_leftover(leftover)

    assert objects.unfinished(name) == []
    with pytest.raises(FileNotFound):
        s3.remove_leftover(leftover)


def test_a_location_of_the_storage_comes_before_the_prefix(objects, name):
    storage = objects.storage(location=f"{objects.prefix}/location")
    store = DjangoStorageDeliveryStore("prefix", storage)
    write(store, name, b"0123456789")

    store.copy(name, f"copy-{name}")

    assert {f"{objects.prefix}/location/prefix/{name}"} < set(objects.keys())
    assert content_of(store, f"copy-{name}") == b"0123456789"
    assert {entry.name for entry in store.walk()} == {name, f"copy-{name}"}
    with store.read_range(name, 3, 4) as part:
        assert part.read() == b"3456"


# django-storages leaves the file open from which it decompresses.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_stored_compressed_is_read_and_copied_as_it_was(objects, name):
    store = DjangoStorageDeliveryStore(objects.prefix, objects.storage(gzip=True))
    write(store, f"{name}.css", b"0123456789")

    store.copy(f"{name}.css", f"copy-{name}.css")

    assert content_of(store, f"copy-{name}.css") == b"0123456789"
    with store.read_range(f"{name}.css", 3, 4) as part:
        assert part.read() == b"3456"
