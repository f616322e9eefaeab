"""Many files copied, beside those who hand in and remove."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliverystore.backends import FsHierDeliveryStore, MemoryDeliveryStore
from deliverystore.copying import Copier, copy_all, running, totals
from deliverystore.exceptions import StoreUnavailable
from deliverystore.models import Delivery, FileMeta
from tests.copying.conftest import content_in, names_in, write
from tests.factories import finished_delivery, open_delivery

pytestmark = pytest.mark.django_db


def many(count):
    contents = [(f"{n}.txt", f"content of {n}") for n in range(count)]
    return open_delivery(files=contents)


@pytest.mark.parametrize("jobs", [1, 3])
def test_files_of_open_and_finished_deliveries_are_copied(old, new, copy, jobs):
    many(75)
    finished_delivery()

    said = copy(jobs=jobs)

    assert len(said) == 76
    assert set(said.values()) == {"copied"}
    assert totals() == (76, sum(file.size for file in FileMeta.objects.all()))
    for file in FileMeta.objects.all():
        assert content_in(new, file) == content_in(old, file)


@pytest.mark.parametrize("bad", ["a file", "a folder"])
def test_what_the_disk_does_not_confirm_is_no_copy_and_not_tried_once_more(
    old, copy, tmp_path, monkeypatch, bad
):
    many(3)
    durable = FsHierDeliveryStore(tmp_path / "durable", durability="full")
    fsync, failed = os.fsync, []

    def failing(fd):
        is_folder = stat.S_ISDIR(os.fstat(fd).st_mode)
        in_turn = names_in(durable) if bad == "a folder" else True
        if is_folder == (bad == "a folder") and in_turn and not failed:
            failed.append(fd)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", failing)
    copier = Copier(source=old, target=durable)
    outcomes = {copied.outcome for copied in copy_all(copier, jobs=1)}

    assert (outcomes, len(failed)) == ({"failed"}, 1)
    assert names_in(durable) == set()
    again = copy_all(Copier(source=old, target=durable), jobs=1)
    assert {copied.outcome for copied in again} == {"copied"}


def test_a_file_that_is_still_received_is_left_out(old, new, copy):
    delivery = open_delivery()
    FileMeta.objects.create(delivery=delivery, filename="unfinished")

    assert copy() == {"hello.txt": "copied"}
    assert totals() == (1, 5)


def test_there_is_nothing_to_copy(old, copy):
    assert copy() == {}
    assert totals() == (0, 0)


def test_the_number_of_queries_grows_only_with_the_portions(old, new, monkeypatch):
    monkeypatch.setattr(running, "_FILES_AT_ONCE", 10)
    many(30)

    with CaptureQueriesContext(
        connection,
    ) as captured:
        list(copy_all(Copier(source=old, target=new), jobs=2))

    # Two for the rows, and one for each portion of ten.
    assert len(captured) == 2 + 3


def test_few_are_taken_from_the_database_before_they_are_needed(old, new, monkeypatch):
    monkeypatch.setattr(running, "_ROWS_AT_ONCE", 2)
    monkeypatch.setattr(running, "_FILES_AT_ONCE", 1)
    many(10)
    copying = copy_all(Copier(source=old, target=new, dry_run=True), jobs=1)

    with CaptureQueriesContext(connection) as captured:
        next(copying)
    copying.close()

    assert len(captured) <= 3


def test_of_a_row_that_is_deleted_meanwhile_no_copy_is_left(
    old, new, monkeypatch, copy
):
    delivery = many(3)
    other = open_delivery()
    settled = running._settled

    def delete_first(copier, results):
        assert new.exists(delivery.files.first())
        delivery.delete()
        return settled(copier, results)

    monkeypatch.setattr(running, "_settled", delete_first)

    said = copy()

    assert sorted(said.values()) == ["copied", "removed", "removed", "removed"]
    assert names_in(new) == {new.name_of(other.files.get())}


def test_a_row_without_bytes_that_is_deleted_meanwhile_is_no_problem(
    old, new, monkeypatch, copy
):
    delivery = many(1)
    old.remove(delivery.files.get())
    settled = running._settled

    def delete_first(copier, results):
        Delivery.objects.all().delete()
        return settled(copier, results)

    monkeypatch.setattr(running, "_settled", delete_first)

    assert set(copy().values()) == {"removed"}


class Keeping(FsHierDeliveryStore):
    """Removes nothing."""

    def remove(self, file):
        raise PermissionError("Nothing is removed here.")


@pytest.mark.parametrize(
    ("target", "is_there", "outcome"),
    [(Keeping, True, "failed"), (FsHierDeliveryStore, False, "removed")],
)
def test_of_a_row_that_is_deleted_meanwhile_a_copy_that_stays_is_told(
    old, tmp_path, monkeypatch, target, is_there, outcome
):
    file = many(1).files.get()
    new = target(tmp_path / "new")
    settled = running._settled

    def delete_first(copier, results):
        Delivery.objects.all().delete()
        if not is_there:
            # Who has deleted the row has found its copy, too.
            new.remove(file)
        return settled(copier, results)

    monkeypatch.setattr(running, "_settled", delete_first)

    [copied] = copy_all(Copier(source=old, target=new), jobs=1)

    assert copied.outcome.value == outcome
    assert ("cannot be removed: Nothing is removed" in copied.reason) is is_there
    assert new.exists(file) is is_there


def test_a_dry_run_removes_nothing_of_a_row_that_is_deleted_meanwhile(
    old, new, monkeypatch, copy
):
    file = many(1).files.get()
    write(new, file, b"other")
    settled = running._settled

    def delete_first(copier, results):
        Delivery.objects.all().delete()
        return settled(copier, results)

    monkeypatch.setattr(running, "_settled", delete_first)

    assert set(copy(dry_run=True, replace=True).values()) == {"removed"}
    assert content_in(new, file) == b"other"


def test_a_row_that_names_other_bytes_meanwhile_is_to_be_copied_again(
    old, new, monkeypatch, copy
):
    many(1)
    settled = running._settled

    def rename_first(copier, results):
        FileMeta.objects.update(stored_as="other/name")
        return settled(copier, results)

    monkeypatch.setattr(running, "_settled", rename_first)

    assert set(copy().values()) == {"failed"}
    assert names_in(new) == set()


class BarrierFails(FsHierDeliveryStore):
    """Cannot publish several files together, or says so when it has done it."""

    def __init__(self, root, *, publishes):
        super().__init__(root)
        self.publishes = publishes

    @contextlib.contextmanager
    def _group(self):
        with super()._group() as group:
            yield group
            if not self.publishes:
                raise OSError(5, "Input/output error")
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("publishes", [True, False])
def test_if_the_barrier_fails_each_file_is_copied_alone(old, tmp_path, copy, publishes):
    many(5)
    new = BarrierFails(tmp_path / "new", publishes=publishes)

    assert set(copy(target=new).values()) == {"copied"}
    assert len(names_in(new)) == 5


def test_stopping_leaves_nothing_half_and_the_next_goes_on(old, new):
    open_delivery(files=[("a.txt", b"a"), ("large", b"x" * 5_000_000), ("b.txt", b"b")])
    seen = []

    def stop_in_the_middle(count):
        seen.append(count)
        if sum(seen) > 2_000_000:
            copier.stop()

    copier = Copier(source=old, target=new, advance=stop_in_the_middle)

    assert [one.file.filename for one in copy_all(copier, jobs=1)] == ["a.txt"]
    assert copier.is_stopped
    assert len(names_in(new)) == 1
    assert not [p for p in new_files(new) if "deliverystore" in p.name]

    again = {
        o.file.filename: o.outcome.value
        for o in copy_all(Copier(source=old, target=new), jobs=1)
    }
    assert again == {"a.txt": "present", "large": "copied", "b.txt": "copied"}


def new_files(store):
    return [path for path in Path(store.location).rglob("*") if path.is_file()]


def test_who_does_not_take_all_results_stops_it(old, new):
    many(200)
    copier = Copier(source=old, target=new)
    copying = copy_all(copier, jobs=2)

    next(copying)
    copying.close()

    assert copier.is_stopped
    assert 0 < len(names_in(new)) < 200
    assert not [t for t in threading.enumerate() if t.name.startswith("copying")]


class Gone(MemoryDeliveryStore):
    def size(self, name):
        raise OSError("The service does not answer.")


def test_a_store_that_is_gone_is_given_up(old):
    many(300)
    copier = Copier(source=old, target=Gone())

    said = list(copy_all(copier, jobs=1))

    assert copier.is_stopped
    assert 100 <= len(said) < 300


def test_a_source_that_has_nothing_is_given_up(old, new, tmp_path):
    many(300)
    copier = Copier(source=FsHierDeliveryStore(tmp_path / "unmounted"), target=new)
    said = []

    with pytest.raises(StoreUnavailable, match="source has none of the files"):
        said.extend(copy_all(copier, jobs=1))

    assert copier.is_stopped
    assert len(said) == 100


def test_a_source_that_has_lost_many_gives_the_others(old, new, copy, monkeypatch):
    monkeypatch.setattr(running, "_GIVE_UP_AFTER", 3)
    for file in list(many(30).files.all())[5:25]:
        old.remove(file)

    assert sorted(copy().values()) == ["copied"] * 10 + ["missing"] * 20


def test_failures_that_are_not_in_a_row_stop_nothing(old, new, copy, monkeypatch):
    monkeypatch.setattr(running, "_GIVE_UP_AFTER", 3)
    monkeypatch.setattr(running, "_FILES_AT_ONCE", 1)
    files = list(many(9).files.all())
    for file in files[::2]:
        write(new, file, b"other")

    class Choosy(FsHierDeliveryStore):
        def size(self, name):
            size = super().size(name)
            if size == 5:
                raise OSError("not this one")
            return size

    said = copy(target=Choosy(new.location))

    assert sorted(said.values()) == ["copied"] * 4 + ["failed"] * 5
