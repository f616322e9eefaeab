"""The stores in folders that the settings name."""

from __future__ import annotations

import pytest

from deliverystore.exceptions import SettingInvalid, StoreNotFound
from deliverystore.kvstore import get_store, init_shared_store


def test_a_store_of_the_settings_is_opened_by_its_name(settings, tmp_path):
    settings.DELIVERY_STORE_KVSTORES = {"one": tmp_path / "one", "two": tmp_path}
    init_shared_store(tmp_path / "one")

    assert get_store("one").path == tmp_path / "one"
    with pytest.raises(StoreNotFound, match="init_shared_store"):
        get_store("two")
    with pytest.raises(SettingInvalid, match=r"'three'; .* has: one, two"):
        get_store("three")


def test_without_a_setting_there_is_none():
    with pytest.raises(SettingInvalid, match="has: none"):
        get_store("one")
