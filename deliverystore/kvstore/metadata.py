"""Metadata: dicts that JSON can hold, copied, compared and chosen from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from deliverystore.exceptions import MetadataInvalid

# What JSON holds; who reads a value knows what it is, and should not have to prove it.
Metadata = dict[str, Any]

# PostgreSQL's jsonb takes neither, so no store does.
NO_TEXT = re.compile("[\x00\ud800-\udfff]")
# What is nested deeper, or has more digits, can be written, but not always be read:
# Python bounds the calls inside calls, and sys.set_int_max_str_digits() the digits.
_DEEPEST = 100
_LARGEST = 10**4000
# So many names are shown of those that lead to what is wrong.
_SHOWN = 10
# From here on, a float may be another number than its shortest text in decimals.
_LARGEST_EXACT = 2**53


def checked(metadata: Mapping[str, object], key: str | None = None) -> Metadata:
    """Return a copy that shares nothing with metadata; tuples become lists.

    Raise MetadataInvalid unless it is a mapping of what JSON can hold, with keys that
    are str, text without NUL and surrogates, and finite numbers of up to 4,000 digits,
    nested up to 100 times. The error says where in it, and of which key.
    """
    try:
        if not isinstance(metadata, Mapping):
            raise _Unfit(f"metadata must be a dict, not {metadata!r:.100}")  # noqa: TRY301
        return _checked_dict(metadata, 0)
    except _Unfit as error:
        raise MetadataInvalid(error.text(key)) from None


def copied(metadata: Metadata) -> Metadata:
    """Return a copy of checked metadata that shares nothing with it."""
    return {name: _copied(value) for name, value in metadata.items()}


def selected(metadata: Metadata, select: Iterable[str] | None) -> Metadata:
    """Return what is there of the names in select, or all if that is None."""
    if select is None:
        return metadata
    return {name: metadata[name] for name in select if name in metadata}


def canonical(value: object) -> str:
    """Return the same text for equal JSON values, and another for all others.

    Numbers are equal if their values are: 1 is 1.0. But true is not 1. The order of
    the keys of a dict does not matter.
    """
    return json.dumps(_comparable(value), sort_keys=True, separators=(",", ":"))


class Matcher:
    """Tells whether metadata has exactly the values asked for, and under these names.

    What is absent equals nothing, also not None. Raise MetadataInvalid if JSON cannot
    hold what is asked for.
    """

    def __init__(self, matches: Mapping[str, object]) -> None:
        self.wanted = checked(matches)
        self._canonical = {name: canonical(one) for name, one in self.wanted.items()}

    def __call__(self, metadata: Metadata) -> bool:
        for name, wanted in self.wanted.items():
            if name not in metadata:
                return False
            value = metadata[name]
            # Text, of which there is most, equals nothing but the same text.
            if isinstance(wanted, str) or isinstance(value, str):
                if value != wanted:
                    return False
            elif not _is_as(value, self._canonical[name]):
                return False
        return True

    def __bool__(self) -> bool:
        return bool(self.wanted)


def _is_as(value: object, wanted: str) -> bool:
    try:
        return canonical(value) == wanted
    except RecursionError:
        # So deep is nothing that can be asked for.
        return False


class _Unfit(Exception):
    """Says why metadata is invalid, and collects where while it goes up."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str | int] = []

    def text(self, key: str | None) -> str:
        places = []
        if self.path:
            names = [f"{name!r:.100}" for name in reversed(self.path[-_SHOWN:])]
            if len(self.path) > _SHOWN:
                names.append("…")
            places.append(".".join(names))
        if key is not None:
            places.append(f"the metadata of {key!r:.200}")
        where = f", in {' of '.join(places)}" if places else ""
        return f"{self.reason}{where}."


def _checked(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _checked_text(value)
    if isinstance(value, int | float):
        return _checked_number(value)
    if depth > _DEEPEST:
        raise _Unfit(f"metadata is nested more than {_DEEPEST} times")
    if isinstance(value, Mapping):
        return _checked_dict(value, depth)
    if isinstance(value, list | tuple):
        return [_inside(place, one, depth) for place, one in enumerate(value)]
    raise _Unfit(f"metadata cannot hold {value!r:.100}: JSON has no such value")


def _checked_dict(found: Mapping[str, object], depth: int) -> Metadata:
    return {_checked_text(name): _inside(name, found[name], depth) for name in found}


def _inside(name: str | int, value: object, depth: int) -> object:
    """Check what is there under a name, or at a place of a list."""
    try:
        return _checked(value, depth + 1)
    except _Unfit as error:
        error.path.append(name)
        raise


def _checked_number(number: float) -> float:
    """Return a plain int or float for a number that may be of a class of its own."""
    if isinstance(number, int):
        if abs(number) >= _LARGEST:
            raise _Unfit("metadata has a number of more than 4,000 digits")
        return int(number)
    if not math.isfinite(number):
        raise _Unfit(f"metadata cannot hold {number!r}: JSON has no such value")
    if abs(number) >= _LARGEST_EXACT and number.is_integer():
        # PostgreSQL reads the decimal number 1e23, which is not the float 1e23.
        return int(number)
    return float(number)


def _checked_text(text: object) -> str:
    if not isinstance(text, str):
        raise _Unfit(f"A name in metadata must be a str, not {text!r:.100}")
    if found := NO_TEXT.search(text):
        found_text = f"U+{ord(found[0]):04X} is no text"
        raise _Unfit(f"metadata cannot hold {text!r:.100}: {found_text}")
    # A subclass of str, such as one of Django's, becomes a plain one; str() itself asks
    # a member of an enum for its name.
    return str.__str__(text)


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return copied(value)
    if isinstance(value, list):
        return [_copied(one) for one in value]
    return value


def _comparable(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _comparable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_comparable(one) for one in value]
    return value
