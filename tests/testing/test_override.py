"""override_delivery_store as a block, on a function, on a TestCase, and undone."""

from __future__ import annotations

import unittest

import pytest
from django.test import TestCase

from deliverystore.backends import MemoryDeliveryStore, default_store
from deliverystore.models import Delivery, FileMeta
from deliverystore.testing import override_delivery_store

STORE = MemoryDeliveryStore()


def test_the_store_is_used_inside_the_block_only():
    before = FileMeta.deliverystore

    with override_delivery_store(STORE) as store:
        assert store is STORE
        assert FileMeta(pk=1).deliverystore is STORE

    assert FileMeta.deliverystore is before


def test_blocks_can_be_nested():
    outer, inner = MemoryDeliveryStore(), MemoryDeliveryStore()

    with override_delivery_store(outer):
        with override_delivery_store(inner):
            assert FileMeta.deliverystore is inner
        assert FileMeta.deliverystore is outer


def test_one_override_can_be_nested_in_itself():
    before, override = FileMeta.deliverystore, override_delivery_store(STORE)

    with override, override:
        assert FileMeta.deliverystore is STORE

    assert FileMeta.deliverystore is before


def test_a_block_that_raises_leaks_nothing_into_the_next_test():
    before = FileMeta.deliverystore

    with pytest.raises(ZeroDivisionError), override_delivery_store(STORE):
        1 / 0  # noqa: B018

    assert FileMeta.deliverystore is before


@override_delivery_store(STORE)
def test_it_decorates_a_function():
    assert FileMeta.deliverystore is STORE


@override_delivery_store(STORE)
class TestADecoratedClass(TestCase):
    def test_every_test_uses_the_store(self):
        delivery = Delivery.begin()
        file = delivery.add_file("hello.txt", ["hello", "world"])

        assert STORE.exists(file)
        assert file.get_all_data_as_string() == b"helloworld"


@override_delivery_store(MemoryDeliveryStore)
class TestADecoratedClassWithData(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.file = Delivery.begin().add_file("hello.txt", ["hello", "world"])

    def test_the_data_is_in_the_store_that_the_tests_use(self):
        assert FileMeta.deliverystore.exists(self.file)
        assert not default_store.exists(self.file)


def test_a_class_that_cannot_be_set_up_leaks_nothing():
    class Broken(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            raise ZeroDivisionError

        def test_it(self):
            pass

    suite = unittest.TestSuite([override_delivery_store(STORE)(Broken)("test_it")])
    result = suite.run(unittest.TestResult())

    assert "ZeroDivisionError" in result.errors[0][1]
    assert FileMeta.deliverystore is default_store


def test_a_class_of_a_store_is_made_anew_each_time():
    override = override_delivery_store(MemoryDeliveryStore)

    with override as one, override as other:
        assert one is not other


@pytest.mark.parametrize("store", ["memory", None, int])
def test_what_is_no_store_is_refused(store):
    with pytest.raises(TypeError, match="is no delivery store"):
        override_delivery_store(store)


def test_what_is_no_test_case_is_refused():
    with pytest.raises(TypeError, match="is no TestCase"):
        override_delivery_store(STORE)(int)


class TestTheSeedsExample(TestCase):
    """Assigning to the class works as well, if the test undoes it."""

    def setUp(self):
        FileMeta.deliverystore = MemoryDeliveryStore()
        self.addCleanup(setattr, FileMeta, "deliverystore", default_store)

    def test_a_file_is_kept_in_memory(self):
        file = Delivery.begin().add_file("hello.txt", ["hello", "world"])

        assert FileMeta.deliverystore.exists(file)


def test_other_tests_use_the_store_of_the_settings():
    assert FileMeta.deliverystore is default_store
