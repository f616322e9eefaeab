"""The store in the database, with its data in a storage."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.db import transaction
from django.test import TransactionTestCase
from django.utils import timezone

from deliverystore import signals
from deliverystore.exceptions import (
    FileDamaged,
    FileNotFound,
    InvalidName,
    SettingInvalid,
    StoreBusy,
)
from deliverystore.kvstore import DatabaseStore
from deliverystore.models import StoredRemoval, StoredValue
from deliverystore.sweeping import preview, sweep
from deliverystore.testing import KeyValueStoreTestMixin

pytestmark = pytest.mark.django_db


class TestDatabaseStore(KeyValueStoreTestMixin, TransactionTestCase):
    def get_store(self):
        return DatabaseStore()


@pytest.fixture
def store(settings):
    # A storage in memory of this test alone.
    settings.STORAGES = {**settings.STORAGES}
    return DatabaseStore()


@pytest.fixture
def due(settings):
    """Let what waits for the sweep have waited for long enough."""

    def due():
        StoredRemoval.objects.update(removed_at=timezone.now() - timedelta(days=2))

    return due


def stored():
    """Return the names of all data in the storage."""
    found, folders = [], ["kvstore"]
    for folder in folders:
        try:
            inner, files = storages["values"].listdir(folder)
        except FileNotFoundError:
            continue
        folders += [f"{folder}/{name}" for name in inner]
        found += [f"{folder}/{name}" for name in files]
    return sorted(found)


def named():
    rows = StoredValue.objects.exclude(stored_as="")
    return sorted(rows.values_list("stored_as", flat=True))


def test_stores_of_different_names_know_nothing_of_each_other(store):
    other = DatabaseStore(name="other")
    store.set("key", (b"one", {"a": 1}))
    other.set("key", (b"two", {"a": 1}))
    other.set("b", (b"", {"a": 1}))
    store.delete("key")

    assert list(store.query_keys()) == list(store.query_keys(a=1)) == []
    assert sorted(other.query_keys(a=1)) == ["b", "key"]
    assert list(other.glob("k*")) == ["key"]
    assert other.to_bytes("key") == b"two"


@pytest.mark.parametrize("name", [None, 1, "x" * 101, "a\0b", "\ud800"])
def test_a_name_that_not_every_database_takes_is_refused(name):
    with pytest.raises(InvalidName, match="up to 100 characters"):
        DatabaseStore(name=name)


def test_a_long_name_is_a_name(settings):
    settings.STORAGES = {**settings.STORAGES}
    store = DatabaseStore(name="ä" * 100)
    store.set("key", (b"data", {}))

    assert store.to_bytes("key") == b"data"


def test_the_sweep_removes_what_no_key_has_any_more(store, due):
    store.set("key", (b"old", {}))
    store.set("key", (b"new", {}))
    store.set("gone", (b"gone", {}))
    store.delete("gone")
    assert len(stored()) == 3
    assert sweep().files == 0
    due()

    assert preview().files == 2
    assert sweep().files == 2
    assert stored() == named()
    assert store.to_bytes("key") == b"new"
    assert not StoredRemoval.objects.exists()


def test_the_sweep_removes_what_broken_writes_have_left(store, due):
    def break_off():
        with store.transaction("broken"):
            store.set("a", (b"data", {}))
            store.set("b", (b"data", {}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    # As if the process had been killed before the commit.
    store._stage([b"data"])
    assert len(stored()) == 3
    due()
    sweep()

    assert stored() == []
    assert not StoredRemoval.objects.exists()


def test_a_name_that_was_not_needed_is_not_left_to_the_sweep(store):
    store.multiset("abcde", [(b"data", {})] * 5)

    assert not StoredRemoval.objects.exists()


def test_data_that_the_sweep_has_taken_meanwhile_is_not_given_to_a_key(store, due):
    def take_too_long():
        with store.transaction("slow"):
            store.set("key", (b"data", {}))
            due()
            sweep()

    with pytest.raises(StoreBusy, match="nothing was done"):
        take_too_long()
    assert not store.exists("key")


def test_what_a_storage_refuses_to_remove_waits_for_the_next_time(
    store, due, settings, tmp_path, caplog
):
    settings.STORAGES = {
        **settings.STORAGES,
        "values": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "values")},
        },
    }
    store.set("key", (b"data", {}))
    store.delete("key")
    [name] = stored()
    path = tmp_path / "values" / name
    path.unlink()
    path.mkdir()
    (path / "inside").touch()
    due()

    assert sweep().refused == 1
    assert name in caplog.text
    (path / "inside").unlink()
    path.rmdir()
    path.write_bytes(b"data")
    assert sweep().files == 1


def test_a_transaction_of_django_takes_the_changes_back_with_it(store):
    events = []

    def receive(sender, event, **kwargs):
        events.append(event.key)

    signals.store_set.connect(receive)
    try:
        with transaction.atomic():
            store.set("key", (b"data", {}))
            transaction.set_rollback(True)
    finally:
        signals.store_set.disconnect(receive)

    assert not store.exists("key")
    assert events == []


def test_what_a_rolled_back_savepoint_has_reserved_is_given_to_no_key(store):
    def set_in_a_savepoint():
        with store.transaction("not as a whole"):
            with suppress(ZeroDivisionError), transaction.atomic():
                store.set("a", (b"data", {}))
                raise ZeroDivisionError
            store.set("b", (b"data", {}))

    with pytest.raises(StoreBusy, match="was rolled back"):
        set_in_a_savepoint()
    assert list(store.query_keys()) == []


def test_empty_data_is_not_stored(store):
    store.set_metadata("key", {"a": 1})

    assert stored() == []
    assert store.to_bytes("key") == b""


@pytest.mark.parametrize("count", [10, 500])
def test_many_values_need_few_statements(store, django_assert_max_num_queries, count):
    keys = [f"{n}" for n in range(count)]
    values = [(b"x", {"n": n, "m": 1}) for n in range(count)]
    with django_assert_max_num_queries(30):
        store.multiset(keys, values)
    with django_assert_max_num_queries(40):
        store.multiset(keys, values)
    with django_assert_max_num_queries(30):
        store.multiupdate_metadata(keys, [{"m": 2}] * count)

    assert len(list(store.query_keys(m=2))) == count


def test_writers_of_the_same_keys_go_in_the_same_order_and_wait_for_no_circle(store):
    keys = [f"{n}" for n in range(1100)]
    store.multiset_metadata(keys, [{}] * len(keys))
    rows = StoredValue.objects.order_by("pk").values_list("key_digest", flat=True)

    assert list(rows) == sorted(rows)


@pytest.mark.parametrize("count", [10, 400])
def test_a_query_needs_the_same_statements_among_many_keys(
    store, django_assert_num_queries, count
):
    store.multiset_metadata(
        [f"{n}" for n in range(count)], [{"n": n, "same": 1} for n in range(count)]
    )
    with django_assert_num_queries(1):
        assert list(store.query_keys(n=3)) == ["3"]
    # The rarest of two conditions is looked for first.
    with django_assert_num_queries(3):
        assert list(store.query_keys(same=1, n=3)) == ["3"]


def test_more_keys_are_found_than_fit_into_one_batch(store):
    keys = [f"{n:04}" for n in range(1234)]
    store.multiset_metadata(keys, [{"a": 1, "b": [1]}] * len(keys))

    assert sorted(store.query_keys()) == keys
    assert sorted(store.query_keys(a=1, b=[1])) == keys
    assert sorted(store.glob("0*")) == keys[:1000]


def test_data_is_not_kept_in_a_storage_that_is_not_there(store, settings):
    del settings.STORAGES["values"]
    settings.STORAGES = {**settings.STORAGES}

    message = r'Write STORAGES\["values"\] = \{"BACK.*\*\*global_settings.STORAGES\}'
    with pytest.raises(SettingInvalid, match=message):
        store.set("key", (b"data", {}))
    assert not StoredRemoval.objects.exists()


def test_data_is_not_kept_where_visitors_see_it(settings):
    settings.STORAGES = {**settings.STORAGES}
    public = DatabaseStore("default")

    with pytest.raises(SettingInvalid, match=r"STORAGES\['default'\].*_PUBLIC_STORAGE"):
        public.set("key", (b"data", {}))
    assert not public.exists("key")
    settings.DELIVERY_STORE_PUBLIC_STORAGE = "values"
    public.set("key", (b"data", {}))
    # What was kept there before can be read, and removed.
    settings.DELIVERY_STORE_PUBLIC_STORAGE = "default"
    assert public.to_bytes("key") == b"data"
    public.delete("key")


OURS = "deliverystore.backends.FsDeliveryStore"
FILES = "django.core.files.storage.FileSystemStorage"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"BACKEND": OURS}, r"'artefacts'\].* and DELIVERY_STORE_ROOT .* overlap"),
        ({"BACKEND": FILES}, r"'artefacts'\].* and MEDIA_ROOT .* overlap"),
        ({"BACKEND": FILES, "OPTIONS": {"location": "here"}}, "'here', which is not"),
    ],
)
def test_data_is_not_kept_in_the_folder_of_something_else(
    settings, tmp_path, values, message
):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STORAGES = {**settings.STORAGES, "artefacts": values}
    store = DatabaseStore("artefacts")

    for _ in range(2):
        with pytest.raises(SettingInvalid, match=message):
            store.set("key", (b"data", {}))
    assert not StoredRemoval.objects.exists()
    settings.STORAGES = {
        **settings.STORAGES,
        "artefacts": {"BACKEND": OURS, "OPTIONS": {"root": tmp_path / "artefacts"}},
    }
    store.set("key", (b"data", {}))
    assert store.to_bytes("key") == b"data"


def test_data_is_kept_beside_deliveries_only_if_these_have_a_prefix(settings):
    settings.STORAGES = {**settings.STORAGES}
    settings.DELIVERY_STORE_BACKEND = (
        "deliverystore.backends.DjangoStorageDeliveryStore"
    )
    settings.DELIVERY_STORE_STORAGE = "values"
    settings.DELIVERY_STORE_ROOT = None

    with pytest.raises(SettingInvalid, match=r"'values'\] is where deliveries are"):
        DatabaseStore().set("key", (b"data", {}))
    settings.DELIVERY_STORE_ROOT = "deliveries"
    DatabaseStore().set("key", (b"data", {}))
    assert DatabaseStore().to_bytes("key") == b"data"


@pytest.mark.parametrize("place", [".", "deliveries/values", "old", "media/x"])
def test_data_is_kept_neither_in_nor_around_the_folder_of_others(
    settings, tmp_path, place
):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STORAGES = {
        **settings.STORAGES,
        "old": {"BACKEND": OURS, "OPTIONS": {"root": tmp_path / "old"}},
        "artefacts": {"BACKEND": FILES, "OPTIONS": {"location": tmp_path / place}},
    }
    settings.DELIVERY_STORE_FALLBACK = "old"

    with pytest.raises(SettingInvalid, match="Choose folders"):
        DatabaseStore("artefacts").set("key", (b"data", {}))


def test_lost_data_is_an_error_and_no_missing_key(store):
    store.set("key", (b"data", {"a": 1}))
    storages["values"].delete(named()[0])

    message = r"^The data of 'key' in the store 'default' is missing in STO.*'values'"
    with pytest.raises(FileNotFound, match=message):
        store.to_bytes("key")
    with pytest.raises(FileNotFound, match=message):
        store.get_data_range("key", 0, 2)
    assert store.get_metadata("key") == {"a": 1}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", r"ends after 0 of 9 bytes"),
        (b"some", r"ends after 4 of 9 bytes"),
        (b"some data and more", r"goes on after 9 bytes"),
    ],
)
def test_data_of_another_size_is_an_error(settings, tmp_path, content, fault):
    settings.STORAGES = {
        **settings.STORAGES,
        "values": {"BACKEND": OURS, "OPTIONS": {"root": tmp_path / "values"}},
    }
    store = DatabaseStore()
    store.set("key", (b"some data", {}))
    (tmp_path / "values" / named()[0]).write_bytes(content)

    message = rf"^The data of 'key' in the store 'default' in STO.*'values'\] {fault}"
    with pytest.raises(FileDamaged, match=message):
        store.to_bytes("key")
    with store.get("key") as data, pytest.raises(FileDamaged, match=message):
        data.read()
    with pytest.raises(FileDamaged):
        DatabaseStore(name="copy").set("key", store.get("key"))
    assert not DatabaseStore(name="copy").exists("key")
    if len(content) < 9:
        with pytest.raises(FileDamaged):
            store.get_data_range("key", 3, 99).read()


def test_data_can_be_read_from_any_place(store):
    store.set("key", (b"some data", {}))
    with store.get("key") as data:
        assert data.read(4) == b"some"
        assert data.seek(-4, 2) == data.tell() == 5
        assert data.read() == b"data"
        assert (data.seek(99), data.read()) == (99, b"")
    with store.get_data_range("key", 5, 99) as data:
        assert data.read() == b"data"
    with store.get_data_range("key", 2, 4) as data:
        assert data.read() == b"me"


def test_data_stays_readable_when_a_store_gets_another_storage(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "folder": {
            "BACKEND": "deliverystore.backends.FsDeliveryStore",
            "OPTIONS": {"root": str(tmp_path / "folder")},
        },
    }
    DatabaseStore().set("old", (b"old", {}))
    store = DatabaseStore("folder")
    store.set("new", (b"new", {}))

    assert (store.to_bytes("old"), store.to_bytes("new")) == (b"old", b"new")
    assert len(list(tmp_path.rglob("folder/kvstore/*/*/*"))) == 1


def test_data_in_a_storage_that_is_configured_no_more_waits(
    settings, store, due, caplog
):
    before = settings.STORAGES
    settings.STORAGES = {**before, "old": before["values"]}
    DatabaseStore("old", name="old").set("key", (b"data", {}))
    DatabaseStore("old", name="old").delete("key")
    store.set("key", (b"data", {}))
    store.delete("key")
    settings.STORAGES = before
    due()

    found = sweep()

    assert (found.files, found.refused) == (1, 1)
    assert "'old'" in caplog.text


def test_data_in_a_storage_that_has_none_of_it_waits(settings, store, due, caplog):
    """Such as a folder that is not mounted."""
    store.set("gone", (b"data", {}))
    store.delete("gone")
    store.set("key", (b"data", {}))
    settings.STORAGES = {**settings.STORAGES}
    due()

    found = sweep()

    assert (found.files, found.refused) == (0, 1)
    assert "looked for again" in caplog.text
    assert StoredRemoval.objects.count() == 1
