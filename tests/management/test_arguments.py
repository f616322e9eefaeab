"""What people write after options, and what they cannot mean."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from deliverystore.management import arguments


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500", 500),
        ("1B", 1),
        ("10GB", 10**10),
        ("10 GiB", 10 * 2**30),
        ("1.5kb", 1500),
        ("2TiB", 2**41),
    ],
)
def test_sizes_are_in_units(text, size):
    assert arguments.size(text) == size


@pytest.mark.parametrize(
    "text", ["", "0", "0.4", "-5", "many", "nan", "inf", "9" * 400, "1XB"]
)
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="is no size"):
        arguments.size(text)


@pytest.mark.parametrize(("text", "seconds"), [("3600", 3600), ("0.5", 0.5)])
def test_seconds_may_be_parts_of_one(text, seconds):
    assert arguments.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "nan", "inf", "1e999", "1h"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="is no length of time; write 3600"):
        arguments.seconds(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "two"])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="is no number from 1 on"):
        arguments.count(text)
