"""What the ancestors of these stores got wrong, and what holds here instead."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import TemporaryUploadedFile

from deliverystore import conf as conf_module
from deliverystore.backends import (
    FsDeliveryStore,
    FsHierDeliveryStore,
    default_store,
)
from deliverystore.conf import conf
from deliverystore.models import Delivery, FileMeta

FIVE_GIB = 5 * 2**30


@pytest.fixture
def file():
    return FileMeta(delivery_id=2_001_000, pk=7)


def test_the_hierarchy_does_not_divide_by_floats(tmp_path, file):
    store = FsHierDeliveryStore(tmp_path, interval=1000)
    with store.write_open(file) as stored:
        stored.write(b"content")

    assert (tmp_path / "2" / "1" / "2001000" / "7").read_bytes() == b"content"


def test_ids_that_a_float_cannot_hold_get_their_own_folder():
    store = FsHierDeliveryStore(interval=1000)

    assert store.get_path_from_deliveryid(2**53 * 1000 + 1000) != (
        store.get_path_from_deliveryid(2**53 * 1000)
    )


@pytest.mark.parametrize("data", [b"content", "content", ["con", b"tent"]], ids=repr)
def test_a_file_is_added_from_bytes_as_well_as_from_str(db, data):
    file = Delivery.begin().add_file("essay.txt", data)

    assert file.get_all_data_as_string() == b"content"


def test_a_failed_write_leaves_no_half_file(db, delivery_store_root):
    def breaking_off():
        yield b"half a file" * 100_000
        raise ConnectionResetError

    delivery = Delivery.begin()
    with pytest.raises(ConnectionResetError):
        delivery.add_file("essay.txt", breaking_off())

    assert not [p for p in delivery_store_root.rglob("*") if p.is_file()]
    assert not delivery.files.exists()


def test_a_file_can_be_larger_than_32_bits_can_count(tmp_path, file):
    store = FsDeliveryStore(tmp_path)
    with store.write_open(file) as stored:
        stored.seek(FIVE_GIB)
        stored.write(b"the end")

    assert store.size(store.name_of(file)) == FIVE_GIB + 7
    with store.read_range(file, FIVE_GIB + 4, 100) as part:
        assert part.read() == b"end"


def test_a_row_can_say_so(db):
    delivery = Delivery.begin()
    row = FileMeta.objects.create(delivery=delivery, filename="f", size=FIVE_GIB)
    Delivery.objects.filter(pk=delivery.pk).update(size=FIVE_GIB)

    row.refresh_from_db()
    delivery.refresh_from_db()
    assert (row.size, delivery.size) == (FIVE_GIB, FIVE_GIB)


def test_settings_are_read_when_they_are_used_not_when_they_are_imported(
    settings, tmp_path, file
):
    for folder in ("one", "two"):
        settings.DELIVERY_STORE_ROOT = tmp_path / folder
        settings.DELIVERY_STORE_BACKEND = "deliverystore.backends.FsDeliveryStore"
        with default_store.write_open(file) as stored:
            stored.write(folder.encode())

        assert (tmp_path / folder / "2001000" / "7").read_text() == folder
    settings.DELIVERY_STORE_INTERVAL = 3
    assert conf.DELIVERY_STORE_INTERVAL == 3
    assert conf_module.Conf().DELIVERY_STORE_INTERVAL == 3


def test_saving_does_not_write_under_the_final_name(tmp_path):
    class Watching(ContentFile):
        def chunks(self, chunk_size=None):
            yield b"half a file" * 100_000
            assert not [p for p in tmp_path.rglob("*") if p.is_file()]
            yield b" and the rest"

    name = FsDeliveryStore(tmp_path).save("essay.txt", Watching(b""))

    assert (tmp_path / name).read_bytes().endswith(b"a file and the rest")


def test_large_uploads_of_one_name_that_race_are_both_kept(tmp_path):
    """Django moves them: who comes second replaces who came first."""
    store = FsDeliveryStore(tmp_path)
    barrier = threading.Barrier(2)
    saved = {}

    def save(letter):
        with TemporaryUploadedFile("essay.txt", "text/plain", 3, None) as upload:
            upload.write(letter * 3_000_000)
            barrier.wait()
            saved[letter] = store.save("essay.txt", upload)

    threads = [threading.Thread(target=save, args=[x]) for x in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(saved.values())) == 2
    for letter, name in saved.items():
        assert Path(store.path(name)).read_bytes() == letter * 3_000_000
