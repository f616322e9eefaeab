"""Stores that break the contract, each in one way, and the tests that say so."""

from __future__ import annotations

import io
import random
import shutil
import tempfile
import time
import unittest
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from deliverystore.backends import (
    Capability,
    DeliveryStoreInterface,
    FsDeliveryStore,
    MemoryDeliveryStore,
)
from deliverystore.testing import DeliveryStoreTestMixin, TestDeliveryStoreMixin


class WritesUnderTheFinalName(FsDeliveryStore):
    def _write_open(self, name, file, **options):
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        return _Plain(path.open("wb"))


class _Plain(io.BufferedWriter):
    def __init__(self, file):
        super().__init__(file.detach())

    def write(self, data):
        return super().write(data.encode() if isinstance(data, str) else data)

    def discard(self):
        self.close()

    def __del__(self):
        self.close()


class PublishesWhatRaised(MemoryDeliveryStore):
    def _write_open(self, name, file, **options):
        pending = super()._write_open(name, file, **options)
        pending.discard = pending.close
        return pending


class ForgetsToReplace(MemoryDeliveryStore):
    def _replace(self, name, content):
        return name if self._exists(name) else super()._replace(name, content)


class Appends(MemoryDeliveryStore):
    def _replace(self, name, content):
        old = self._entries[name].data if self._exists(name) else b""
        return super()._replace(name, ContentFile(old + content.read()))


class StartsRangesAtTheStart(MemoryDeliveryStore):
    def _read_range(self, name, start, length):
        return super()._read_range(name, 0, length)


class IgnoresTheLengthOfRanges(MemoryDeliveryStore):
    def _read_range(self, name, start, length):
        return super()._read_range(name, start, length + 1)


class MovesInsteadOfCopying(MemoryDeliveryStore):
    def _copy(self, name, target, group=None):
        super()._copy(name, target, group)
        self.delete(name)


class RaisesSomethingElseForMissingFiles(MemoryDeliveryStore):
    def _entry(self, name):
        return self._entries[name]


class IsSilentAboutMissingFiles(MemoryDeliveryStore):
    def _remove(self, name):
        self.delete(name)


class LosesRemovals(MemoryDeliveryStore):
    def delete(self, name):
        pass


class DropsEmptyFiles(MemoryDeliveryStore):
    def _put(self, name, data):
        return super()._put(name, data) if data else name


class MixesDeliveriesUp(MemoryDeliveryStore):
    def get_name(self, file):
        return f"{file.delivery_id}{file.pk}"


class SaysThatOtherProcessesSeeItsMemory(MemoryDeliveryStore):
    capabilities = frozenset(Capability)


class SaysThatItKeepsSavesOfOneName(MemoryDeliveryStore):
    def _save(self, name, content):
        return self._replace(name, content)


