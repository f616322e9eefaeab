"""Apostrophes and backslashes: what one half writes the other half reads."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deliverystore.datacenter.rows.escapes import (
    as_it_stands,
    joined,
    meant,
    neutralised,
    separated,
)

TOKEN = "--CLEAR--"
TEXTS = st.text(st.sampled_from("'=-+ \t\\/;aC1LEAR\uff1d"), max_size=12) | st.text()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 1", "'+49 30 1"),
        ("-", "'-"),
        ("@home", "'@home"),
        ("\t=1", "\t'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("-5", "-5"),
        ("-5.25", "-5.25"),
        ("a=1", "a=1"),
        ("'=1", "'=1"),
        ("o'clock", "o'clock"),
    ],
)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text, cell):
    assert neutralised(text) == cell


@pytest.mark.parametrize(
    ("cell", "text"),
    [("'=1", "=1"), ("''=1", "'=1"), ("'a", "'a"), ("'", "'"), ("'--CLEAR--", TOKEN)],
)
def test_an_apostrophe_before_a_formula_or_the_token_is_no_part_of_the_text(cell, text):
    assert meant(cell, TOKEN) == text


@given(TEXTS, st.sampled_from([TOKEN, "", "NULL"]))
@example(TOKEN, TOKEN)
@example("'NULL", "NULL")
@example(" '=1", "")
def test_every_text_comes_back(text, token):
    cell = as_it_stands(text, token)

    assert cell.strip() != token or not token
    assert meant(cell.strip(), token) == text.strip()


@given(TEXTS)
def test_a_neutralised_cell_means_the_same_and_is_no_formula(text):
    cell = as_it_stands(text, TOKEN)

    assert meant(neutralised(cell).strip(), TOKEN) == text.strip()
    assert neutralised(neutralised(cell)) == neutralised(cell)
    assert not neutralised(cell).strip().startswith(("=", "+", "@"))


@given(st.lists(TEXTS, min_size=1), st.sampled_from(";/"))
def test_joined_texts_come_back(texts, separator):
    assert separated(joined(texts, separator), separator) == texts


@given(st.lists(st.lists(TEXTS, min_size=1), min_size=1))
def test_lists_of_joined_texts_come_back(lists):
    cell = joined([joined(texts, "/") for texts in lists], ";")

    assert [separated(text, "/") for text in separated(cell, ";")] == lists


def test_a_backslash_before_anything_else_stays():
    assert separated(r"C:\x;D:\y", ";") == [r"C:\x", r"D:\y"]
