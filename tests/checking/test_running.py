"""A check finds everything that is wrong, and nothing else."""

from __future__ import annotations

import itertools
import os

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliverystore.backends import FsHierDeliveryStore, MemoryDeliveryStore
from deliverystore.checking import Budget, begin, run
from deliverystore.exceptions import CheckBusy, SettingInvalid
from deliverystore.models import Check, Delivery, FileMeta, Finding
from deliverystore.testing import override_delivery_store
from tests.checking.conftest import (
    LONG_AGO,
    check,
    falsify,
    found,
    hand_in,
    kinds,
    lay,
    path_of,
    plant,
    shorten,
)
from tests.factories import finished_delivery, open_delivery

pytestmark = pytest.mark.django_db(transaction=True)


def test_all_that_was_planted_is_found_and_nothing_else():
    planted = plant(20)
    checked = check()
    assert found(checked) == planted
    assert {kind for kind, *_ in planted} == set(Finding.Kind.values)
    assert checked.found == checked.findings.count() == len(planted)
    assert checked.ending == "complete"


def test_a_quick_check_reads_nothing_and_finds_what_sizes_show():
    missing, short, other = hand_in(3)
    path_of(missing.files.get()).unlink()
    shorten(short.files.get())
    falsify(other.files.get())
    checked = check(quick=True)

    assert kinds(checked) == {
        ("missing", missing.pk, missing.files.get().pk),
        ("wrong size", short.pk, short.files.get().pk),
    }
    assert (checked.files, checked.bytes) == (3, 0)


def test_it_counts_what_it_looked_at():
    delivery, _ = hand_in(2, files=3)
    open_delivery(files=[("a", b"four")])
    checked = check()

    total = sum(file.size for file in FileMeta.objects.all())
    assert (checked.deliveries, checked.files) == (2, 7)
    assert (checked.bytes, checked.names) == (total, 7)
    assert delivery.file_count == 3


# -- What was lost of a finished delivery ------------------------------------------


def test_a_finished_delivery_whose_rows_were_changed_is_named_with_the_reason():
    fewer, other, empty, _ = hand_in(4, files=2)
    taken = FileMeta.objects.filter(pk=fewer.files.first().pk)
    taken.update(delivery=other, filename="a.txt", name_key="a.txt")
    FileMeta.objects.filter(delivery=empty)._raw_delete("default")
    renamed = hand_in(1)[0]
    renamed.files.update(filename="other.txt")
    checked = check()

    changed = checked.findings.filter(kind="changed").order_by("delivery_id")
    assert [finding.delivery_id for finding in changed] == [
        fewer.pk,
        other.pk,
        empty.pk,
        renamed.pk,
    ]
    assert changed[0].detail == "1 file, 11 bytes; handed in were 2 files, 22 bytes."
    assert changed[2].detail == "All its files are gone."
    assert "Names" in changed[3].detail


# -- What is no damage -------------------------------------------------------------


def test_names_of_rows_of_all_sorts_are_known(settings):
    deleted = hand_in(1)[0]
    waiting = path_of(deleted.files.get())
    deleted.delete()
    os.utime(waiting, (LONG_AGO, LONG_AGO))
    row = FileMeta.objects.create(delivery=open_delivery(), filename="coming.txt")
    lay(FileMeta.deliverystore.name_of(row))
    elsewhere = finished_delivery().files.get()
    moved = "elsewhere/under another name"
    lay(moved, path_of(elsewhere).read_bytes())
    path_of(elsewhere).unlink()
    FileMeta.objects.filter(pk=elsewhere.pk).update(stored_as=moved)

    assert kinds(check()) == set()


def test_bytes_that_came_just_now_may_have_a_row_soon():
    lay("0/0/1/999").write_bytes(b"new")
    lay("0/0/1/.deliverystore-1").write_bytes(b"new")

    assert kinds(check()) == set()


def test_what_others_take_away_while_it_looks_is_no_damage(monkeypatch):
    """Rows and bytes go after the row was read, and before it is looked at."""
    deliveries = hand_in(3)
    begun = begin()
    missing = deliveries[1].files.get()
    original = FsHierDeliveryStore.read_open

    def delete_then_open(self, file):
        if file.pk == missing.pk:
            deliveries[1].delete()
            path_of(missing).unlink()
        return original(self, file)

    monkeypatch.setattr(FsHierDeliveryStore, "read_open", delete_then_open)
    run(begun, Budget())
    assert kinds(begun) == set()


