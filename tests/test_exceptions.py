"""The errors and the tree that is drawn of them."""

from __future__ import annotations

import inspect
import re

from deliverystore import exceptions
from deliverystore.exceptions import DeliveryStoreError

ERRORS = {
    name: error
    for name, error in inspect.getmembers(exceptions, inspect.isclass)
    if error.__module__ == exceptions.__name__
}


def drawn():
    """Return name, depth and the built-ins that the drawing gives for each error."""
    for line in (exceptions.__doc__ or "").splitlines():
        if match := re.match(r"([│├└─ ]*)(\w+Error|\w+)(?: +also (.*))?$", line):
            lead, name, also = match.groups()
            if name in ERRORS:
                yield name, len(lead) // 4, (also or "").split(", ")


def test_every_error_derives_from_one_base():
    assert all(issubclass(error, DeliveryStoreError) for error in ERRORS.values())


def test_every_error_says_what_it_means():
    assert all(error.__doc__ for error in ERRORS.values())


def test_the_drawing_shows_every_error_in_its_place():
    above = []
    for name, depth, also in drawn():
        above[depth:] = [name]
        bases = {base.__name__ for base in ERRORS[name].__bases__}
        expected = {*above[-2:-1], *filter(None, also)}
        if depth:
            assert bases == expected, name
    assert {name for name, _, _ in drawn()} == set(ERRORS)
