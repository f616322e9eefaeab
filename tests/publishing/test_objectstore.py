"""Publishing where both stores are far away."""

from __future__ import annotations

import io
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from PIL import Image

from deliverystore.backends import DjangoStorageDeliveryStore
from deliverystore.models import FileMeta
from deliverystore.publishing import (
    CloudFileStorage,
    PictureProcessor,
    WorkbenchManager,
    public_store,
    publish,
    sweep,
    unpublish,
    work,
)
from tests.backends.conftest import object_store, objects  # noqa: F401 - fixtures
from tests.factories import finished_delivery
from tests.publishing.media import public

pytestmark = [pytest.mark.objectstore, pytest.mark.django_db]


@pytest.fixture
def far(objects, settings, processor, monkeypatch, tmp_path):  # noqa: F811
    """Keep what is handed in, and what is public, in two folders of a bucket."""
    for alias in ("private", "public"):
        settings.STORAGES = {
            **settings.STORAGES,
            alias: {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": objects.options(location=f"{objects.prefix}/{alias}"),
            },
        }
    settings.DELIVERY_STORE_PUBLIC_STORAGE = "public"
    settings.DELIVERY_STORE_WORKBENCH_ROOT = tmp_path / "benches"
    store = DjangoStorageDeliveryStore(root="", storage="private")
    monkeypatch.setattr(FileMeta, "deliverystore", store)
    yield store
    objects.clear()


@pytest.fixture
def asked(far):
    """The objects of the private folder that were read, as (operation, key)."""
    found = []

    def remember(params, model, **kwargs):
        if model.name in ("GetObject", "HeadObject"):
            found.append((model.name, params["url_path"]))

    events = far.storage.connection.meta.client.meta.events
    events.register("before-call.s3", remember)
    yield found
    events.unregister("before-call.s3", remember)


def test_a_file_is_fetched_once_for_a_job_and_its_workbench_is_gone(
    asked,
    tmp_path,
    objects,  # noqa: F811
):
    file = finished_delivery(files=[("hello.txt", b"hello")]).files.get()
    asked.clear()

    publication = work(publish(file, enqueue=False))

    assert publication.state == "processed", publication.error
    assert len([name for name, _key in asked if name == "GetObject"]) == 1
    assert public(file) == {"upper": "HELLO", "length": "5"}
    assert list((tmp_path / "benches").iterdir()) == []
    one = file.published_files.public().first()
    assert "/published/" in one.url
    assert one.url == public_store.file_url(one.filepath) or "X-Amz" in one.url

    unpublish(file)
    sweep()
    assert not any("/public/" in key for key in map(str, objects.keys()))


def got(url):
    """Return what a visitor gets at an address: status, content type and bytes."""
    try:
        with urlopen(url, timeout=30) as answer:  # noqa: S310 - the object store's
            return answer.status, answer.headers["Content-Type"], answer.read()
    except HTTPError as error:
        error.close()
        return error.code, "", b""


def test_visitors_get_what_is_published_over_http(
    far, processor, django_capture_on_commit_callbacks
):
    class Photos(PictureProcessor):
        name = "photos"
        sizes = {"medium": 200, "thumbnail": 50}

    processor(Photos)
    photo = io.BytesIO()
    Image.new("RGB", (400, 200), "red").save(photo, "JPEG")
    files = [("view.jpg", photo.getvalue()), ("hello.txt", b"hello")]
    view, hello = finished_delivery(files=files).files.all()

    def published(file):
        assert work(publish(file, enqueue=False)).state == "processed"
        return {one.keyname: one for one in file.published_files.public()}

    first, text = published(view), published(hello)

    status, content_type, medium = got(first["medium"].url)
    assert (status, content_type) == (200, "image/jpeg")
    assert len(medium) == first["medium"].size
    with Image.open(io.BytesIO(medium)) as picture:
        assert picture.size == (200, 100)
    assert got(text["upper"].url) == (200, "text/plain", b"HELLO")

    again = published(view)

    assert again["medium"].filepath != first["medium"].filepath
    for one in (first["medium"], again["medium"]):
        assert got(one.url)[0] == 200

    with django_capture_on_commit_callbacks(execute=True):
        unpublish(view)

    for one in (*first.values(), *again.values()):
        assert got(one.url)[0] == 404
    assert got(text["upper"].url)[0] == 200


def test_a_file_of_a_cloud_is_copied_into_the_workbench(far, tmp_path):
    storage = CloudFileStorage("private")
    stored = storage.store_unique(["photo.jpg"], b"a photo")

    with WorkbenchManager().create() as bench:
        path = bench.localized_file(storage, stored, "source")
        assert path == bench.path / "source.jpg"
        assert path.read_bytes() == b"a photo"
    assert not path.exists()