def test_what_is_restored_under_another_name_meanwhile_is_looked_at_again(monkeypatch):
    file = hand_in(1)[0].files.get()
    content = path_of(file).read_bytes()
    falsify(file)
    original = FsHierDeliveryStore.read_open

    def restore_then_open(self, asked):
        if not asked.stored_as:
            opened = original(self, asked)
            lay("restored", content)
            FileMeta.objects.filter(pk=file.pk).update(stored_as="restored")
            path_of(file).unlink()
            return opened
        return original(self, asked)

    monkeypatch.setattr(FsHierDeliveryStore, "read_open", restore_then_open)
    assert kinds(check()) == set()


def test_a_delivery_that_is_deleted_while_it_looks_has_not_changed(monkeypatch):
    hand_in(2)
    rows = list(Delivery.objects.order_by("pk"))
    rows[0].delete()
    batches = iter([rows, []])
    monkeypatch.setattr(
        "deliverystore.checking.running._Run._next_rows",
        lambda self, _: next(batches, []),
    )

    assert kinds(check()) == set()


def test_a_removal_that_is_carried_out_while_it_looks_leaves_no_stray(monkeypatch):
    hand_in(1)
    path = lay("0/0/1/999")
    listed = list(FileMeta.deliverystore.walk())
    assert len(listed) == 2
    path.unlink()

    monkeypatch.setattr(
        FsHierDeliveryStore, "walk", lambda self, *_, **__: iter(listed)
    )
    assert kinds(check()) == set()


# -- Going on ----------------------------------------------------------------------


class Killed(BaseException):
    pass


@pytest.mark.parametrize("quick", [False, True])
def test_killed_at_any_moment_it_goes_on_with_nothing_twice_and_nothing_skipped(
    monkeypatch, quick
):
    monkeypatch.setattr("deliverystore.checking.running.BATCH", 7)
    plant(2)
    expected = found(check(quick=quick))
    checked = begin(quick=quick)
    killed = 0

    for step in range(1, 1000):
        calls = itertools.count(1)

        def advance(_, calls=calls, step=step):
            if next(calls) > step:
                raise Killed

        checked = begin(quick=quick)
        try:
            run(checked, Budget(), advance)
        except Killed:
            killed += 1
            continue
        break

    assert killed > 2
    assert checked.ending == "complete"
    assert found(checked) == expected
    assert checked.found == len(expected) == checked.findings.count()
    assert checked.files == FileMeta.objects.count()
    assert Check.objects.count() == 2


def test_a_transaction_that_is_lost_takes_position_and_findings_with_it(monkeypatch):
    monkeypatch.setattr("deliverystore.checking.running.BATCH", 7)
    planted = plant(2)
    original = Check._write
    calls = itertools.count(1)

    def fail(self, findings):
        count = original(self, findings)
        if next(calls) % 3 == 0:
            raise Killed
        return count

    monkeypatch.setattr(Check, "_write", fail)
    for _ in range(100):
        try:
            checked = check()
            break
        except Killed:
            pass

    assert found(checked) == planted
    assert checked.findings.count() == len(planted)


def test_temporary_files_come_in_no_order_and_are_named_once(monkeypatch):
    monkeypatch.setattr("deliverystore.checking.running.BATCH", 2)
    for number in range(7):
        lay(f"0/0/0/.deliverystore-{number}")
    original = FsHierDeliveryStore.leftovers

    def killed(self, before, **options):
        return _killed_after(3, reversed(list(original(self, before))))

    monkeypatch.setattr(FsHierDeliveryStore, "leftovers", killed)
    with pytest.raises(Killed):
        check()
    monkeypatch.setattr(FsHierDeliveryStore, "leftovers", original)
    checked = check()

    assert checked.found == 7 == len(set(checked.findings.values_list("name")))


@pytest.mark.parametrize(
    "limit", [{"max_bytes": 30}, {"max_seconds": 0.1}, {"max_bytes": 1}]
)
def test_it_stops_at_its_limit_and_goes_on_there(monkeypatch, limit):
    monkeypatch.setattr("deliverystore.checking.running.BATCH", 7)
    planted = plant(1)
    endings = []
    for _ in range(100):
        checked = check(**limit)
        endings.append(checked.ending)
        if checked.ending == "complete":
            break

    assert set(endings[:-1]) <= {"limit"}
    assert "max_seconds" in limit or len(endings) > 2
    assert found(checked) == planted
    assert checked.findings.count() == len(planted)
    assert checked.files == FileMeta.objects.count()


