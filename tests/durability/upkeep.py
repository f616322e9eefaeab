"""Scenarios: what looks after all deliveries: sweeps, checks and repairs, copies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO, StringIO
from itertools import chain
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from deliverystore.backends import (
    DeliveryStoreInterface,
    FsDeliveryStore,
    default_store,
)
from deliverystore.copying import GOOD, Copier, copy_all
from deliverystore.models import Check, FileMeta, Removal
from deliverystore.sweeping import sweep
from tests.durability.proof import Scenario, View
from tests.durability.rows import (
    ESSAY,
    deliveries,
    do,
    finished_delivery,
    use,
    wait_for_others,
)

STRAY = "0/0/9/99"
EVIL = b"what somebody else wrote"
BACKEND = "deliverystore.backends.FsDeliveryStore"


class LeftUndone(OSError):
    """Some of it could not be done: it is said, and the same once more goes on."""


def sweep_all() -> None:
    """Remove the bytes of what was deleted."""
    if sweep().refused:
        raise LeftUndone(f"below {settings.DELIVERY_STORE_ROOT}")


def check_and_repair() -> None:
    """Restore what is damaged, and set aside what is nobody's."""
    options = ["--repair", "--restore-from=backup", "--quarantine-to=quarantine"]
    folder = settings.DELIVERY_STORE_ROOT.parent
    stores = {
        name: {"BACKEND": BACKEND, "OPTIONS": {"root": folder / name}}
        for name in ("backup", "quarantine")
    }
    with override_settings(STORAGES={**settings.STORAGES, **stores}):
        try:
            call_command("check_deliveries", *options, stdout=StringIO())
        except CommandError as error:
            if error.returncode != 1:
                raise (error.__cause__ or error) from None
    # One that was killed before has findings that are another's by now.
    if Check.objects.latest("pk").findings.unrepaired().exists():
        raise LeftUndone(f"below {settings.DELIVERY_STORE_ROOT}")


def copy_all_files() -> None:
    """Copy everything into another store."""
    for copied in copy_all(Copier(source=default_store, target=_store("new")), jobs=1):
        if copied.outcome not in GOOD:
            raise LeftUndone(f"{settings.DELIVERY_STORE_ROOT}: {copied.reason}")


def _delete() -> None:
    finished_delivery().delete()


def _damage() -> None:
    """Put other bytes for a file, its own into the backup, and bytes for nobody."""
    file = finished_delivery().files.get()
    with file.open() as content, _store("backup").write_open(file) as copy:
        copy.write(content.read())
    with default_store.write_open(file) as opened:
        opened.write(EVIL)
    default_store.save(STRAY, File(BytesIO(ESSAY)))
    os.utime(default_store.path(STRAY), (0, 0))


@dataclass(frozen=True, kw_only=True)
class _Upkeep:
    work: Callable[[], None]
    before: Callable[[], object]
    meanwhile: tuple[object, ...] = ()


_UPKEEP = (
    _Upkeep(work=sweep_all, before=_delete),
    _Upkeep(work=check_and_repair, before=_damage, meanwhile=("in both",)),
    _Upkeep(work=copy_all_files, before=lambda: None),
)


def upkeep(scenarios: Callable[[], Iterator[Scenario]]) -> Iterator[Scenario]:
    """Yield these, on the database of other scenarios."""
    base = next(scenarios())

    def prepared(before: Callable[[], object], root: Path) -> None:
        base.prepare(root)
        use(root)
        settings.DELIVERY_STORE_DURABILITY = "none"
        before()
        connections.close_all()

    for one in _UPKEEP:
        yield replace(
            base,
            name=one.work.__name__.replace("_", " "),
            prepare=partial(prepared, one.before),
            operation=partial(do, one.work),
            look=_look,
            again=(),
            meanwhile=one.meanwhile,
        )


def _look(root: Path) -> View:
    """Return the deliveries, and where there are which bytes; nothing is changed."""
    use(root)
    wait_for_others()
    try:
        return dict(chain(deliveries(), _bytes()))
    finally:
        connections.close_all()


def _bytes() -> Iterator[tuple[str, object]]:
    known = {STRAY, *map(default_store.name_of, FileMeta.objects.all())}
    for removal in Removal.objects.all():
        yield f"removal {removal}", "waits"
        known.add(f"0/0/{removal}")
    names = {entry.name for entry in default_store.walk()}
    yield "bytes of removed files", sorted(names - known)
    copies = _store("new")
    for file in FileMeta.objects.exclude(completed=None):
        if copies.exists(file):
            with file.open_in(copies) as opened:
                yield f"copy of {file}", len(opened.read())
    for name, content in {"bytes of nobody": ESSAY, "damaged bytes": EVIL}.items():
        there = _has(default_store, content), _has(_store("quarantine"), content)
        yield name, _WHERE[there]


_WHERE = {
    (False, False): None,
    (True, False): "in the store",
    (True, True): "in both",
    (False, True): "in quarantine",
}


def _has(store: DeliveryStoreInterface, content: bytes) -> bool:
    return any(_content(store, entry.name) == content for entry in store.walk())


def _content(store: DeliveryStoreInterface, name: str) -> bytes:
    with store.read_open(name) as opened:
        return opened.read()


def _store(name: str) -> FsDeliveryStore:
    return FsDeliveryStore(settings.DELIVERY_STORE_ROOT.parent / name)
