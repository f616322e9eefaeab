"""Checks of the data center: its place, its processors, the spools that feed it."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning

from deliverystore.checks.faults import (
    check_alias,
    check_named_folders,
    check_prefix,
    fault_of_folder,
    is_count,
    wrong,
)
from deliverystore.conf import conf
from deliverystore.datacenter import naming, registry


def check_datacenter() -> Iterator[CheckMessage]:
    """Check where the files with rows are."""
    yield from _check_names()
    name = "DELIVERY_STORE_DATACENTER_ROOT"
    alias = conf.DELIVERY_STORE_DATACENTER_STORAGE
    root = getattr(conf, name)
    if alias is None:
        if root is not None and (fault := fault_of_folder(name)):
            hint = f'Write {name} = "/path/to/a/folder", or None for no data center.'
            yield wrong(14, fault, hint)
        return
    yield from check_alias(15, "DELIVERY_STORE_DATACENTER_STORAGE")
    yield from check_prefix(14, name, "tables")


def _check_names() -> Iterator[CheckMessage]:
    name = "DELIVERY_STORE_DATACENTER_MAX_NAME_BYTES"
    limit = getattr(conf, name)
    if not (is_count(limit) and 0 < limit <= naming.MAX_BYTES):
        message = f"{name} is {limit!r}, not a whole number up to {naming.MAX_BYTES}."
        yield wrong(16, message, f"Write {name} = {naming.MAX_BYTES}.")


def check_spools() -> Iterator[CheckMessage]:
    """Check the names and folders of the spools."""
    yield from check_named_folders(18, "DELIVERY_STORE_SPOOLS", "scans", "spools")


def check_processors() -> Iterator[CheckMessage]:
    """Check that processors have names of their own, and fields that there are."""
    for name, found in registry.clashes():
        classes = ", ".join(f"{one.__module__}.{one.__qualname__}" for one in found)
        hint = 'Give each a name of its own, such as name = "students".'
        yield wrong(20, f"Several processors are called {name!r}: {classes}.", hint)
    for processor in registry.get_processors().values():
        faults = registry.faults(processor)
        for fault in faults:
            hint = "Name fields of the model, and in key_fields and aliases none else."
            yield wrong(21, f"{processor.__qualname__}: {fault}", hint)
        if not faults and registry.leaves_save_out(processor):
            yield CheckWarning(
                f"{processor.__qualname__}: the model's own save() will not run.",
                hint="Write use_bulk = False if it must, or use_bulk = True if not.",
                id="deliverystore.W020",
            )
