"""Rows that are counted, lists that stay short, and names that somebody meant."""

from __future__ import annotations

import pytest

from deliverystore.datacenter import words


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1200, "1,200 rows")],
)
def test_rows_are_counted_as_people_do(count, said):
    assert words.rows(count) == said


def test_of_a_long_list_the_first_are_named_and_all_are_counted():
    assert words.listed([]) == "none"
    assert words.listed(["a", "b"]) == "a, b"
    assert words.listed(list("abcd"), most=2) == "a, b, … (4 in all)"


@pytest.mark.parametrize(
    ("name", "meant"), [("Nmae", "name"), (" CODE ", "code"), ("shoe size", None)]
)
def test_a_name_that_is_much_alike_is_asked_for(name, meant):
    asked = f"did you mean “{meant}”?" if meant else ""

    assert words.did_you_mean(name, ["code", "name"]) == asked
