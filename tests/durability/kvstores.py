"""Scenarios: what is done with values in a folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deliverystore.kvstore import FileSystemStore, init_shared_store
from deliverystore.paths import is_temporary
from tests.durability.proof import Scenario, View
from tests.durability.stores import NEW, OLD

MAGIC = ".FSStore"
# Names in the journal come and go in an order of their own.
_WAITING = re.compile(r"[0-9a-f]{8}[-!+*]|\.decided-")
LONG = "x" * 300


@dataclass(frozen=True, kw_only=True)
class Value:
    """What there is under a key: data and metadata that must belong together."""

    data: bytes
    metadata: str


def of_kvstores() -> Iterator[Scenario]:
    """Yield each kind of change, of new keys and of keys that are there."""
    scenario = partial(
        Scenario,
        variant="key-value store",
        prepare=_prepare,
        look=_look,
        is_litter=_is_temporary,
        in_place=lambda name: _WAITING.match(name) is not None,
    )
    for name, change in CHANGES.items():
        yield scenario(name=name, operation=partial(_do, change))
    # What is cleared without a sync must not come back after a later change.
    yield scenario(
        name="set, then set metadata",
        operation=partial(_do, _set_twice),
        meanwhile=(Value(data=NEW, metadata="{'is': 'new'}"),),
    )
    # After the key is gone, its data may stay, and the sweep finds it.
    yield scenario(
        name="delete",
        operation=partial(_do, lambda store: store.delete("old")),
        again=("KeyNotFound",),
        is_litter=lambda name: _is_temporary(name) or name == "old.data",
        tidy=False,
    )
    yield scenario(
        name="transaction",
        operation=partial(_do, _transaction),
        again=("KeyNotFound",),
        broken=_is_torn,
    )
    yield scenario(
        name="init",
        prepare=lambda root: None,
        operation=lambda root: init_shared_store(root / "store", durability="full"),
        look=_look_at_magic,
    )


def without_syncs() -> Iterator[Scenario]:
    """Yield the same for a store that is only to survive a kill."""
    for scenario in of_kvstores():
        if scenario.name in {*CHANGES, "transaction"}:
            change = CHANGES.get(scenario.name, _transaction)
            yield replace(
                scenario,
                variant="key-value store, not durable",
                operation=partial(_do, change, durability="none"),
                is_litter=lambda name: (
                    _is_temporary(name) or name.endswith((".data", ".key"))
                ),
                in_place=lambda name: True,
                tidy=False,
            )


def _set(key: str, store: FileSystemStore) -> None:
    store.set(key, (NEW, {"is": "new"}))


def _set_twice(store: FileSystemStore) -> None:
    _set("old", store)
    store.set_metadata("old", {"is": "newest"})


def _transaction(store: FileSystemStore) -> None:
    with store.transaction("three keys"):
        _set("old", store)
        _set("new", store)
        store.delete("gone")


CHANGES: dict[str, Callable[[FileSystemStore], None]] = {
    "set a new key": partial(_set, "new"),
    "set a long key": partial(_set, LONG),
    "set a key again": partial(_set, "old"),
    "set data": lambda store: store.set_data("old", NEW),
    "set metadata": lambda store: store.set_metadata("old", {"is": "new"}),
    "update metadata": lambda store: store.update_metadata("old", {"and": "new"}),
}


def _prepare(root: Path) -> None:
    init_shared_store(root)
    store = FileSystemStore(root, durability="none")
    for key in ("old", "gone"):
        store.set(key, (OLD, {"is": "old"}))


def _do(
    change: Callable[[FileSystemStore], None], root: Path, durability: str = "full"
) -> None:
    change(FileSystemStore(root, durability=durability))


def _look(root: Path) -> View:
    """Return what each key holds, under the name of each of its files."""
    store = FileSystemStore(root, durability="none")
    view: dict[str, object] = {MAGIC: (root / MAGIC).read_bytes()}
    for key in store.query_keys():
        with store.get(key) as data:
            value = Value(data=data.read(), metadata=str(store.get_metadata(key)))
        name = key if key != LONG else _name_of_long()
        suffixes = ("data", "metadata") if key != LONG else ("data", "metadata", "key")
        view |= {f"{name}.{suffix}": value for suffix in suffixes}
    return view


def _look_at_magic(root: Path) -> View:
    path = root / "store" / MAGIC
    return {f"store/{MAGIC}": path.read_bytes()} if path.exists() else {}


def _is_torn(view: View) -> str | None:
    """Tell whether a transaction was done in part."""
    found = {
        "old" if "old" in str(view["old.data"]) else "new",
        "new" if "new.data" in view else "old",
        "old" if "gone.data" in view else "new",
    }
    return None if len(found) == 1 else "a part of the transaction was done"


def _is_temporary(name: str) -> bool:
    return is_temporary(name.rpartition("/")[2])


def _is_temporary_or_no_key(name: str) -> bool:
    """Tell whether a file may be left, which is no key without its metadata."""
    return _is_temporary(name) or name.endswith((".data", ".key"))


def _name_of_long() -> str:
    from deliverystore.kvstore.filenames import name_of

    return name_of(LONG)
