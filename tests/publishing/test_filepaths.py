"""Filepaths of every shape."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverystore.exceptions import InvalidFilepath
from deliverystore.paths import TEMPORARY_PREFIX, clean_name, is_temporary
from deliverystore.publishing import clean_listy_filepath
from deliverystore.publishing.filepaths import name_of, with_token

ODD = st.sampled_from(
    [
        *("..", ".", "/", "\\", "\0", " ", "CON", "nul.txt", "é", "照片", "😀"),
        *(TEMPORARY_PREFIX, "x" * 300, "\ud800", "\u202e", "%2e%2e", "~", "-rf"),
    ]
)
PARTS = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.lists(st.one_of(ODD, st.text(max_size=4)), max_size=5).map("".join),
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    ("filepath", "clean"),
    [
        (["/dir1/", "foo/../nasty", "x.jpg"], ["dir1", "foo_.._nasty", "x.jpg"]),
        (["照片", "Прага 1.JPG"], ["照片", "Прага_1.JPG"]),
        (["Ca\u0301diz.png"], ["C\u00e1diz.png"]),
        ([".htaccess"], ["htaccess"]),
        (["...a"], ["a"]),
        (["CON"], ["_CON"]),
    ],
)
def test_a_part_becomes_a_name(filepath, clean):
    assert clean_listy_filepath(filepath) == clean


@pytest.mark.parametrize("part", ["", "/", "..", ".", " ", "///", "....", "_", "\0"])
def test_a_part_of_which_nothing_is_left_is_refused(part):
    with pytest.raises(InvalidFilepath, match="Nothing is left"):
        clean_listy_filepath(["dir1", part])


@given(PARTS)
def test_a_clean_filepath_stays_below_and_can_be_on_any_disk_properties(filepath):
    with contextlib.suppress(InvalidFilepath):
        clean = clean_listy_filepath(filepath)

        assert len(clean) == len(filepath)
        assert clean_listy_filepath(clean) == clean
        assert clean_name(name_of(clean)) == "/".join(clean)
        for part in clean:
            assert "/" not in part
            assert not part.startswith(".")
            assert not is_temporary(part)
            assert 0 < len(part.encode()) <= 255
        assert clean_name(with_token("/".join(clean))) != "/".join(clean)


@given(st.text(st.characters(categories=["L"]), min_size=1, max_size=20))
def test_letters_of_any_script_survive_properties(part):
    import unicodedata

    normal = unicodedata.normalize("NFC", part)

    assert clean_listy_filepath([f"{part}1"])[0].removeprefix("_") == f"{normal}1"


def test_a_random_part_goes_before_the_extension():
    one, other = with_token("a/photo.jpg"), with_token("a/photo.jpg")

    assert one != other
    assert one.startswith("a/photo_")
    assert one.endswith(".jpg")
    assert with_token("a/" + "é" * 120 + ".jpg").endswith(".jpg")