def test_no_file_is_begun_after_the_limit_of_bytes():
    hand_in(10)
    checked = check(max_bytes=12)  # each has 11 bytes

    assert (checked.files, checked.ending) == (2, "limit")


def test_an_interruption_stops_in_the_middle_of_a_file_and_counts_it_later():
    hand_in(3)
    budget = Budget()
    checked = begin()
    run(checked, budget, lambda count: budget.interrupt())

    assert checked.ending == "interrupted"
    assert checked.files == 1
    assert check().files == 3


def test_restart_begins_anew():
    hand_in(3)
    first = check(max_bytes=1)
    second = check(restart=True)

    assert second.pk != first.pk
    first.refresh_from_db()
    assert first.ending == "given up"
    assert check().pk not in {first.pk, second.pk}


def test_a_check_that_was_given_up_stops_where_it_is():
    hand_in(3)
    given_up = begin()
    begin(restart=True)

    with pytest.raises(CheckBusy):
        run(given_up, Budget())
    given_up.refresh_from_db()
    assert given_up.ending == "given up"


def test_of_two_processes_with_one_check_only_one_goes_on(monkeypatch):
    monkeypatch.setattr("deliverystore.checking.running.BATCH", 2)
    planted = plant(1)
    mine = begin()
    other = begin()
    assert mine.pk == other.pk
    run(mine, Budget(max_bytes=20))

    with pytest.raises(CheckBusy, match=f"check {mine.pk}"):
        run(other, Budget())
    assert found(check()) == planted
    assert Finding.objects.count() == len(planted)


def test_parts_have_everything_once():
    planted = plant(3)
    parts = [check(part=part, parts=4) for part in (1, 2, 3, 4)]

    assert sum(part.findings.count() for part in parts) == len(planted)
    assert set().union(*map(found, parts)) == planted
    assert sum(part.files for part in parts) == FileMeta.objects.count()
    assert sum(part.deliveries for part in parts) == Delivery.objects.count()
    assert all(part.files for part in parts)


# -- Old checks --------------------------------------------------------------------


def test_checks_whose_place_later_ones_took_are_deleted_but_the_newest(monkeypatch):
    monkeypatch.setattr("deliverystore.models.check._KEPT", 2)
    hand_in(1)
    lay("0/0/7/777")
    under_way = begin(part=1, parts=2)
    checks = [check() for _ in range(4)]
    quick = [check(quick=True) for _ in range(2)]
    last_of_all = check(part=2, parts=2)

    left = set(Check.objects.all())
    assert left == {under_way, checks[2], checks[3], quick[0], quick[1], last_of_all}
    assert {one.found_in for one in Finding.objects.all()} <= left
    assert checks[3].findings.count() == 1


# -- Stores ------------------------------------------------------------------------


class CannotList(MemoryDeliveryStore):
    def walk(self, after="", **options):
        raise NotImplementedError
        yield

    def size(self, name):
        raise NotImplementedError


@pytest.mark.parametrize("quick", [False, True])
def test_a_store_that_cannot_list_is_checked_without_its_names(quick):
    with override_delivery_store(CannotList()) as store:
        kept, gone = hand_in(2)
        store.remove(gone.files.get())
        checked = check(quick=quick)

        assert kinds(checked) == {("missing", gone.pk, gone.files.get().pk)}
        assert checked.names is None
        assert checked.ending == "complete"
        assert kept.verify()


def test_names_that_do_not_end_in_the_id_are_refused():
    class Reversed(MemoryDeliveryStore):
        def get_name(self, file):
            return f"{file.pk}/{file.delivery_id}"

    with override_delivery_store(Reversed()):
        hand_in(1)
        with pytest.raises(SettingInvalid, match=r"Reversed gives file .* get_name"):
            check()
    assert Check.objects.get().ending == "failed"


@pytest.mark.parametrize("name", [b"0/0/1/\xff\xfe", b"0/0/1/a\\b", b"0/0/\xff/12"])
def test_names_that_the_app_cannot_use_are_found_too(monkeypatch, name):
    monkeypatch.setattr("deliverystore.checking.running.BATCH", 1)
    lay("0/0/0/1")
    lay(os.fsdecode(name))
    lay("9/9/9/9")
    walk = FsHierDeliveryStore.walk
    monkeypatch.setattr(
        FsHierDeliveryStore,
        "walk",
        lambda self, after="", **_: _killed_after(1, walk(self, after)),
    )
    for _ in range(3):
        with pytest.raises(Killed):
            check()
    monkeypatch.setattr(FsHierDeliveryStore, "walk", walk)
    checked = check()

    assert checked.findings.count() == 3
    finding = checked.findings.get(detail__contains="none that the app can use")
    assert finding.name == os.fsdecode(name).encode(errors="backslashreplace").decode()


