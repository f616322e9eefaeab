"""Scenarios in which fsops has been made wrong, to see that it is noticed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from deliverystore import fsops
from tests.durability import spools, stores
from tests.durability.proof import Scenario

Draft = fsops._Draft


def _nothing(*args: Any) -> None:
    """Do not do it."""


def _sync_twice(draft: Any) -> None:
    try:
        os.fsync(draft.fd)
    except OSError:
        os.fsync(draft.fd)


def _sync_regardless(draft: Any) -> None:
    with contextlib.suppress(OSError):
        os.fsync(draft.fd)


def _name_then_sync(drafts: list[Any]) -> None:
    for draft in drafts:
        draft.give_name()
    for draft in drafts:
        draft.sync()
        fsops._sync_chain(draft.path.parent, draft.policy.root)
        draft.discard()


def _sync_only_below(folder: Path) -> None:
    """Leave out the folder that holds the first new folder."""
    if folder.name.isdecimal() and len(folder.name) > 1:
        fsops._sync(folder)


def _remove_then_link(draft: Any) -> None:
    draft.path.unlink(missing_ok=True)
    draft._link(draft.path)


def _leak(draft: Any) -> None:
    draft.fd = -1


def _keep_the_temporary_name(draft: Any) -> None:
    fd, draft.fd = draft.fd, -1
    if fd >= 0:
        os.close(fd)


def _copy_and_remove(source: str, path: str) -> bool:
    Path(path).write_bytes(Path(source).read_bytes())
    Path(source).unlink()
    return True


# What is done instead, to which scenario, and of which problems it is to be seen.
MUTANTS: dict[str, tuple[str, object, str, Callable[..., object]]] = {
    "content is not synced": ("add", Draft, "sync", _nothing),
    "a failed sync is tried again": ("add", Draft, "sync", _sync_twice),
    "a failed sync is ignored": ("add", Draft, "sync", _sync_regardless),
    "the name comes before the sync": ("add", fsops, "_publish", _name_then_sync),
    "folders are not synced": ("add", fsops, "_sync_folder", _nothing),
    "a new folder is not synced": ("add", fsops, "_sync_folder", _sync_only_below),
    "a removal is not synced": ("remove", fsops, "_sync_folder", _nothing),
    "the old file is removed first": ("replace", Draft, "_replace", _remove_then_link),
    "descriptors are left open": ("add", Draft, "discard", _leak),
    "temporary names stay": ("replace", Draft, "discard", _keep_the_temporary_name),
    "a done claim is not synced": ("claim and done", fsops, "sync_folders", _nothing),
    "a claim is a copy": ("claim and release", fsops, "take", _copy_and_remove),
}


def mutants() -> Iterator[Scenario]:
    """Yield a scenario for each mutation."""
    for title, (name, owner, attribute, instead) in MUTANTS.items():
        scenario = next(
            scenario
            for scenario in (*stores.ours(), *spools.of_spools())
            if scenario.name == name and scenario.variant in {"Fs, O_TMPFILE", "spool"}
        )
        wrong = partial(mock.patch.object, owner, attribute, instead)
        yield replace(
            scenario,
            name=title,
            variant="made wrong",
            operation=partial(_wrongly, wrong, scenario.operation),
        )


def _wrongly(
    wrong: Callable[[], Any], operation: Callable[[Path], object], root: Path
) -> None:
    with wrong():
        operation(root)
