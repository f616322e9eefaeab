"""Scenarios: what stores do with files, ours and Django's."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage

from deliverystore import fsops
from deliverystore.backends import FsDeliveryStore, FsHierDeliveryStore
from tests.durability.proof import Scenario, View

# More than one buffer, so that more than one write is needed.
OLD = random.Random(1).randbytes(150_000)  # noqa: S311
NEW = random.Random(2).randbytes(200_000)  # noqa: S311


@dataclass(kw_only=True)
class Address:
    """What a store needs to know of a FileMeta."""

    pk: int
    delivery_id: int
    stored_as: str = ""


ESSAY = Address(pk=7, delivery_id=2_001_005)
OTHERS = (
    Address(pk=8, delivery_id=2_001_005),
    Address(pk=10, delivery_id=5),
)

LAYOUTS: dict[str, type[FsDeliveryStore]] = {
    "Fs": FsDeliveryStore,
    "FsHier": FsHierDeliveryStore,
}


def ours() -> Iterator[Scenario]:
    """Yield what both layouts do, with files without a name and with temporary ones."""
    for layout, make in LAYOUTS.items():
        yield from _of_store(_Opener(make, unnamed=True), f"{layout}, O_TMPFILE")
        yield from _of_store(_Opener(make, unnamed=False), f"{layout}, named")
    yield from _of_files()


def djangos() -> Iterator[Scenario]:
    """Yield the same for the storage that Django brings."""

    def opened(root: Path) -> FileSystemStorage:
        return FileSystemStorage(root, allow_overwrite=True)

    def old(root: Path) -> None:
        (root / "essay").write_bytes(OLD)

    variant = "Django's FileSystemStorage"
    yield Scenario(
        name="save",
        variant=variant,
        operation=lambda root: opened(root).save("a/essay", File(BytesIO(NEW))),
        look=_look_into(opened),
    )
    yield Scenario(
        name="save over",
        variant=variant,
        prepare=old,
        operation=lambda root: opened(root).save("essay", File(BytesIO(NEW))),
        look=_look_into(opened),
    )
    yield Scenario(
        name="delete",
        variant=variant,
        prepare=old,
        operation=lambda root: opened(root).delete("essay"),
        look=_look_into(opened),
    )


@dataclass
class _Opener:
    """Opens a store, on a file system with or without O_TMPFILE."""

    make: type[FsDeliveryStore]
    unnamed: bool

    def __call__(self, root: Path, **options: bool) -> FsDeliveryStore:
        fsops._can_link_open_files = lambda: self.unnamed  # type: ignore[assignment]
        return self.make(root, durability="full", **options)  # type: ignore[arg-type]


def _of_store(opened: _Opener, variant: str) -> Iterator[Scenario]:
    look = _look_into(opened)

    def old(root: Path) -> None:
        (root / "essay").write_bytes(OLD)
        _write(opened(root), ESSAY, OLD)

    def add_several(root: Path) -> None:
        store = opened(root)
        with store.group() as group:
            for number, file in enumerate((ESSAY, *OTHERS)):
                with store.write_open(file, group=group) as new:
                    new.write(NEW[number * 1000 : (number + 1) * 1000])

    def operation(name: str, work: Callable[[Path], object], **how: Any) -> Scenario:
        return Scenario(name=name, variant=variant, operation=work, look=look, **how)

    yield operation("add", lambda root: _write(opened(root), ESSAY, NEW))
    yield operation("add several", add_several)
    yield operation(
        "replace", lambda root: _write(opened(root), ESSAY, NEW), prepare=old
    )
    yield operation(
        "copy", lambda root: opened(root).copy(ESSAY, OTHERS[-1]), prepare=old
    )
    yield operation(
        "remove",
        lambda root: opened(root).remove(ESSAY),
        prepare=old,
        again=("FileNotFound",),
    )
    yield operation(
        "save", lambda root: _save_once(opened(root), "a/essay", File(BytesIO(NEW)))
    )
    yield operation(
        "save over",
        lambda root: opened(root, allow_overwrite=True).save(
            "essay", File(BytesIO(NEW))
        ),
        prepare=old,
    )
    yield operation("delete", lambda root: opened(root).delete("essay"), prepare=old)


def _of_files() -> Iterator[Scenario]:
    """Yield what is done below the stores: moves, and uploads that go on."""

    def policy(root: Path) -> fsops.Policy:
        return fsops.Policy(root=root)

    def old(root: Path) -> None:
        (root / "source").write_bytes(OLD)

    def neither(view: View) -> str | None:
        return None if view else "the file has no name any more"

    yield Scenario(
        name="move",
        variant="fsops",
        prepare=old,
        operation=lambda root: fsops.move(
            root / "source", root / "a/target", policy(root)
        ),
        look=_files,
        broken=neither,
        again=("FileNotFoundError",),
    )

    def append(root: Path) -> None:
        with fsops.exclusive(root / "source") as file:
            fsops.append(file, len(OLD), [NEW[:1000], NEW[1000:]], policy(root))

    def appended(root: Path) -> View:
        content = (root / "source").read_bytes()
        rest = "whole" if content[len(OLD) :] == NEW else "not answered for"
        return {"source": content[: len(OLD)], "what was appended": rest}

    yield Scenario(
        name="append",
        variant="fsops",
        prepare=old,
        operation=append,
        look=appended,
        in_place=lambda name: True,
    )


def _look_into(opened: Callable[[Path], FileSystemStorage]) -> Callable[[Path], View]:
    """Return how to list all that a storage has."""

    def look(root: Path) -> View:
        return dict(_listed(opened(root), ""))

    return look


def _listed(storage: FileSystemStorage, folder: str) -> Iterator[tuple[str, bytes]]:
    folders, files = storage.listdir(folder)
    for name in files:
        path = f"{folder}/{name}" if folder else name
        with storage.open(path) as file:
            yield path, file.read()
    for name in folders:
        yield from _listed(storage, f"{folder}/{name}" if folder else name)


def _files(root: Path) -> View:
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def _write(store: FsDeliveryStore, file: Address, data: bytes) -> None:
    with store.write_open(file) as new:
        new.write(data)


def _save_once(store: FsDeliveryStore, name: str, content: File) -> None:
    """Save unless that has been done: a second save would get another name."""
    if not store.exists(name):
        store.save(name, content)
