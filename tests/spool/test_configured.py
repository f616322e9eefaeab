"""The spools that the settings name."""

from __future__ import annotations

import pytest

from deliverystore.exceptions import SettingInvalid
from deliverystore.spool import configured, get_spools, look_at_spools
from deliverystore.spool.configured import folder_of


@pytest.fixture
def spools(settings, tmp_path):
    settings.DELIVERY_STORE_SPOOLS = {
        name: tmp_path / name for name in ("scans", "mail", "new")
    }
    for name in ("scans", "mail"):
        get_spools()[name].prepare()
    return settings.DELIVERY_STORE_SPOOLS


def test_without_a_setting_there_are_none():
    assert get_spools() == {}
    assert look_at_spools() == []


def test_spools_are_those_of_the_setting_in_its_order(spools, tmp_path):
    paths = {name: store.path for name, store in get_spools().items()}

    assert list(paths.items()) == list(spools.items())


def test_one_that_cannot_be_looked_at_hides_no_other(spools):
    looks = {look.name: look for look in look_at_spools()}

    assert looks["scans"].status.waiting == 0
    assert looks["new"].status is None
    assert isinstance(looks["new"].error, FileNotFoundError)


@pytest.mark.parametrize(
    ("count", "limit"), [(1, 10_000), (2, 1000), (10, 1000), (11, 100), (500, 100)]
)
def test_the_more_spools_there_are_the_less_is_counted_of_each(
    settings, tmp_path, count, limit
):
    settings.DELIVERY_STORE_SPOOLS = {f"{n}": tmp_path / f"{n}" for n in range(count)}

    assert {look.limit for look in look_at_spools()} == {limit}
    assert configured._COUNTED == 10_000


def test_a_spool_is_found_by_its_name_or_by_its_path(spools, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()

    assert folder_of("scans") == spools["scans"]
    assert folder_of(str(tmp_path)) == tmp_path
    assert str(folder_of("./here")) == str(folder_of("here")) == "here"
    with pytest.raises(SettingInvalid, match="has: scans, mail, new"):
        folder_of("there")


@pytest.mark.parametrize(
    ("path", "hint"),
    [("./file", ""), ("./not there", " For a new spool, make it: mkdir './not there'")],
)
def test_a_path_that_is_no_folder_is_told_with_what_makes_one(
    tmp_path, monkeypatch, path, hint
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()

    with pytest.raises(NotADirectoryError) as caught:
        folder_of(path)

    assert str(caught.value) == f"{path} is no folder.{hint}"
