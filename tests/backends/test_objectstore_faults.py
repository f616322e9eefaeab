"""An object store that refuses, vanishes, is slow, or has lost one of its servers."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from deliverystore.backends import DjangoStorageDeliveryStore
from deliverystore.exceptions import StoreUnavailable
from deliverystore.models import Condition, Delivery, Removal
from deliverystore.testing import override_delivery_store
from tests.objectstore import VARIABLE, content_of, write

pytestmark = [pytest.mark.objectstore, pytest.mark.long]

MEGABYTE = 1_000_000


def operations(store, name):
    """Return all that can be asked of a store, by name."""
    return {
        "write": lambda: write(store, name, b"content"),
        "read": lambda: content_of(store, name),
        "read_range": lambda: store.read_range(name, 1, 2),
        "exists": lambda: store.exists(name),
        "remove": lambda: store.remove(name),
        "delete": lambda: store.delete(name),
        "copy": lambda: store.copy(name, f"copy-{name}"),
        "size": lambda: store.size(name),
        "listdir": lambda: store.listdir(""),
        "walk": lambda: list(store.walk()),
        "leftovers": lambda: list(store.leftovers(datetime.now(UTC))),
        "get_modified_time": lambda: store.get_modified_time(name),
    }


@contextlib.contextmanager
def aliased(settings, objects, **options):
    """Give a delivery store over STORAGES["handed-in"], with other options."""
    from deliverystore.backends import default_store

    settings.STORAGES = {
        **settings.STORAGES,
        "handed-in": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": objects.options(**options),
        },
    }
    settings.DELIVERY_STORE_STORAGE = "handed-in"
    settings.DELIVERY_STORE_BACKEND = (
        "deliverystore.backends.DjangoStorageDeliveryStore"
    )
    settings.DELIVERY_STORE_ROOT = objects.prefix
    yield default_store


@pytest.mark.parametrize(
    "wrong", [{"secret_key": "wrong"}, {"access_key": "nobody:nowhere"}]
)
def test_a_wrong_key_is_named_with_its_setting(settings, objects, s3, name, wrong):
    if VARIABLE + "ENDPOINT" not in os.environ:
        pytest.skip("moto takes every key; a real object store does not")
    write(s3, name, b"content")

    with aliased(settings, objects, **wrong) as store:
        for operation, run in operations(store, name).items():
            with pytest.raises(StoreUnavailable) as caught:
                run()

            message = str(caught.value)
            assert "STORAGES['handed-in']" in message, operation
            assert "Check its access_key and secret_key" in message, operation

    assert content_of(s3, name) == b"content"
    assert not s3.exists(f"copy-{name}")


def test_a_wrong_bucket_is_named_with_its_setting(settings, objects, name):
    with aliased(settings, objects, bucket_name="not-there") as store:
        for run in (
            lambda: write(store, name, b"content"),
            lambda: content_of(store, name),
            lambda: list(store.walk()),
        ):
            with pytest.raises(
                StoreUnavailable,
                match=r"STORAGES\['handed-in'\].*NoSuchBucket.*Check its bucket_name",
            ):
                run()


def test_nobody_at_the_endpoint_is_an_error_that_names_it(settings, objects, name):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"

    with aliased(settings, objects, endpoint_url=endpoint) as store:
        for operation, run in operations(store, name).items():
            with pytest.raises(StoreUnavailable) as caught:
                run()

            assert endpoint in str(caught.value), operation
            assert "Check its endpoint_url" in str(caught.value), operation


def test_a_service_that_does_not_answer_is_given_up_in_time(objects, proxy, name):
    from botocore.config import Config

    patience = Config(read_timeout=0.5, retries={"total_max_attempts": 2})
    storage = objects.behind(proxy).storage(client_config=patience)
    store = DjangoStorageDeliveryStore(objects.prefix, storage)
    proxy.is_silent.set()
    start = time.monotonic()

    with pytest.raises(StoreUnavailable, match=r"S3Storage.*Read timeout"):
        write(store, name, b"content")

    assert time.monotonic() - start < 10
    assert objects.unfinished(name) == []


@pytest.mark.parametrize("megabytes", [3, 40], ids=["in one piece", "in parts"])
def test_a_service_that_vanishes_during_an_upload_leaves_nothing_half_done(
    objects, s3, proxy, s3_behind_proxy, name, megabytes
):
    proxy.vanishes_after = megabytes * MEGABYTE // 2

    with pytest.raises(StoreUnavailable, match="Check its endpoint_url"):
        write(s3_behind_proxy, name, secrets.token_bytes(megabytes * MEGABYTE))

    assert not s3.exists(name)
    # Nobody could tell the service; what it keeps is found later.
    for leftover in list(s3.leftovers(datetime.now(UTC) + timedelta(hours=1))):
        s3.remove_leftover(leftover)
    assert objects.unfinished(name) == []


def test_a_service_that_vanishes_leaves_the_old_content(
    s3, proxy, s3_behind_proxy, name
):
    write(s3, name, b"old")
    proxy.vanishes_after = 10 * MEGABYTE

    with pytest.raises(StoreUnavailable):
        write(s3_behind_proxy, name, secrets.token_bytes(20 * MEGABYTE))

    assert content_of(s3, name) == b"old"


def test_an_upload_that_the_service_breaks_off_leaves_no_parts(objects, s3, name):
    from botocore.exceptions import ConnectionClosedError

    parts = []

    def fail(**kwargs):
        parts.append(kwargs)
        if len(parts) == 3:
            raise ConnectionClosedError(endpoint_url=objects.endpoint)

    events = s3.storage.connection.meta.client.meta.events
    events.register("before-call.s3.UploadPart", fail)

    with pytest.raises(StoreUnavailable, match="Check its endpoint_url"):
        write(s3, name, secrets.token_bytes(20 * MEGABYTE))

    assert not s3.exists(name)
    assert objects.unfinished(name) == []


def test_a_service_that_vanishes_during_a_download_is_an_error(
    s3, proxy, s3_behind_proxy, name
):
    write(s3, name, secrets.token_bytes(20 * MEGABYTE))

    with s3_behind_proxy.read_open(name) as file:
        file.read(MEGABYTE)
        proxy.vanishes_after = 0
        proxy.close_all()
        with pytest.raises(StoreUnavailable, match=name):
            file.read()


@pytest.mark.django_db(transaction=True)
def test_handing_in_while_the_service_vanishes_leaves_no_file(s3, proxy, objects):
    delivery = Delivery.begin()
    behind = DjangoStorageDeliveryStore(objects.prefix, objects.behind(proxy).storage())
    with override_delivery_store(behind):
        proxy.vanishes_after = 10 * MEGABYTE
        with pytest.raises(StoreUnavailable):
            delivery.add_file("large.bin", secrets.token_bytes(20 * MEGABYTE))

    assert not delivery.files.exists()
    # The service may have got all of it: the sweep will look.
    removal = Removal.objects.get()
    name = f"{removal.delivery_id}/{removal.filemeta_id}"
    with override_delivery_store(s3):
        assert not s3.exists(name)
        file = delivery.add_file("large.bin", b"once more")
        delivery.finish()
        assert file.verify() is Condition.INTACT


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_reached_is_unreadable_and_not_missing(s3, proxy, objects):
    behind = DjangoStorageDeliveryStore(objects.prefix, objects.behind(proxy).storage())
    with override_delivery_store(behind):
        file = Delivery.begin().add_file("essay.txt", b"content")
        proxy.vanishes_after = 0
        proxy.close_all()
        assert file.verify() is Condition.UNREADABLE
    with override_delivery_store(s3):
        assert file.verify() is Condition.INTACT


@pytest.mark.processes
def test_with_one_server_down_everything_goes_on(object_store, name, request):
    storage = object_store.storage()
    store = DjangoStorageDeliveryStore(object_store.prefix, storage)
    before = {f"{n}-{name}": secrets.token_bytes(1000) for n in range(16)}
    for one, content in before.items():
        write(store, one, content)
    write(store, f"large-{name}", large := secrets.token_bytes(20 * MEGABYTE))

    request.getfixturevalue("one_server_down")

    assert {one: content_of(store, one) for one in before} == before
    assert content_of(store, f"large-{name}") == large
    for one, content in before.items():
        write(store, f"new-{one}", content)
        assert content_of(store, f"new-{one}") == content
        store.copy(one, f"copy-{one}")
        assert content_of(store, f"copy-{one}") == content
        store.remove(one)
        assert not store.exists(one)
    with store.read_range(f"large-{name}", 15 * MEGABYTE, 10) as part:
        assert part.read() == large[15 * MEGABYTE : 15 * MEGABYTE + 10]