class SaysThatItReplacesInOneStep(MemoryDeliveryStore):
    def _replace(self, name, content):
        data = content.read()
        self._put(name, data[: len(data) // 2])
        time.sleep(0.002)
        return self._put(name, data)


class LetsNamesOut(MemoryDeliveryStore):
    def name_of(self, file):
        return file if isinstance(file, str) else super().name_of(file)

    def open(self, name, mode="rb"):
        return io.BytesIO()


class WalksFromTheStart(MemoryDeliveryStore):
    def walk(self, after=""):
        return super().walk()


class WalksWithoutOrder(MemoryDeliveryStore):
    def walk(self, after=""):
        entries = list(super().walk(after))
        return iter(random.sample(entries, len(entries)))


class LeavesFoldersOut(MemoryDeliveryStore):
    def walk(self, after=""):
        return (entry for entry in super().walk(after) if entry.name.count("/") < 2)


class SaysTheWrongSize(MemoryDeliveryStore):
    def walk(self, after=""):
        return (replace(entry, size=7) for entry in super().walk(after))


def store_of(cls):
    if issubclass(cls, MemoryDeliveryStore):
        return cls(), None
    folder = tempfile.mkdtemp()
    return cls(folder), folder


def failures_of(cls, test=None):
    """Run the contract, or one test of it, on a store; return what failed."""
    store, folder = store_of(cls)

    class Contract(DeliveryStoreTestMixin, unittest.TestCase):
        def get_storageobj(self):
            return store

    result = unittest.TestResult()
    if test is None:
        unittest.defaultTestLoader.loadTestsFromTestCase(Contract).run(result)
    else:
        Contract(test).run(result)
    if folder:
        shutil.rmtree(folder)
    return "".join(text for _, text in result.failures + result.errors)


@pytest.mark.parametrize(
    ("store", "test"),
    [
        (WritesUnderTheFinalName, "test_nothing_is_visible_before_the_end"),
        (WritesUnderTheFinalName, "test_a_writer_that_is_lost_leaves_nothing"),
        (WritesUnderTheFinalName, "test_a_block_that_raises_leaves_what_was_there"),
        (
            WritesUnderTheFinalName,
            "test_the_old_content_is_read_until_the_new_one_is_complete",
        ),
        (
            WritesUnderTheFinalName,
            "test_a_process_that_dies_while_writing_leaves_nothing",
        ),
        (PublishesWhatRaised, "test_a_block_that_raises_leaves_nothing"),
        (PublishesWhatRaised, "test_a_discarded_write_leaves_nothing"),
        (
            PublishesWhatRaised,
            "test_open_for_writing_discards_if_the_block_raises",
        ),
        (ForgetsToReplace, "test_writing_again_replaces_the_whole_content"),
        (Appends, "test_writing_again_replaces_the_whole_content"),
        (Appends, "test_a_copy_replaces_what_was_there"),
        (StartsRangesAtTheStart, "test_a_range_holds_the_bytes_asked_for"),
        (IgnoresTheLengthOfRanges, "test_a_range_can_be_empty"),
        (
            MovesInsteadOfCopying,
            "test_a_saved_file_is_found_by_the_methods_of_a_delivery_store",
        ),
        (
            RaisesSomethingElseForMissingFiles,
            "test_a_missing_file_raises_file_not_found",
        ),
        (IsSilentAboutMissingFiles, "test_a_file_can_be_removed_once"),
        (LosesRemovals, "test_a_file_exists_from_its_writing_to_its_removal"),
        (LosesRemovals, "test_delete_removes_and_does_not_mind_repeating"),
        (DropsEmptyFiles, "test_an_empty_file_is_a_file"),
        (MixesDeliveriesUp, "test_each_file_has_a_content_of_its_own"),
        (
            SaysThatOtherProcessesSeeItsMemory,
            "test_another_process_reads_what_was_written",
        ),
        (
            SaysThatOtherProcessesSeeItsMemory,
            "test_what_another_process_wrote_or_removed_is_seen",
        ),
        (
            SaysThatOtherProcessesSeeItsMemory,
            "test_a_large_stream_comes_back_unchanged_and_needs_little_memory",
        ),
        (
            SaysThatItKeepsSavesOfOneName,
            "test_saves_of_one_name_at_once_are_all_kept",
        ),
        (
            SaysThatItReplacesInOneStep,
            "test_readers_during_replaces_read_whole_contents",
        ),
        (LetsNamesOut, "test_names_cannot_leave_the_store"),
        (WalksFromTheStart, "test_walk_goes_on_after_any_name"),
        (WalksFromTheStart, "test_walk_goes_on_after_a_name_that_is_gone"),
        (WalksWithoutOrder, "test_walk_goes_on_after_any_name"),
        (LeavesFoldersOut, "test_walk_finds_what_is_stored_with_size_and_time"),
        (SaysTheWrongSize, "test_walk_finds_what_is_stored_with_size_and_time"),
        (
            WritesUnderTheFinalName,
            "test_walk_leaves_out_what_is_still_being_written",
        ),
    ],
)
def test_a_broken_store_fails_the_test_that_names_what_is_broken(store, test):
    assert failures_of(store, test)


def test_a_sound_store_passes_under_plain_unittest():
    assert failures_of(MemoryDeliveryStore) == ""


def test_without_get_storageobj_the_message_says_what_to_write():
    class Contract(DeliveryStoreTestMixin, unittest.TestCase):
        pass

    case = Contract("test_an_empty_file_is_a_file")

    with pytest.raises(NotImplementedError, match=r"Contract needs .*get_storageobj"):
        case.debug()


def test_a_store_that_leaves_a_method_out_cannot_be_made():
    class Half(DeliveryStoreInterface):
        def _open(self, name, mode="rb"):
            raise FileNotFoundError(name)

    with pytest.raises(TypeError, match=r"_exists.*_save.*delete"):
        Half()


def test_what_a_store_does_not_promise_is_skipped_with_a_reason():
    class Contract(DeliveryStoreTestMixin, unittest.TestCase):
        def get_storageobj(self):
            return MemoryDeliveryStore()

    result = unittest.TestResult()
    Contract("test_another_process_reads_what_was_written").run(result)

    [(_, reason)] = result.skipped
    assert reason == "MemoryDeliveryStore does not promise Capability.SHARED"


MODULE = """
from django.test import SimpleTestCase
from deliverystore.backends import MemoryDeliveryStore
from deliverystore.testing import DeliveryStoreTestMixin, TestDeliveryStoreMixin

class TestMine(TestDeliveryStoreMixin, SimpleTestCase):
    def get_storageobj(self):
        return MemoryDeliveryStore()

class TestNot(TestDeliveryStoreMixin, SimpleTestCase):
    __test__ = False
"""


def test_pytest_collects_subclasses_but_not_the_mixins(tmp_path):
    class Collected:
        def pytest_collection_modifyitems(self, items):
            self.classes = {item.cls.__name__ for item in items}

    module = tmp_path / "test_mine.py"
    module.write_text(MODULE)
    collected = Collected()
    pytest.main(
        ["--collect-only", "-q", "-n0", "-p", "no:cacheprovider", str(module)],
        plugins=[collected],
    )

    assert collected.classes == {"TestMine"}


def test_the_seeds_name_is_a_mixin_whose_subclasses_are_tests():
    class Mine(TestDeliveryStoreMixin, unittest.TestCase):
        pass

    class Mine2(Mine):
        __test__ = False

    assert not TestDeliveryStoreMixin.__test__
    assert Mine.__test__
    assert not Mine2.__test__
