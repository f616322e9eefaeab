"""An outage is not written down as damage, and damage is not taken for an outage."""

from __future__ import annotations

import errno

import pytest

from deliverystore.backends import FsHierDeliveryStore
from deliverystore.checking import Budget, begin, run
from deliverystore.exceptions import StoreUnavailable
from deliverystore.models import Check, FileMeta
from tests.checking.conftest import check, found, hand_in, kinds, path_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Let five in a row, not a hundred, be taken for an outage."""
    monkeypatch.setattr("deliverystore.checking.running.IN_A_ROW", 5)
    monkeypatch.setattr("deliverystore.checking.outage._WITNESSES", 2)


@pytest.fixture
def failing(monkeypatch):
    """Let reading files fail, as a function of them says."""
    original = FsHierDeliveryStore.read_open

    def failing(error_for):
        def read_open(self, file):
            if error := error_for(file):
                raise error
            return original(self, file)

        monkeypatch.setattr(FsHierDeliveryStore, "read_open", read_open)

    return failing


def broken_disk(file):
    return OSError(errno.EIO, "Input/output error")


def test_a_store_that_does_not_answer_ends_the_check_before_it_begins(monkeypatch):
    hand_in(3)

    def exists(self, file):
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(FsHierDeliveryStore, "exists", exists)
    with pytest.raises(StoreUnavailable, match="no answer"):
        check()
    monkeypatch.undo()
    failed = Check.objects.get()

    assert (failed.ending, failed.found, failed.files) == ("failed", 0, 0)
    assert check().pk == failed.pk
    assert found(failed) == set()


@pytest.mark.parametrize("gone_after", [0, 1, 7])
def test_an_outage_ends_it_at_the_last_good_file_with_none_of_it_written_down(
    failing, gone_after
):
    hand_in(20)
    checked, seen = begin(), []

    # As it is when a mount goes away: from then on nothing can be read.
    def error_for(file):
        if len(seen) >= gone_after:
            return broken_disk(file)
        seen.append(file.pk)
        return None

    failing(error_for)
    with pytest.raises(StoreUnavailable, match=r"is the store there\? .*Input/output"):
        run(checked, Budget())
    checked.refresh_from_db()
    assert (checked.ending, checked.found) == ("failed", 0)
    assert checked.files == gone_after

    failing(lambda file: None)
    assert check().pk == checked.pk
    checked.refresh_from_db()
    assert (checked.ending, checked.files, checked.found) == ("complete", 20, 0)


def test_an_error_of_the_service_ends_it_if_it_does_not_answer_any_more(
    failing, monkeypatch
):
    files = [delivery.files.get() for delivery in hand_in(4)]

    def error_for(file):
        if file.pk < files[2].pk:
            return None

        def exists(self, file):
            raise StoreUnavailable("no answer")

        monkeypatch.setattr(FsHierDeliveryStore, "exists", exists)
        return StoreUnavailable("timed out")

    failing(error_for)
    with pytest.raises(StoreUnavailable, match="no answer"):
        check()
    assert (Check.objects.get().files, Check.objects.get().found) == (2, 0)


def test_an_error_of_the_service_for_one_file_is_a_finding(failing):
    files = [delivery.files.get() for delivery in hand_in(4)]
    refused = files[1]
    failing(lambda file: StoreUnavailable("no key") if file.pk == refused.pk else None)
    checked = check()

    assert kinds(checked) == {("unreadable", refused.delivery_id, refused.pk)}
    assert "no key" in checked.findings.get().detail
    assert (checked.ending, checked.files) == ("complete", 4)


def test_what_could_not_be_read_for_a_moment_is_read_again(failing):
    files = [delivery.files.get() for delivery in hand_in(6)]
    failures = {file.pk: broken_disk(file) for file in files[1:4]}
    failing(lambda file: failures.pop(file.pk, None))
    checked = check()

    assert not failures
    assert kinds(checked) == set()
    assert checked.files == 6


@pytest.mark.parametrize("batch", [3, 7, 500])
def test_many_damaged_files_in_a_row_are_damage_while_others_can_be_read(
    failing, monkeypatch, batch
):
    monkeypatch.setattr("deliverystore.checking.running.BATCH", batch)
    files = [delivery.files.get() for delivery in hand_in(30)]
    unreadable = {file.pk for file in files[2:14]}
    failing(lambda file: broken_disk(file) if file.pk in unreadable else None)
    for file in files[16:28]:
        path_of(file).unlink()
    checked = check()

    assert checked.ending == "complete"
    assert found(checked) == {
        *(("unreadable", file.delivery_id, file.pk, "") for file in files[2:14]),
        *(("missing", file.delivery_id, file.pk, "") for file in files[16:28]),
    }
    assert checked.files == 30
    assert checked.found == 24


def test_a_folder_that_is_not_mounted_is_an_outage():
    hand_in(9)
    for file in FileMeta.objects.all():
        path_of(file).unlink()

    with pytest.raises(StoreUnavailable, match="is the store there"):
        check()
    assert Check.objects.get().found == 0


@pytest.mark.parametrize("quick", [False, True])
def test_a_strange_error_is_a_finding_of_that_file(failing, monkeypatch, caplog, quick):
    files = [delivery.files.get() for delivery in hand_in(3)]
    strange = files[1]

    def size(self, name, original=FsHierDeliveryStore.size):
        if name == self.name_of(strange):
            raise RuntimeError("a strange storage")
        return original(self, name)

    monkeypatch.setattr(FsHierDeliveryStore, "size", size)
    failing(
        lambda file: (
            RuntimeError("a strange storage") if file.pk == strange.pk else None
        )
    )
    checked = check(quick=quick)

    assert kinds(checked) == {("unreadable", strange.delivery_id, strange.pk)}
    assert "RuntimeError('a strange storage')" in checked.findings.get().detail
    assert checked.ending == "complete"
    assert f"File {strange.pk} cannot be read" in caplog.text
