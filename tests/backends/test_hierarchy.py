"""Where FsHier keeps the files of a delivery."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverystore.backends import FsDeliveryStore, FsHierDeliveryStore
from deliverystore.exceptions import InvalidName, SettingInvalid
from deliverystore.models import FileMeta

IDS = st.integers(min_value=1, max_value=2**63 - 1)
INTERVALS = st.integers(min_value=1, max_value=10_000)


@pytest.mark.parametrize(
    ("deliveryid", "folder"),
    [
        (1, "0/0"),
        (5, "0/0"),
        (999, "0/0"),
        (1000, "0/1"),
        (1005, "0/1"),
        (999_999, "0/999"),
        (1_000_000, "1/0"),
        (2_001_000, "2/1"),
        (2**63 - 1, "9223372036854/775"),
    ],
)
def test_a_thousand_deliveries_share_a_folder(deliveryid, folder):
    store = FsHierDeliveryStore(interval=1000)

    assert store.get_path_from_deliveryid(deliveryid) == folder


def test_the_folders_of_a_file_end_in_its_delivery_and_its_own_id(tmp_path):
    file = FileMeta(delivery_id=2_001_000, pk=7)

    assert FsHierDeliveryStore(tmp_path).name_of(file) == "2/1/2001000/7"
    assert FsDeliveryStore(tmp_path).name_of(file) == "2001000/7"


@given(IDS, INTERVALS)
def test_every_folder_is_a_whole_number(deliveryid, interval):
    store = FsHierDeliveryStore(interval=interval)
    top, sub = store.get_path_from_deliveryid(deliveryid).split("/")

    assert top.isdecimal()
    assert sub.isdecimal()
    assert int(sub) < interval
    start = int(top) * interval**2 + int(sub) * interval
    assert start <= deliveryid < start + interval


@given(IDS, st.integers(min_value=1, max_value=20))
def test_no_folder_gets_more_entries_than_the_interval(first, interval):
    store = FsHierDeliveryStore(interval=interval)
    folders = [
        store.get_path_from_deliveryid(deliveryid)
        for deliveryid in range(first, first + 3 * interval**2)
    ]

    assert max(Counter(folders).values()) <= interval
    subfolders = Counter(folder.partition("/")[0] for folder in set(folders))
    assert max(subfolders.values()) <= interval


def test_the_interval_is_taken_from_the_settings_at_each_use(settings):
    store = FsHierDeliveryStore()

    settings.DELIVERY_STORE_INTERVAL = 1000
    assert store.get_path_from_deliveryid(1005) == "0/1"
    settings.DELIVERY_STORE_INTERVAL = 10
    assert store.get_path_from_deliveryid(1005) == "10/0"


@pytest.mark.parametrize("interval", [0, -1, 1000.0, "1000"])
def test_an_interval_that_would_make_no_sound_folders_is_refused(settings, interval):
    settings.DELIVERY_STORE_INTERVAL = interval

    with pytest.raises(SettingInvalid, match="DELIVERY_STORE_INTERVAL must be a whole"):
        FsHierDeliveryStore().get_path_from_deliveryid(5)
    with pytest.raises(SettingInvalid):
        FsHierDeliveryStore(interval=interval).get_path_from_deliveryid(5)


@pytest.mark.parametrize("ids", [{}, {"pk": 1}, {"delivery_id": 1}])
def test_a_file_without_ids_has_no_place(tmp_path, ids):
    with pytest.raises(InvalidName, match="save it before"):
        FsHierDeliveryStore(tmp_path).name_of(FileMeta(**ids))


def test_a_name_that_the_row_remembers_goes_before_the_derived_one(tmp_path):
    file = FileMeta(delivery_id=5, pk=7, stored_as="moved/here")

    assert FsHierDeliveryStore(tmp_path).name_of(file) == "moved/here"
