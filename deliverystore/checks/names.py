"""A check that no name of a setting is misspelt, since nobody reads such a one."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from django.conf import (
    global_settings,
    settings,  # noqa: TID251 - the names that are no setting
)
from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning

from deliverystore.conf import Conf

_PREFIX = "DELIVERY_STORE_"


def check_names() -> Iterator[CheckMessage]:
    """Check that each name with our prefix is one of our settings."""
    ours = [name.removeprefix(_PREFIX) for name in Conf.__annotations__]
    for name in dir(settings):
        rest = name.removeprefix(_PREFIX)
        if name.startswith(_PREFIX) and rest not in ours:
            yield CheckWarning(
                f"{name} is no setting.",
                hint=_hint(rest, ours),
                id="deliverystore.W002",
            )


def _hint(name: str, ours: list[str]) -> str:
    if hasattr(global_settings, name):
        return f"Write {name}, which is Django's, or remove it."
    if near := get_close_matches(name, ours, 1):
        return f"Write {_PREFIX}{near[0]}, or remove it."
    return "Remove it: no setting has a name like this."
