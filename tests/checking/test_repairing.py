"""What was found is put right where that is safe, and nothing is simply deleted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deliverystore.backends import FsDeliveryStore, FsHierDeliveryStore
from deliverystore.checking import Budget, Repairer
from deliverystore.models import Condition, FileMeta, Finding
from deliverystore.testing import override_delivery_store
from tests.checking.conftest import (
    LONG_AGO,
    change,
    check,
    falsify,
    hand_in,
    kinds,
    lay,
    make_unreadable,
    path_of,
    shorten,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def backup(tmp_path):
    """Return a store in which all files are that are handed in so far."""

    def backup():
        store = FsDeliveryStore(tmp_path / "backup")
        for file in FileMeta.objects.all():
            with file.open() as source, store.write_open(file) as target:
                target.write(source.read())
        return store

    return backup


@pytest.fixture
def quarantine(tmp_path):
    return FsDeliveryStore(tmp_path / "quarantine")


def repair(checked, **options):
    return list(Repairer(budget=Budget(), **options).repair(checked.findings.all()))


def contents(store):
    return {entry.name: _read(store, entry.name) for entry in store.walk()}


def _read(store, name):
    with store.open(name) as file:
        return file.read()


@pytest.mark.parametrize("damage", [shorten, falsify, lambda f: path_of(f).unlink()])
def test_damaged_and_missing_files_are_restored(backup, damage):
    broken, sound = hand_in(2)
    file, other = broken.files.get(), backup()
    damage(file)
    checked = check()
    [repaired] = repair(checked, restore_from=other)

    assert repaired.done == "restored"
    assert file.verify() is Condition.INTACT
    assert sound.files.get().verify() is Condition.INTACT
    checked.refresh_from_db()
    assert (checked.found, checked.repaired) == (1, 1)
    assert checked.findings.get().repaired == "restored"
    assert kinds(check()) == set()


def test_damaged_bytes_are_set_aside_before_they_are_replaced(backup, quarantine):
    file, other = hand_in(1)[0].files.get(), backup()
    falsify(file)
    damaged = path_of(file).read_bytes()
    checked = check()
    repair(checked, restore_from=other, quarantine=quarantine)

    place = f"check-{checked.pk}/{FileMeta.deliverystore.name_of(file)}"
    assert contents(quarantine) == {place: damaged}
    assert file.verify() is Condition.INTACT


def test_without_a_store_to_restore_from_damaged_bytes_stay(quarantine):
    file = hand_in(1)[0].files.get()
    falsify(file)
    damaged = path_of(file).read_bytes()

    assert repair(check(), quarantine=quarantine) == []
    assert path_of(file).read_bytes() == damaged
    assert contents(quarantine) == {}


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_wrong_in_the_other_store_too_is_not_taken(
    backup, quarantine, is_there
):
    file, other = hand_in(1)[0].files.get(), backup()
    falsify(file)
    damaged = path_of(file).read_bytes()
    other.remove(file)
    if is_there:
        other.write_open(file).close()
    checked = check()
    [refused] = repair(checked, restore_from=other, quarantine=quarantine)

    assert refused.done == ""
    assert "The other store has not got it" in refused.reason
    assert path_of(file).read_bytes() == damaged
    assert contents(quarantine) == {}
    assert checked.findings.get().repaired == ""


def test_strays_are_moved_into_quarantine(quarantine):
    [delivery] = hand_in(1)
    path = lay("0/0/7/777777777", b"whose?")
    checked = check()
    [moved] = repair(checked, quarantine=quarantine)

    assert moved.done == "quarantined"
    assert not path.exists()
    assert contents(quarantine) == {f"check-{checked.pk}/0/0/7/777777777": b"whose?"}
    assert delivery.verify()[0][1] is Condition.INTACT
    assert kinds(check()) == set()


def test_a_stray_that_a_row_names_by_now_stays(quarantine):
    hand_in(1)
    path = lay("0/0/7/777777777", b"whose?")
    checked = check()
    row = FileMeta.objects.get()
    FileMeta.objects.filter(pk=row.pk).update(stored_as="0/0/7/777777777")
    [refused] = repair(checked, quarantine=quarantine)

    assert refused.done == ""
    assert "a row names it" in refused.reason
    assert path.read_bytes() == b"whose?"
    assert contents(quarantine) == {}


def test_a_copy_that_is_not_the_same_removes_nothing(tmp_path):
    class Forgetful(FsDeliveryStore):
        def _save(self, name, content):
            saved = super()._save(name, content)
            self.delete(saved)
            with self.open(saved, "wb") as file:
                file.write(b"half")
            return saved

    hand_in(1)
    path = lay("0/0/7/777777777", b"whose?")
    [refused] = repair(check(), quarantine=Forgetful(tmp_path / "quarantine"))

    assert "not the same" in refused.reason
    assert path.read_bytes() == b"whose?"


def test_the_store_is_no_quarantine_for_itself():
    hand_in(1)
    path = lay("0/0/7/777777777", b"whose?")
    itself = FsDeliveryStore(FileMeta.deliverystore.location)
    [refused] = repair(check(), quarantine=itself)

    assert "the store itself" in refused.reason
    assert path.read_bytes() == b"whose?"
    assert "0/0/7/777777777" in contents(itself)
    assert len(contents(itself)) == 2


def test_changed_deliveries_and_temporary_files_are_not_touched(backup, quarantine):
    [delivery] = hand_in(1)
    other = backup()
    change(delivery)
    path = lay("0/0/0/.deliverystore-1")
    checked = check()

    assert repair(checked, restore_from=other, quarantine=quarantine) == []
    assert checked.findings.unrepaired().count() == 2
    assert path.exists()


def test_a_dry_run_says_the_same_and_changes_nothing(backup, quarantine):
    deliveries = hand_in(3)
    other = backup()
    falsify(deliveries[0].files.get())
    path_of(deliveries[1].files.get()).unlink()
    lay("0/0/7/777777777")
    before = contents(FileMeta.deliverystore)
    checked = check()
    stores = {"restore_from": other, "quarantine": quarantine}
    would = repair(checked, dry_run=True, **stores)

    assert [one.done for one in would] == ["restored", "restored", "quarantined"]
    assert contents(FileMeta.deliverystore) == before
    assert contents(quarantine) == {}
    assert checked.findings.unrepaired().count() == 3
    assert [one.done for one in repair(checked, **stores)] == [o.done for o in would]


def test_unreadable_bytes_that_cannot_be_set_aside_are_not_replaced(backup, quarantine):
    file, other = hand_in(1)[0].files.get(), backup()
    make_unreadable(file)
    [refused] = repair(check(), restore_from=other, quarantine=quarantine)

    assert refused.done == ""
    assert path_of(file).is_dir()


def test_what_a_killed_process_had_moved_is_noted(monkeypatch, quarantine):
    hand_in(1)
    lay("0/0/7/777777777", b"whose?")
    checked = check()

    class Killed(BaseException):
        pass

    def kill(self, repaired):
        raise Killed

    note = Finding.note
    monkeypatch.setattr(Finding, "note", kill)
    with pytest.raises(Killed):
        repair(checked, quarantine=quarantine)
    monkeypatch.setattr(Finding, "note", note)
    [noted] = repair(checked, quarantine=quarantine)

    assert noted.done == "quarantined"
    assert len(contents(quarantine)) == 1


def test_an_interruption_ends_it_between_two_findings(quarantine):
    hand_in(1)
    for number in range(3):
        lay(f"0/0/7/{number + 7}")
    checked, budget = check(), Budget()
    repairs = Repairer(budget=budget, quarantine=quarantine).repair(
        checked.findings.all()
    )
    next(repairs)
    budget.interrupt()

    assert list(repairs) == []
    assert checked.findings.unrepaired().count() == 2


def test_an_interruption_in_the_middle_of_a_file_leaves_it_as_it_is(quarantine):
    hand_in(1)
    path = lay("0/0/7/777777777", b"whose?")
    checked, budget = check(), Budget()

    class Interrupting(FsDeliveryStore):
        def _save(self, name, content):
            saved = super()._save(name, content)
            budget.interrupt()
            return saved

    place = Interrupting(quarantine.location)
    repairs = list(
        Repairer(budget=budget, quarantine=place).repair(checked.findings.all())
    )

    assert repairs == []
    assert path.read_bytes() == b"whose?"
    assert checked.findings.unrepaired().count() == 1


def test_a_file_whose_row_is_gone_by_now_is_not_restored(backup):
    [delivery] = hand_in(1)
    other = backup()
    path = path_of(delivery.files.get())
    path.unlink()
    checked = check()
    delivery.delete()

    [refused] = repair(checked, restore_from=other)

    assert (refused.done, refused.reason) == ("", "Its row is gone by now.")
    assert not path.exists()


def test_a_file_that_is_intact_by_now_is_noted_and_not_replaced(backup, quarantine):
    file = hand_in(1)[0].files.get()
    other = backup()
    good = path_of(file).read_bytes()
    falsify(file)
    checked = check()
    path_of(file).write_bytes(good)
    before = path_of(file).stat().st_mtime_ns

    [noted] = repair(checked, restore_from=other, quarantine=quarantine)

    assert noted.done == "intact"
    assert path_of(file).stat().st_mtime_ns == before
    assert contents(quarantine) == {}


def test_a_store_that_damages_what_is_restored_is_told(backup, tmp_path):
    class Damaging(FsDeliveryStore):
        def _write_open(self, *arguments, **options):
            opened = super()._write_open(*arguments, **options)
            write = opened.write
            opened.write = lambda data: write(bytes(len(data)))
            return opened

    file = hand_in(1)[0].files.get()
    other = backup()
    falsify(file)
    checked = check()
    location = FileMeta.deliverystore.location
    with override_delivery_store(Damaging(location)):
        [refused] = repair(checked, restore_from=other)

    assert refused.done == ""
    assert refused.reason.startswith("The digest is ")
    assert checked.findings.unrepaired().count() == 1


def test_a_file_that_is_deleted_while_it_is_restored_does_not_come_back(
    backup, monkeypatch
):
    [delivery] = hand_in(1)
    file, other = delivery.files.get(), backup()
    path_of(file).unlink()
    checked = check()
    original = FileMeta.restore_from

    def delete_and_restore(self, store):
        delivery.delete()
        original(self, store)

    monkeypatch.setattr(FileMeta, "restore_from", delete_and_restore)
    [refused] = repair(checked, restore_from=other)

    assert (refused.done, refused.reason) == ("", "Its row is gone by now.")
    assert not path_of(file).exists()


def test_a_strange_error_does_not_keep_the_rest_from_being_repaired(
    quarantine, monkeypatch, caplog
):
    hand_in(1)
    for number in (700, 701):
        lay(f"0/0/7/{number}")
    checked = check()
    original = FsDeliveryStore._save

    def save(self, name, content):
        if name.endswith("700"):
            raise RuntimeError("a strange storage")
        return original(self, name, content)

    monkeypatch.setattr(FsDeliveryStore, "_save", save)
    refused, moved = repair(checked, quarantine=quarantine)

    assert (refused.done, moved.done) == ("", "quarantined")
    assert refused.reason == "RuntimeError('a strange storage')"
    assert "is not repaired" in caplog.text


# -- Bytes of living rows are never taken away -------------------------------------


def conditions():
    return {file.verify() for file in FileMeta.objects.all()}


def age():
    """Let all that is stored be old enough to be left over."""
    root = Path(FileMeta.deliverystore.location)
    for path in filter(Path.is_file, root.rglob("*")):
        os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.mark.parametrize(
    ("link", "target"),
    [("alias", "0"), ("0/alias", "0"), ("0/up", ".."), ("up", ".")],
)
def test_a_link_into_the_store_shows_no_file_twice(quarantine, link, target):
    hand_in(3)
    age()
    root = Path(FileMeta.deliverystore.location)
    (root / link).symlink_to((root / target).resolve())
    checked = check()
    repair(checked, quarantine=quarantine)

    assert kinds(checked) == set()
    assert conditions() == {Condition.INTACT}


@pytest.mark.parametrize("layout", [FsDeliveryStore, FsHierDeliveryStore])
def test_when_the_layout_has_changed_no_stray_is_moved(quarantine, layout):
    hand_in(6)
    age()
    location = FileMeta.deliverystore.location
    options = {"interval": 2} if layout is FsHierDeliveryStore else {}
    with override_delivery_store(layout(location, **options)):
        checked = check()
        refused = repair(checked, quarantine=quarantine)

    assert refused
    assert {one.done for one in refused} == {""}
    assert all("layout" in one.reason for one in refused)
    assert conditions() == {Condition.INTACT}


def test_a_stray_with_the_id_of_a_row_stays_and_the_row_is_named(quarantine):
    files = [delivery.files.get() for delivery in hand_in(2)]
    path = lay(f"elsewhere/{files[1].pk}", b"whose?")
    [refused] = repair(check(), quarantine=quarantine)

    name = FileMeta.deliverystore.name_of(files[1])
    assert f"Row {files[1].pk} exists and calls its bytes {name}" in refused.reason
    assert path.read_bytes() == b"whose?"


@pytest.mark.parametrize("rows", ["none", "others"])
def test_with_a_database_that_is_not_of_this_store_no_stray_is_moved(quarantine, rows):
    path = lay("0/0/7/777777777", b"whose?")
    if rows == "others":
        hand_in(3)
        for file in FileMeta.objects.all():
            path_of(file).unlink()
    [refused] = repair(check(), quarantine=quarantine)

    assert "Does this database belong to this store" in refused.reason
    assert path.read_bytes() == b"whose?"
