"""Classes are found by their names."""

from __future__ import annotations

from deliverystore import named


class SmallProcessor:
    name = ""


class Small:
    name = "small"


class Large:
    name = "huge"


def test_a_class_without_a_name_has_that_of_the_class():
    assert [named.name_of(one) for one in (SmallProcessor, Large)] == ["small", "huge"]


def test_of_several_of_one_name_the_first_is_found():
    found = named.by_name([Large, Small, SmallProcessor])

    assert list(found.items()) == [("huge", Large), ("small", Small)]


def test_several_of_one_name_are_told():
    assert list(named.clashes([Small, Large, SmallProcessor])) == [
        ("small", [Small, SmallProcessor])
    ]