def _killed_after(count, entries):
    yield from itertools.islice(entries, count)
    raise Killed


# -- Folders -----------------------------------------------------------------------


@pytest.fixture
def forbid(monkeypatch):
    """Let a folder of the store be one that cannot be listed."""

    def forbid(folder):
        path = os.path.join(FileMeta.deliverystore.location, folder)  # noqa: PTH118
        original = os.scandir

        def scandir(asked):
            if str(asked) == path:
                raise PermissionError(13, "Permission denied", path)
            return original(asked)

        monkeypatch.setattr("deliverystore.backends.walking.os.scandir", scandir)

    return forbid


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_a_folder_that_cannot_be_listed_is_a_finding_and_the_rest_is_checked(
    monkeypatch, forbid, batch
):
    monkeypatch.setattr("deliverystore.checking.running.BATCH", batch)
    missing, *_ = hand_in(5)
    path_of(missing.files.get()).unlink()
    lay("0/1/1/888")
    forbid("0/0/777")
    lay("0/0/777/7")
    checked = check()

    assert checked.ending == "complete"
    assert found(checked) == {
        ("missing", missing.pk, missing.files.get().pk, ""),
        ("unreadable", None, None, "0/0/777"),
        ("stray", None, None, "0/1/1/888"),
    }
    assert checked.found == 3
    assert "Permission denied" in checked.findings.get(name="0/0/777").detail


def test_a_folder_is_named_once_however_often_the_check_goes_on(monkeypatch, forbid):
    monkeypatch.setattr("deliverystore.checking.running.BATCH", 1)
    hand_in(1)
    for number in range(3):
        lay(f"9/9/{number}/{number + 700}")
    forbid("9/9/1")
    strays = "deliverystore.checking.running.strays"
    for step in range(1, 4):
        calls = itertools.count(1)

        def killed(*args, calls=calls, step=step):
            if next(calls) > step:
                raise Killed
            return []

        with monkeypatch.context() as patch:
            patch.setattr(strays, killed)
            try:
                check()
            except Killed:
                continue
    checked = check()

    assert checked.findings.filter(name="9/9/1").count() == 1


@pytest.mark.parametrize("phase", ["store", "temporary"])
def test_it_stops_between_two_folders_also_where_nothing_is_found(monkeypatch, phase):
    hand_in(3)
    checked, budget = begin(), Budget()
    original = os.scandir

    def scandir(path):
        if Check.objects.get(pk=checked.pk).phase == phase:
            budget.interrupt()
        return original(path)

    monkeypatch.setattr("deliverystore.backends.walking.os.scandir", scandir)
    # The store is asked if it answers before there are phases.
    run(checked, budget)

    assert (checked.ending, checked.phase) == ("interrupted", phase)
    monkeypatch.undo()
    assert check().pk == checked.pk
    checked.refresh_from_db()
    assert (checked.ending, checked.names) == ("complete", 3)


# -- However many ------------------------------------------------------------------


def test_the_number_of_queries_of_a_step_does_not_grow(monkeypatch):
    hand_in(8, files=2)
    for number in range(8):
        lay(f"0/0/0/{10**9 + number}")

    def queries(batch):
        monkeypatch.setattr("deliverystore.checking.running.BATCH", batch)
        with CaptureQueriesContext(connection) as captured:
            check()
        return len(captured)

    # 8 deliveries, 16 files and 24 names, in one step each or in two or more.
    assert queries(24) == queries(100)
    assert queries(24) < queries(8) < 3 * queries(24)


def test_rows_are_found_by_id_and_never_sorted():
    hand_in(2)
    open_delivery()
    with CaptureQueriesContext(connection) as captured:
        check()
    selects = [
        query["sql"]
        for query in captured
        if query["sql"].startswith("SELECT") and "LIMIT 500" in query["sql"]
    ]
    # Deliveries and files, and once more each for the end.
    assert len(selects) == 4
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for sql in selects:
                plan = str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
                assert "INTEGER PRIMARY KEY" in plan
                assert "TEMP B-TREE" not in plan
