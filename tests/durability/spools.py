"""Scenarios: what is done with files in a spool."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest import mock

from deliverystore import fsops
from deliverystore.spool import FileStore
from tests.durability.proof import Scenario, View
from tests.durability.stores import NEW, OLD

LATER = datetime(2100, 1, 1, tzinfo=UTC)
_NOW_HERE = {"new": "waits", "cur": "claimed", "failed": "failed"}
# A power cut may leave the old and the new name of a file that was renamed.
_ANYWHERE = tuple(
    places for count in (1, 2, 3) for places in combinations(_NOW_HERE.values(), count)
)


def of_spools() -> Iterator[Scenario]:
    """Yield what producers do, then what workers do."""
    for unnamed in (True, False):
        yield from _of_writers(unnamed=unnamed)
    for has_rename in (True, False):
        yield from _of_movers(has_rename=has_rename)
    yield from _of_workers()


def _of_writers(*, unnamed: bool) -> Iterator[Scenario]:
    scenario = partial(
        Scenario,
        variant="spool, O_TMPFILE" if unnamed else "spool, named",
        look=_contents,
        is_litter=lambda name: name.startswith("tmp/.deliverystore-"),
        again=("FileExists",),
    )

    def write(root: Path) -> None:
        fsops._can_link_open_files = lambda: unnamed  # type: ignore[assignment]
        store = _store(root)
        store.prepare()
        with store.writing("a") as file:
            file.write(NEW)

    def copy(root: Path) -> None:
        fsops._can_link_open_files = lambda: unnamed  # type: ignore[assignment]
        _store(root).copy("a", "cur", "new")

    yield scenario(name="prepare and write", operation=write)
    yield scenario(name="write", prepare=_prepare, operation=write)
    yield scenario(name="copy", prepare=partial(_with, "cur/a"), operation=copy)


def _of_movers(*, has_rename: bool) -> Iterator[Scenario]:
    found = fsops._renameat2() if has_rename else None

    def move(root: Path) -> None:
        with mock.patch.object(fsops, "_renameat2", return_value=found):
            _store(root).move("a", "tmp", "new")

    def lost(view: View) -> str | None:
        return None if view else "the file has no name any more"

    yield Scenario(
        name="hand over",
        variant="spool, renameat2" if has_rename else "spool, link",
        prepare=partial(_with, "tmp/a"),
        operation=move,
        look=_contents,
        broken=lost,
        again=("FileNotFoundError",),
    )


def _of_workers() -> Iterator[Scenario]:
    scenario = partial(
        Scenario,
        variant="spool",
        look=_jobs,
        # All that is below the root is a job.
        is_litter=lambda name: True,
        tidy=False,
        meanwhile=_ANYWHERE,
        broken=_is_lost,
    )
    waiting = partial(_with, "new/a")

    def end(how: str, root: Path) -> None:
        store = _store(root, max_attempts=1 if how == "fail" else 100)
        store.recover(LATER)
        for claim in store.claims(1):
            getattr(claim, how)()

    yield scenario(
        name="claim and done",
        prepare=waiting,
        operation=partial(end, "done"),
        broken=lambda view: None,
    )
    yield scenario(
        name="claim and release", prepare=waiting, operation=partial(end, "release")
    )
    yield scenario(
        name="claim and fail", prepare=waiting, operation=partial(end, "fail")
    )
    yield scenario(
        name="recover",
        prepare=_claimed,
        operation=lambda root: _store(root).recover(LATER),
    )
    yield scenario(
        name="try again",
        prepare=_failed,
        operation=lambda root: _retry(_store(root)),
    )
    yield scenario(
        name="sweep",
        prepare=partial(_with, "tmp/old", age=7200),
        operation=lambda root: _store(root).sweep(timedelta(hours=1)),
        look=_contents,
        broken=lambda view: None,
        meanwhile=(),
        again=(),
    )


def _store(root: Path, **options: Any) -> FileStore:
    return FileStore(root, durability="full", **options)


def _prepare(root: Path) -> None:
    FileStore(root, durability="none").prepare()


def _with(name: str, root: Path, age: float = 0) -> None:
    _prepare(root)
    (root / name).write_bytes(OLD)
    changed = datetime.now(UTC).timestamp() - age
    os.utime(root / name, (changed, changed))


def _claimed(root: Path) -> None:
    _with("new/a", root)
    FileStore(root, durability="none").claim()


def _failed(root: Path) -> None:
    _with("new/a", root)
    claim = FileStore(root, durability="none", max_attempts=1).claim()
    assert claim is not None
    claim.fail()


def _retry(store: FileStore) -> None:
    for path in store.failed():
        store.retry(path)


def _files(root: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(root).as_posix(), path.read_bytes


def _contents(root: Path) -> View:
    """Return what each name holds."""
    return {name: read() for name, read in _files(root)}


def _jobs(root: Path) -> View:
    """Return where the one job is; what a section holds must be whole."""
    where = []
    for name, read in _files(root):
        whole = read() == OLD
        section = name.partition("/")[0]
        where.append(_NOW_HERE[section] if whole else f"damaged in {section}")
    order = list(_NOW_HERE.values())
    return {"job": tuple(sorted(set(where), key=order.index))} if where else {}


def _is_lost(view: View) -> str | None:
    return None if view else "the job is lost"
