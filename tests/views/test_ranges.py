"""Which bytes a Range header asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverystore.views.ranges import requested_range

WHOLE = range(10)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=2-5", range(2, 6)),
        ("bytes=2-", range(2, 10)),
        ("bytes=9-9", range(9, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-99", WHOLE),
        ("bytes=5-99", range(5, 10)),
        (f"bytes=0-{10**40}", WHOLE),
        ("Bytes= 2-5 ", range(2, 6)),
    ],
)
def test_one_range_is_honoured(header, expected):
    assert requested_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", f"bytes={10**40}-"])
def test_a_range_behind_the_end_is_empty(header):
    assert not requested_range(header, 10)


def test_the_last_no_bytes_are_an_empty_range():
    assert not requested_range("bytes=-0", 10)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=a-b",
        "bytes=--5",
        "bytes=+1-2",
        "bytes=\N{ARABIC-INDIC DIGIT ONE}-",
        "items=0-1",
        "bytes=0-1,3-4",
        "bytes=" + "0-," * 5000,
        "bytes=0-" + "9" * 100_000,
        "bytes=0-1\r\nX: y",
    ],
    ids=range(14),
)
def test_anything_else_is_the_whole_file(header):
    assert requested_range(header, 10) == WHOLE


def test_every_range_of_an_empty_file_is_all_of_it():
    assert requested_range("bytes=0-", 0) == range(0)


@given(header=st.text(), size=st.integers(min_value=0, max_value=2**63))
def test_no_header_asks_for_bytes_outside_the_file(header, size):
    for text in (header, f"bytes={header}"):
        found = requested_range(text, size)

        assert 0 <= found.start <= size
        assert 0 <= found.stop <= size
