"""Classes that apps register, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar


class _Named(Protocol):
    name: str


Class = TypeVar("Class", bound=type[_Named])


def by_name(registered: Iterable[Class]) -> dict[str, Class]:
    """Return classes by their names; of several of one name, the first."""
    found: dict[str, Class] = {}
    for one in registered:
        found.setdefault(name_of(one), one)
    return found


def name_of(one: type[_Named]) -> str:
    """Return the name of a class: its own, or "small" of a SmallProcessor."""
    return one.name or one.__name__.removesuffix("Processor").lower()


def clashes(registered: Iterable[Class]) -> Iterator[tuple[str, list[Class]]]:
    """Yield each name that several classes have, with these."""
    found: dict[str, list[Class]] = {}
    for one in registered:
        found.setdefault(name_of(one), []).append(one)
    return ((name, several) for name, several in found.items() if len(several) > 1)
