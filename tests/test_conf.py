"""Settings: a default for each, and the value of the moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings

from deliverystore.conf import Conf, conf


def test_what_is_not_set_has_its_default():
    assert conf.DELIVERY_STORE_INTERVAL == 1000
    assert conf.DELIVERY_STORE_DIGEST == "sha256"
    assert conf.DELIVERY_STORE_MAX_FILE_BYTES is None
    assert timedelta(days=7) == conf.DELIVERY_STORE_ABANDON_AFTER


def test_the_safe_values_are_the_defaults():
    assert Conf.DELIVERY_STORE_DURABILITY == "full"
    assert Conf.DELIVERY_STORE_BACKEND == "deliverystore.backends.FsHierDeliveryStore"


def test_a_value_is_that_of_the_moment():
    with override_settings(DELIVERY_STORE_INTERVAL=10):
        assert conf.DELIVERY_STORE_INTERVAL == 10
    assert conf.DELIVERY_STORE_INTERVAL == 1000


def test_none_is_a_value_too(settings):
    settings.DELIVERY_STORE_ROOT = None

    assert conf.DELIVERY_STORE_ROOT is None


def test_every_setting_has_the_prefix_and_a_type():
    names = {name for name in vars(Conf) if name.isupper()}

    assert all(name.startswith("DELIVERY_STORE_") for name in names)
    assert names == {name for name in Conf.__annotations__ if name.isupper()}


def test_a_setting_that_does_not_exist_is_an_error():
    with pytest.raises(AttributeError, match="DELIVERY_STORE_NOTHING"):
        _ = conf.DELIVERY_STORE_NOTHING
