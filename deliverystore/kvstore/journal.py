"""The journal of a folder: several files become visible in one step, or not at all.

Files of a step wait in the journal, written and synced, under the names that they are
to get, behind a word that no other step has; a last name, made of a digest of these,
says that the step is decided. The sync of the journal decides it. Then each file gets
its name in the folder, too; the folder is synced, and the journal is cleared. Whoever
finds a decided step, because its process was killed, does it again from the beginning;
one that was not decided is cleared.

The names in the journal stay until the folder is synced, so that a decided step is
complete wherever the power fails. They are cleared without a sync: the next change
syncs the journal before its own step, so an old one cannot come back after a newer one.

Without durability, names come and go in the order of the calls. Then the last name of a
step decides it, files are moved on from the journal, and that one goes last.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from deliverystore import fsops
from deliverystore.paths import TEMPORARY_PREFIX

# So many bytes the names in the journal are longer than those in the folder.
PREFIX_LENGTH = 9
# What comes between the word of a step and a name: the file is to be, or to go; and
# the same of a name that decides a step by being there.
_TO_BE, _TO_GO = "-", "!"
_LASTS = _LAST_TO_BE, _LAST_TO_GO = "+", "*"
_DECIDED = ".decided-"
# Of each file to be: the path of its temporary file, or None if it is to go.
Step = Mapping[str, str | None]


class Journal:
    """Changes files below one folder, for one process at a time."""

    def __init__(self, root: Path, policy: fsops.Policy) -> None:
        self.folder = root / f"{TEMPORARY_PREFIX}journal"
        self._root_path, self._root = root, str(root)
        self._policy = policy
        self._path = str(self.folder)

    def write(self, chunks: Iterable[bytes]) -> str:
        """Write a temporary file, synced, and return its path."""
        return fsops.write_temporary(self.folder, chunks, self._policy)

    def mentions(self, name: str) -> bool:
        """Tell whether a step, decided or not, has a file that begins so."""
        try:
            found = os.listdir(self._path)  # noqa: PTH208 - called very often
        except FileNotFoundError:
            return False
        return bool(found) and any(
            one.startswith(name, PREFIX_LENGTH)
            for one in found
            if not one.startswith(TEMPORARY_PREFIX)
        )

    def is_busy(self) -> bool:
        """Tell whether there is a step, decided or not."""
        return bool(self._names())

    def settle(self) -> None:
        """Wait for who is at it; if that was killed, end what it had decided."""
        with self.alone():
            pass

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other writers out; whatever a killed one has decided is done then."""
        if not os.path.isdir(self._path):  # noqa: PTH112 - called very often
            fsops.make_folders(self.folder, self._policy)
        with fsops.alone_in(self.folder):
            if names := self._names():
                self._end(names)
            yield

    def do(self, step: Step) -> None:
        """Do a step: when this returns, it survives a power cut. Only when alone."""
        word = secrets.token_hex(PREFIX_LENGTH // 2)
        names = {_waiting_name(word, name, one): one for name, one in step.items()}
        if self._policy.durable:
            decided = _decided(names)
            self._announce({**names, decided: None})
            self._apply(names)
            self._clear([decided, *names])
        else:
            deciding = _with_last(names)
            self._announce(deciding)
            self._move_on(deciding)

    def make(self, step: Step) -> None:
        """Do a step of new files that mean nothing without the last one."""
        if self._policy.durable:
            # A sync more than in the journal would be needed.
            self.do(step)
            return
        for name, temporary in step.items():
            fsops.give_name(temporary or "", f"{self._root}/{name}")

    def replace(self, name: str, temporary: str) -> None:
        """Do a step of one file, which needs no journal. Only when alone."""
        self._sync(self.folder)
        fsops.give_name(temporary, f"{self._root}/{name}")
        self._sync(self._root_path)

    def remove(self, first: str, others: Iterable[str]) -> None:
        """Remove a file, then others that mean nothing without it. Only when alone."""
        self._sync(self.folder)
        if fsops.drop(f"{self._root}/{first}"):
            self._sync(self._root_path)
        for name in others:
            fsops.drop(f"{self._root}/{name}")
        self._sync(self._root_path)

    def _announce(self, names: Step) -> None:
        """Let the names of a step be in the journal."""
        try:
            for name, temporary in names.items():
                if temporary is None:
                    fsops.mark(f"{self._path}/{name}")
                else:
                    fsops.give_name(temporary, f"{self._path}/{name}")
            self._sync(self.folder)
        except BaseException:
            # Nothing of it was seen, and nothing will be; what decides it goes first.
            self._clear(reversed(list(names)))
            raise

    def _names(self) -> set[str]:
        try:
            found = os.listdir(self._path)  # noqa: PTH208 - called very often
        except FileNotFoundError:
            return set()
        return {name for name in found if not name.startswith(TEMPORARY_PREFIX)}

    def _end(self, names: set[str]) -> None:
        """Do what was decided by who was killed, and clear what was not."""
        files = {name for name in names if not name.startswith(_DECIDED)}
        if last := [name for name in files if name[PREFIX_LENGTH - 1] in _LASTS]:
            self._move_on([*(files - set(last)), *last])
        elif _decided(files) in names:
            # It may have been decided just before the end, and not synced.
            self._sync(self.folder)
            self._apply(sorted(files))
        # Those that say that something is decided go first.
        self._clear(sorted(names))

    def _apply(self, names: Iterable[str]) -> None:
        for name in names:
            target = f"{self._root}/{_target(name)}"
            if _is_to_go(name):
                fsops.drop(target)
            else:
                fsops.add_name(f"{self._path}/{name}", target)
        self._sync(self._root_path)

    def _move_on(self, names: Iterable[str]) -> None:
        for name in names:
            waiting, target = f"{self._path}/{name}", f"{self._root}/{_target(name)}"
            if _is_to_go(name):
                fsops.drop(target)
                fsops.drop(waiting)
            else:
                fsops.give_name(waiting, target)

    def _clear(self, names: Iterable[str]) -> None:
        for name in names:
            fsops.drop(f"{self._path}/{name}")

    def _sync(self, folder: Path) -> None:
        fsops.sync_folders([folder], self._policy)


def _waiting_name(word: str, name: str, temporary: str | None) -> str:
    return f"{word}{_TO_GO if temporary is None else _TO_BE}{name}"


def _with_last(names: Step) -> Step:
    """Return the same with the last name as one that decides the step."""
    *others, last = names
    word, name = last[: PREFIX_LENGTH - 1], _target(last)
    deciding = f"{word}{_LAST_TO_GO if _is_to_go(last) else _LAST_TO_BE}{name}"
    return {**{name: names[name] for name in others}, deciding: names[last]}


def _target(name: str) -> str:
    return name[PREFIX_LENGTH:]


def _is_to_go(name: str) -> bool:
    return name[PREFIX_LENGTH - 1] in (_TO_GO, _LAST_TO_GO)


def _decided(names: Iterable[str]) -> str:
    """Return the name that says that a step of these names is decided."""
    text = "\0".join(sorted(names))
    return _DECIDED + hashlib.sha256(os.fsencode(text)).hexdigest()
