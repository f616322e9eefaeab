"""Scenarios: what is done with values in the database, whose data is in a storage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.files.storage import storages
from django.db import connections, transaction
from django.utils import timezone

from deliverystore.backends import FsDeliveryStore
from deliverystore.kvstore import DatabaseStore
from deliverystore.kvstore.strays import note_strays
from deliverystore.models import StoredRemoval, StoredValue
from deliverystore.sweeping import sweep
from tests.durability.proof import Scenario, View
from tests.durability.rows import Regret, do, use, wait_for_others
from tests.durability.stores import NEW, OLD

STORAGE = "values"
STORE = DatabaseStore(STORAGE)


def set_a_new_key() -> None:
    STORE.set("new", (NEW, {"is": "new"}))


def set_a_key_again() -> None:
    STORE.set("old", (NEW, {"is": "new"}))


def set_data() -> None:
    STORE.set_data("old", NEW)


def update_metadata() -> None:
    STORE.update_metadata("old", {"and": "new"})


def delete() -> None:
    STORE.delete("gone")


def change_many() -> None:
    """Do all of it in one transaction."""
    with STORE.transaction("three keys"):
        set_a_new_key()
        set_a_key_again()
        delete()


def change_many_inside_another() -> None:
    """Do all of it in a transaction of Django's."""
    with transaction.atomic():
        set_a_new_key()
        change_many()


def regret_all() -> None:
    """Roll back after everything was done."""
    try:
        with transaction.atomic():
            change_many()
            raise Regret  # noqa: TRY301
    except Regret:
        pass


def regret_a_part() -> None:
    """Roll back to a savepoint, and go on."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                STORE.set_data("new", b"first thoughts")
                delete()
                raise Regret  # noqa: TRY301
        except Regret:
            set_a_new_key()
        set_a_key_again()
        delete()


# Each, and what may be raised when it is repeated after it was done.
OPERATIONS: dict[Callable[[], None], tuple[str, ...]] = {
    set_a_new_key: (),
    set_a_key_again: (),
    set_data: (),
    update_metadata: (),
    delete: ("KeyNotFound",),
    change_many: ("KeyNotFound",),
    change_many_inside_another: ("KeyNotFound",),
    regret_all: (),
    regret_a_part: ("KeyNotFound",),
}
# What is rolled back leaves data of which nothing knows, until it is noted anew.
ROLLED_BACK = (change_many_inside_another, regret_all, regret_a_part)
# What changes three keys, or none.
TOGETHER = (change_many, change_many_inside_another, regret_all, regret_a_part)


def values(scenarios: Callable[[], Iterator[Scenario]]) -> Iterator[Scenario]:
    """Yield these, on the database of other scenarios."""
    base = next(scenarios())
    for work, again in OPERATIONS.items():
        yield replace(
            base,
            name=work.__name__.replace("_", " "),
            prepare=partial(_prepare, base.prepare),
            operation=partial(_do, work),
            look=partial(_look, notes_strays=work in ROLLED_BACK),
            again=again,
            broken=_is_torn if work in TOGETHER else lambda view: None,
            meanwhile=(),
            steps_vary=True,
        )


def _storage(root: Path) -> FsDeliveryStore:
    return FsDeliveryStore(root / "values")


def _use(root: Path) -> None:
    use(root)
    opened: dict[str, object] = vars(storages)["_storages"]
    opened[STORAGE] = _storage(root)


def _do(work: Callable[[], None], root: Path) -> None:
    _use(root)
    do(work, root)


def _prepare(prepare: Callable[[Path], object], root: Path) -> None:
    prepare(root)
    _use(root)
    settings.DELIVERY_STORE_DURABILITY = "none"
    StoredValue.objects.all().delete()
    StoredRemoval.objects.all().delete()
    for key in ("old", "gone"):
        STORE.set(key, (OLD, {"is": "old"}))
    connections.close_all()


def _look(root: Path, *, notes_strays: bool) -> View:
    """Return what each key holds, before and after a sweep, which must agree.

    It must leave no data that no key has, strays only if they are noted before.
    """
    _use(root)
    wait_for_others()
    try:
        before = dict(_values())
        long_ago = timezone.now() - timedelta(days=2)
        if notes_strays:
            for path in _files(root):
                os.utime(path, (long_ago.timestamp(), long_ago.timestamp()))
            note_strays()
        StoredRemoval.objects.update(removed_at=long_ago)
        sweep()
        if (after := dict(_values())) != before:
            return {"what the sweep changed": (before, after)}
        known = StoredValue.objects.exclude(stored_as="").count()
        if len(found := _files(root)) != known:
            return {"what the sweep left": [path.name for path in found]}
        return before
    finally:
        connections.close_all()


def _values() -> Iterator[tuple[str, object]]:
    for key, metadata in STORE.query():
        yield key, f"{STORE.to_bytes(key)!r:.20} {metadata}"
    for name in ("old", "new"):
        yield f"found by {name}", str(sorted(STORE.query_keys(**{"is": name})))


def _files(root: Path) -> list[Path]:
    return [path for path in (root / "values").rglob("*") if path.is_file()]


def _is_torn(view: View) -> str | None:
    """Tell whether a transaction was done in part."""
    found = {"new" in str(view["old"]), "new" in view, "gone" not in view}
    return None if len(found) == 1 else "a part of the transaction was done"
