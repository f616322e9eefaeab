"""The sweep, and its command."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from deliverystore import fsops
from deliverystore.backends import walking
from deliverystore.datacenter import exports
from deliverystore.kvstore import DatabaseStore, get_store, init_shared_store
from deliverystore.models import Delivery, FileMeta, Removal, StoredRemoval, StoredValue
from deliverystore.models.removal import Address
from deliverystore.spool import FileStore
from deliverystore.sweeping import Sweep, preview, sweep
from tests.factories import finished_delivery, open_delivery

pytestmark = pytest.mark.django_db(transaction=True)


def let_time_pass(**length):
    """Make all that there is so much older."""
    length = timedelta(**length)
    for delivery in Delivery.objects.all():
        created = delivery.created - length
        Delivery.objects.filter(pk=delivery.pk).update(created=created)
    for removal in Removal.objects.all():
        removed_at = removal.removed_at - length
        Removal.objects.filter(pk=removal.pk).update(removed_at=removed_at)


def test_open_deliveries_that_are_too_old_go_with_their_bytes(delivery_store_root):
    open_delivery()
    finished = finished_delivery()
    let_time_pass(days=8)
    young = open_delivery()

    swept = sweep()

    assert (swept.deliveries, swept.files) == (1, 0)
    assert set(Delivery.objects.all()) == {finished, young}
    assert len([p for p in delivery_store_root.rglob("*") if p.is_file()]) == 2


def test_bytes_of_deleted_rows_go_after_the_grace_period():
    delivery = finished_delivery()
    row = delivery.files.get()
    delivery.delete()

    assert sweep().files == 0
    assert FileMeta.deliverystore.exists(row)
    let_time_pass(days=2)
    assert preview().files == 1
    assert sweep().files == 1
    assert not FileMeta.deliverystore.exists(row)
    assert sweep().files == 0


def test_the_times_are_settings(settings):
    settings.DELIVERY_STORE_ABANDON_AFTER = timedelta(0)
    settings.DELIVERY_STORE_GRACE = timedelta(0)
    open_delivery()
    finished_delivery().delete()

    assert preview() == Sweep(deliveries=1, files=1)
    assert sweep() == Sweep(deliveries=1, files=1)


def test_a_delivery_that_is_finished_meanwhile_stays(monkeypatch):
    finished_delivery()
    deliveries = type(Delivery.objects.all())
    # As if it had still been open when it was looked up.
    monkeypatch.setattr(deliveries, "stale", lambda self: self.all())

    assert sweep().deliveries == 0
    assert Delivery.objects.get().verify()[0][1] == "intact"


def test_more_are_abandoned_than_are_in_memory_at_once(monkeypatch):
    monkeypatch.setattr("deliverystore.sweeping._BATCH", 2)
    for _ in range(5):
        open_delivery()
    let_time_pass(days=8)

    assert sweep().deliveries == 5
    assert not Delivery.objects.exists()


# -- What is in the way --------------------------------------------------------------


def test_what_is_not_there_because_nothing_is_is_removed_the_next_time(
    delivery_store_root, caplog
):
    finished_delivery()
    row = (gone := finished_delivery()).files.get()
    gone.delete()
    let_time_pass(days=2)
    elsewhere = delivery_store_root.rename(f"{delivery_store_root}-unmounted")
    delivery_store_root.mkdir()

    assert sweep() == Sweep(refused=1)
    assert "it has none of the files either that it should have" in caplog.text
    delivery_store_root.rmdir()
    elsewhere.rename(delivery_store_root)
    assert sweep() == Sweep(files=1)
    assert not FileMeta.deliverystore.exists(row)


def test_what_is_not_there_among_others_is_let_go():
    finished_delivery()
    gone = finished_delivery()
    FileMeta.deliverystore.remove(gone.files.get())
    gone.delete()
    let_time_pass(days=2)

    assert sweep() == Sweep(files=1)
    assert not Removal.objects.exists()


def test_whether_the_store_is_right_is_asked_once(django_assert_num_queries):
    finished_delivery()
    finished_delivery(files=[(f"{n}.txt", b"1") for n in range(5)]).delete()
    for removal in Removal.objects.all():
        FileMeta.deliverystore.remove(
            Address(
                pk=removal.filemeta_id,
                delivery_id=removal.delivery_id,
                stored_as="",
            )
        )
    let_time_pass(days=2)

    # Two batches, of which one is empty; the oldest and newest files; the deletion,
    # in a transaction.
    with django_assert_num_queries(7):
        assert Removal.objects.due().carry_out(FileMeta.deliverystore) == 5


def test_the_bytes_of_a_row_that_is_back_are_not_even_counted():
    row = finished_delivery().files.get()
    Removal.objects.create(
        filemeta_id=row.pk, delivery_id=row.delivery_id, removed_at=timezone.now()
    )
    let_time_pass(days=2)

    assert preview() == Sweep()
    assert sweep() == Sweep()
    assert row.verify() == "intact"


def test_a_partial_file_that_cannot_be_opened_stops_nothing_else(
    upload_root, monkeypatch, caplog
):
    finished_delivery().delete()
    let_time_pass(days=8)
    leave(upload_root / ("a" * 32), hours=24 * 8)
    opened = fsops.exclusive

    def exclusive(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(fsops, "exclusive", exclusive)
    assert sweep() == Sweep(files=1, refused=1)
    assert "The upload aaaaaaaa" in caplog.text
    monkeypatch.setattr(fsops, "exclusive", opened)
    assert sweep() == Sweep(uploads=1)


def test_a_folder_of_uploads_that_cannot_be_listed_is_said_last(
    upload_root, monkeypatch
):
    finished_delivery().delete()
    let_time_pass(days=8)

    def fail():
        raise PermissionError(13, "Permission denied", "partial")
        yield

    monkeypatch.setattr("deliverystore.sweeping.orphans", fail)
    with pytest.raises(PermissionError, match="partial"):
        sweep()
    assert not Removal.objects.exists()


# -- Temporary files ---------------------------------------------------------------


def leave(path, *, hours):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


def test_temporary_files_go_after_the_grace_period(delivery_store_root):
    finished_delivery()
    old = leave(delivery_store_root / "0/0/77/.deliverystore-1", hours=25)
    young = leave(delivery_store_root / "0/0/78/.deliverystore-2", hours=23)
    other = leave(delivery_store_root / "0/0/79/notes.txt", hours=25)

    assert preview().temporary == 1
    assert sweep().temporary == 1
    assert not old.parent.exists()
    assert young.exists()
    assert other.exists()
    assert Delivery.objects.get().verify()[0][1] == "intact"
    assert sweep().temporary == 0


def test_however_short_the_grace_period_what_is_being_written_stays(
    delivery_store_root, settings
):
    settings.DELIVERY_STORE_GRACE = timedelta(0)
    writing = leave(delivery_store_root / "0/0/77/.deliverystore-1", hours=0.5)

    assert sweep().temporary == 0
    assert writing.exists()


# -- The command -------------------------------------------------------------------


def said(*arguments):
    output = io.StringIO()
    call_command("sweep_deliveries", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_says_what_it_did():
    open_delivery()
    finished_delivery().delete()
    let_time_pass(days=8)

    assert said("--dry-run") == (
        "1 open deliveries would be abandoned, 0 expired uploads, 0 expired exports, "
        "0 published files, the bytes of 1 files and values, and 0 temporary files "
        "would be removed.\n"
    )
    assert said() == (
        "1 open deliveries abandoned, 0 expired uploads, 0 expired exports, "
        "0 published files, the bytes of 1 files and values, and 0 temporary files "
        "removed.\n"
    )
    assert said().startswith("0 open deliveries")


def test_the_command_sweeps_exports_too(settings, tmp_path):
    settings.DELIVERY_STORE_DATACENTER_ROOT = tmp_path / "center"
    settings.DELIVERY_STORE_KEEP_EXPORTS = timedelta(0)
    exports.work(exports.start_export("faculty", enqueue=False))

    assert "1 expired exports" in said("--dry-run")
    assert "1 expired exports" in said()
    assert "0 expired exports" in said()


@pytest.fixture
def littered(settings, tmp_path):
    """Return what killed writers have left in the folders of the settings."""
    names = {"one": tmp_path / "one", "two": tmp_path / "two"}
    settings.DELIVERY_STORE_SPOOLS = {**names, "unused": tmp_path / "unused"}
    settings.DELIVERY_STORE_KVSTORES = {"values": tmp_path / "values"}
    for spool in names.values():
        FileStore(spool).prepare()
    init_shared_store(tmp_path / "values")
    get_store("values").set("key", (b"data", {}))
    return [
        leave(path, hours=25)
        for path in (
            tmp_path / "one/tmp/broken.csv",
            tmp_path / "two/tmp/.deliverystore-1",
            tmp_path / "values/.deliverystore-journal/.deliverystore-1",
            tmp_path / "values/gone.data",
        )
    ]


def test_the_command_sweeps_spools_and_key_value_stores_too(littered):
    assert "and 4 temporary files would be" in said("--dry-run")
    assert all(path.exists() for path in littered)
    assert json.loads(said("--json"))["temporary"] == 4
    assert not any(path.exists() for path in littered)
    assert get_store("values").to_bytes("key") == b"data"
    assert "and 0 temporary files removed" in said()


def test_what_a_rolled_back_transaction_has_stored_is_noted_then_swept(
    settings, tmp_path
):
    root = tmp_path / "values"
    backend = "deliverystore.backends.FsDeliveryStore"
    values = {"BACKEND": backend, "OPTIONS": {"root": root}}
    settings.STORAGES = {**settings.STORAGES, "values": values}
    store = DatabaseStore("values")
    store.set("key", (b"data", {}))
    with transaction.atomic():
        store.set("lost", (b"data", {}))
        transaction.set_rollback(True)
    store.set("removed", (b"data", {}))
    store.delete("removed")
    young = leave(root / "kvstore/00/00/young", hours=0)
    other = leave(root / "kvstore-not/00/other", hours=99)
    for path in root.glob("kvstore/*/*/*"):
        if path != young:
            leave(path, hours=25)

    assert said("--strays", "--dry-run").endswith("Strays would be noted: 1.\n")
    assert StoredRemoval.objects.count() == 1
    assert said("--strays").endswith("Strays noted: 1.\n")
    assert json.loads(said("--strays", "--json"))["strays"] == 0
    assert len(list(root.glob("kvstore/*/*/*"))) == 4
    StoredRemoval.objects.update(removed_at=timezone.now() - timedelta(days=2))
    said()
    assert len(list(root.glob("kvstore/*/*/*"))) == 2
    assert young.exists()
    assert other.exists()
    assert store.exists("key")


def test_data_is_no_stray_of_another_alias_of_the_same_place(settings, tmp_path):
    root = tmp_path / "values"
    backend = "deliverystore.backends.FsDeliveryStore"
    values = {"BACKEND": backend, "OPTIONS": {"root": root}}
    settings.STORAGES = {**settings.STORAGES, "values": values, "same": values}
    DatabaseStore("values").set("one", (b"data", {}))
    DatabaseStore("same").set("two", (b"data", {}))
    for path in root.glob("kvstore/*/*/*"):
        os.utime(path, (0, 0))

    assert said("--strays").endswith("Strays noted: 0.\n")
    # As an earlier version has noted it.
    for row in StoredValue.objects.all():
        StoredRemoval.objects.create(
            storage="same" if row.storage == "values" else "values",
            stored_as=row.stored_as,
            removed_at=timezone.now() - timedelta(days=2),
        )
    said()
    assert DatabaseStore().to_bytes("one") == b"data"
    assert DatabaseStore().to_bytes("two") == b"data"


def test_storages_that_cannot_be_opened_keep_the_sweep_from_nothing_else(
    settings, caplog
):
    before = settings.STORAGES
    settings.STORAGES = {**before, "gone": before["default"], "bad": before["default"]}
    for alias in ("bad", "gone", "values"):
        store = DatabaseStore(alias, name=alias)
        store.multiset(["kept", "old"], [(b"data", {})] * 2)
        store.delete("old")
    static = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**before, "bad": {"BACKEND": static}}
    DatabaseStore(name="values").set("old", (b"data", {}))
    DatabaseStore(name="values").delete("old")
    DatabaseStore(name="values").set("kept", (b"data", {}))
    two_days_ago = timezone.now() - timedelta(days=2)
    StoredRemoval.objects.update(removed_at=two_days_ago)

    with pytest.raises(CommandError, match="Not looked at: bad, gone") as raised:
        said("--strays")
    assert raised.value.returncode == 2
    left = StoredRemoval.objects.values_list("storage", flat=True)
    assert sorted(left) == ["bad", "gone"]
    for alias in ("bad", "gone"):
        assert f"Strays may stay in STORAGES['{alias}']" in caplog.text
        assert re.search(f"The data '[^']*' in '{alias}' stays for now", caplog.text)


def test_what_cannot_be_swept_keeps_the_command_from_nothing_else(
    littered, settings, tmp_path, capsys
):
    wrong = tmp_path / "wrong"
    wrong.touch()
    settings.DELIVERY_STORE_SPOOLS = {"0": wrong, **settings.DELIVERY_STORE_SPOOLS}
    stores = {"0": tmp_path, "1": wrong, **settings.DELIVERY_STORE_KVSTORES}
    settings.DELIVERY_STORE_KVSTORES = stores

    with pytest.raises(CommandError, match="Could not sweep"):
        call_command("sweep_deliveries")

    assert not any(path.exists() for path in littered)


def test_the_command_says_it_as_json():
    finished_delivery().delete()
    let_time_pass(days=8)
    counts = {"deliveries": 0, "uploads": 0, "files": 1, "temporary": 0, "refused": 0}
    counts |= {"exports": 0, "published": 0, "stopped": False}

    assert json.loads(said("--json", "--dry-run")) == {"dry_run": True, **counts}
    assert json.loads(said("--json")) == {"dry_run": False, **counts}


def test_the_command_fails_if_the_store_refuses(monkeypatch, delivery_store_root):
    finished_delivery().delete()
    let_time_pass(days=8)
    leave(delivery_store_root / "0/0/77/.deliverystore-1", hours=25)

    def refuse(*arguments):
        raise PermissionError("read-only")

    monkeypatch.setattr("deliverystore.fsops.remove", refuse)
    with pytest.raises(CommandError, match="Not removed: 2") as raised:
        said()
    assert raised.value.returncode == 1

    monkeypatch.undo()
    assert "1 files and values, and 1 temporary" in said()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_command_which_says_what_was_done(
    number, monkeypatch, delivery_store_root
):
    finished_delivery(files=[("a", b"1"), ("b", b"2")]).delete()
    let_time_pass(days=8)
    leave(delivery_store_root / "0/0/77/.deliverystore-1", hours=25)
    remove = fsops.remove

    def interrupt(path, policy):
        remove(path, policy)
        os.kill(os.getpid(), number)

    monkeypatch.setattr("deliverystore.fsops.remove", interrupt)
    output = io.StringIO()
    with pytest.raises(CommandError, match="Stopped before") as raised:
        call_command("sweep_deliveries", stdout=output)

    assert raised.value.returncode == 2
    assert "the bytes of 1 files and values, and 0 temporary" in output.getvalue()
    assert Removal.objects.count() == 1
    monkeypatch.undo()
    assert "the bytes of 1 files and values, and 1 temporary" in said()


def test_a_signal_stops_the_command_while_nothing_is_found(monkeypatch):
    finished_delivery()

    def entries(root, folder):
        os.kill(os.getpid(), signal.SIGINT)
        return original(root, folder)

    original = walking._entries
    monkeypatch.setattr(walking, "_entries", entries)
    with pytest.raises(CommandError, match="Stopped before"):
        said("--json")


def test_what_was_done_before_an_error_is_said(monkeypatch):
    finished_delivery().delete()
    let_time_pass(days=8)

    def fail(self, before, visit):
        raise OSError("the endpoint is gone")

    monkeypatch.setattr("deliverystore.backends.FsHierDeliveryStore.leftovers", fail)
    output = io.StringIO()
    with pytest.raises(CommandError, match="Could not sweep: the endpoint") as raised:
        call_command("sweep_deliveries", stdout=output)

    assert raised.value.returncode == 2
    assert "the bytes of 1 files" in output.getvalue()


def test_the_command_says_if_it_could_not_sweep(settings):
    settings.DELIVERY_STORE_BACKEND = "nowhere.Store"

    with pytest.raises(CommandError, match="Could not sweep: DELIVERY_STORE") as raised:
        said()
    assert raised.value.returncode == 2
