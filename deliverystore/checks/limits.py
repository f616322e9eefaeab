"""Checks of what may be handed in, and for how long something is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.core.checks import CheckMessage

from deliverystore import limits, paths
from deliverystore.checks.faults import fault_of_folder, is_count, wrong
from deliverystore.conf import conf
from deliverystore.exceptions import SettingInvalid

_BYTES = (
    "DELIVERY_STORE_MAX_FILE_BYTES",
    "DELIVERY_STORE_MAX_DELIVERY_BYTES",
    "DELIVERY_STORE_MAX_FILES",
    "DELIVERY_STORE_USER_QUOTA_BYTES",
    "DELIVERY_STORE_DATACENTER_MAX_FILE_BYTES",
    "DELIVERY_STORE_DATACENTER_MAX_WAITING",
)


def check_limits() -> Iterator[CheckMessage]:
    """Check the numbers."""
    for name in _BYTES:
        limit = getattr(conf, name)
        if limit is not None and not (is_count(limit) and limit >= 0):
            message = f"{name} is {limit!r}, not a whole number."
            yield wrong(7, message, f"Write {name} = 1_000_000, or None for no limit.")


def check_extensions() -> Iterator[CheckMessage]:
    """Check that each extension can be one."""
    yield from _check_patterns(
        8,
        "DELIVERY_STORE_ALLOWED_EXTENSIONS",
        lambda one: paths.extension(f"name{one}") == one and "*" not in one,
        '[".pdf", ".txt"]',
    )


def check_types() -> Iterator[CheckMessage]:
    """Check that each type can be one, and that types can be found out."""
    name = "DELIVERY_STORE_ALLOWED_TYPES"
    yield from _check_patterns(
        9,
        name,
        lambda one: one.count("/") == 1 and one == one.lower(),
        '["application/pdf", "image/*"]',
    )
    if getattr(conf, name) is not None:
        try:
            limits.sniff(b"text")
        except SettingInvalid as error:
            yield wrong(10, str(error), "Install the extra, or remove the setting.")


def _check_patterns(
    number: int, name: str, is_right: Callable[[str], bool], example: str
) -> Iterator[CheckMessage]:
    value = getattr(conf, name)
    if value is None:
        return
    hint = f"Write {name} = {example}, or None for no limit."
    if not isinstance(value, list | tuple | set | frozenset):
        yield wrong(number, f"{name} is {value!r}, not a list.", hint)
        return
    for one in value:
        if not (isinstance(one, str) and is_right(one)):
            yield wrong(number, f"{name}: {one!r} cannot match.", hint)


def check_times() -> Iterator[CheckMessage]:
    """Check the lengths of time."""
    defaults = {
        "DELIVERY_STORE_ABANDON_AFTER": 7,
        "DELIVERY_STORE_GRACE": 1,
        "DELIVERY_STORE_KEEP_EXPORTS": 7,
    }
    for name, days in defaults.items():
        value = getattr(conf, name)
        if not isinstance(value, timedelta) or value < timedelta(0):
            hint = f"Write {name} = timedelta(days={days})."
            yield wrong(11, f"{name} is {value!r}, not a length of time.", hint)


def check_uploads() -> Iterator[CheckMessage]:
    """Check where uploads wait that can be resumed."""
    name = "DELIVERY_STORE_UPLOAD_ROOT"
    if getattr(conf, name) is not None and (fault := fault_of_folder(name)):
        hint = f'Write {name} = "/path/to/a/folder", or None for no resumable uploads.'
        yield wrong(12, fault, hint)
