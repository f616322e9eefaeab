"""What metadata may hold, and what is said of what it may not."""

from __future__ import annotations

import re

import pytest

from deliverystore.exceptions import MetadataInvalid
from deliverystore.kvstore import DictMemoryStore
from deliverystore.kvstore.metadata import checked

NAN = float("nan")


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (
            {"size": {"x": b"1"}},
            "metadata cannot hold b'1': JSON has no such value, in 'size'.'x' of the "
            "metadata of 'key'.",
        ),
        (
            {"a": [1, {"b": NAN}]},
            "no such value, in 'a'.1.'b' of the metadata of 'key'.",
        ),
        ({"a": {1: 2}}, "must be a str, not 1, in 'a' of the metadata of 'key'."),
        ({1: 2}, "must be a str, not 1, in the metadata of 'key'."),
        ({"a": "\0"}, "U+0000 is no text, in 'a' of the metadata of 'key'."),
        ({"a": 10**4000}, "more than 4,000 digits, in 'a' of the metadata of 'key'."),
        (None, "must be a dict, not None, in the metadata of 'key'."),
    ],
)
def test_the_error_says_where_in_the_metadata_of_which_key(metadata, expected):
    store = DictMemoryStore()
    store.set("key", (b"", {}))
    for call in (
        lambda: store.set("key", (b"data", metadata)),
        lambda: store.set_metadata("key", metadata),
        lambda: store.update_metadata("key", metadata),
        lambda: store.multiupdate_metadata(["key"], [metadata]),
    ):
        with pytest.raises(MetadataInvalid, match=re.escape(expected)):
            call()


def test_of_what_is_nested_too_deep_the_beginning_of_the_place_is_said():
    deep = {}
    for _ in range(200):
        deep = {"a": deep}

    with pytest.raises(MetadataInvalid) as raised:
        checked(deep)
    assert str(raised.value) == (
        "metadata is nested more than 100 times, in " + "'a'." * 10 + "…."
    )
    with pytest.raises(MetadataInvalid, match=r"no such value, in 'a'\.$"):
        checked({"a": NAN})
