"""From the system calls of a process to what it did to files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.durability.calls import Call
from tests.durability.events import (
    WRITES,
    Cut,
    Dropped,
    Event,
    Named,
    Node,
    Synced,
    Tree,
    Written,
)

_O_TMPFILE = 0o20000000


class Recorder:
    """Listens to a process that changes what is below a root.

    It looks at a file right after each call, while the process stands still: so what
    was written is read from the file itself.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._numbers = count()
        self._nodes: dict[int, Node] = {}
        # Of each folder: its entries.
        self.folders: dict[Node, dict[str, Node]] = {}
        self.top = self._found(root)
        self.contents: dict[Node, bytes] = {}
        self.before: dict[Node, bytes] = {}
        self._look(root, self.top)
        self.folders_before = {
            node: dict(entries) for node, entries in self.folders.items()
        }
        self.events: list[tuple[Call, Event]] = []

    def see(self, thread: int, call: Call) -> None:
        """Take note of a call that has succeeded."""
        kind = "write" if call.name in WRITES else call.name.removesuffix("64")
        translate = getattr(self, f"_{_SAME.get(kind, kind)}", None)
        if translate is not None:
            self.events += ((call, event) for event in translate(thread, call))

    def tree(self) -> Tree:
        """Return what should be below the root by now."""
        return dict(_walk(self.folders, self.contents, self.top))

    def _look(self, folder: Path, node: Node) -> None:
        self.folders[node] = {}
        for path in folder.iterdir():
            child = self._found(path)
            self.folders[node][path.name] = child
            if path.is_dir():
                self._look(path, child)
            else:
                self.contents[child] = self.before[child] = path.read_bytes()

    def _found(self, path: Path | str) -> Node:
        """Return the node of what is new at a path, whatever had its number before."""
        self._nodes[_number(path)] = node = next(self._numbers)
        return node

    def _known(self, path: Path | str) -> Node:
        return self._nodes[_number(path)]

    def _place(self, path: Path) -> tuple[Node, str]:
        """Return the folder of a path, and its name there."""
        node = self.top
        for part in path.relative_to(self._root).parts[:-1]:
            node = self.folders[node][part]
        return node, path.name

    def _name(
        self, path: Path, node: Node, *, is_new: bool, moved: bool = False
    ) -> Named:
        folder, name = self._place(path)
        self.folders[folder][name] = node
        return Named(folder=folder, name=name, node=node, is_new=is_new, moved=moved)

    def _drop(self, path: Path, *, moved: bool = False) -> Dropped:
        folder, name = self._place(path)
        node = self.folders[folder].pop(name)
        return Dropped(folder=folder, name=name, node=node, moved=moved)

    def _open(self, thread: int, call: Call) -> Iterator[Event]:
        flags = {"open": call.args[1], "openat": call.args[2]}.get(
            call.name, os.O_CREAT | os.O_TRUNC
        )
        file = f"/proc/{thread}/fd/{call.result}"
        if flags & _O_TMPFILE:
            self.contents[self._found(file)] = b""
        elif flags & os.O_CREAT and not self._is_there(call.paths[-1]):
            node = self._found(file)
            self.contents[node] = b""
            yield self._name(call.paths[-1], node, is_new=True)
        elif flags & os.O_TRUNC:
            yield self._resize(self._known(file), 0)

    def _is_there(self, path: Path) -> bool:
        folder, name = self._place(path)
        return name in self.folders[folder]

    def _write(self, thread: int, call: Call) -> Iterator[Event]:
        fd = call.args[call.kind.fds[-1]]
        if not call.result or not call.paths[-1].is_relative_to(self._root):
            return
        file = f"/proc/{thread}/fd/{fd}"
        offset = self._offset(thread, fd, call)
        with open(file, "rb", buffering=0) as written:  # noqa: PTH123
            data = os.pread(written.fileno(), call.result, offset)
        node = self._known(file)
        self.contents[node] = splice(self.contents[node], offset, data)
        yield Written(node=node, offset=offset, data=data)

    @staticmethod
    def _offset(thread: int, fd: int, call: Call) -> int:
        if call.name in {"pwrite64", "pwritev", "pwritev2"}:
            return call.args[3]
        info = Path(f"/proc/{thread}/fdinfo/{fd}").read_text()
        return int(info.split()[1]) - call.result

    def _truncate(self, thread: int, call: Call) -> Iterator[Event]:
        yield self._resize(self._known(call.paths[0]), call.args[1])

    def _ftruncate(self, thread: int, call: Call) -> Iterator[Event]:
        node = self._known(f"/proc/{thread}/fd/{call.args[0]}")
        yield self._resize(node, call.args[1])

    def _resize(self, node: Node, size: int) -> Event:
        self.contents[node] = resize(self.contents[node], size)
        return Cut(node=node, size=size)

    def _mkdir(self, thread: int, call: Call) -> Iterator[Event]:
        node = self._found(call.paths[-1])
        self.folders[node] = {}
        yield self._name(call.paths[-1], node, is_new=True)

    def _link(self, thread: int, call: Call) -> Iterator[Event]:
        target = call.paths[1]
        yield self._name(target, self._known(target), is_new=False)

    def _rename(self, thread: int, call: Call) -> Iterator[Event]:
        source, target = call.paths[:2]
        dropped = self._drop(source, moved=True)
        yield self._name(target, dropped.node, is_new=False, moved=True)
        yield dropped

    def _unlink(self, thread: int, call: Call) -> Iterator[Event]:
        yield self._drop(call.paths[-1])

    def _fsync(self, thread: int, call: Call) -> Iterator[Event]:
        yield Synced(node=self._known(f"/proc/{thread}/fd/{call.args[0]}"))

    def _syncfs(self, thread: int, call: Call) -> Iterator[Event]:
        yield Synced(node=None)


# Calls that do the same to a file as others.
_SAME = {
    "openat": "open", "creat": "open", "mkdirat": "mkdir", "linkat": "link",
    "renameat": "rename", "renameat2": "rename", "unlinkat": "unlink",
    "rmdir": "unlink", "fdatasync": "fsync", "sync": "syncfs",
}  # fmt: skip


def splice(content: bytes, offset: int, data: bytes) -> bytes:
    """Return content with data in its place; a gap is filled with zeros."""
    return content[:offset].ljust(offset, b"\0") + data + content[offset + len(data) :]


def resize(content: bytes, size: int) -> bytes:
    """Return content with another size, cut or filled with zeros."""
    return content[:size].ljust(size, b"\0")


def _number(path: Path | str) -> int:
    return os.stat(path).st_ino  # noqa: PTH116


def _walk(
    folders: dict[Node, dict[str, Node]],
    contents: dict[Node, bytes],
    node: Node,
    prefix: str = "",
) -> Iterator[tuple[str, bytes | None]]:
    for name, child in folders[node].items():
        if child in folders:
            yield prefix + name, None
            yield from _walk(folders, contents, child, f"{prefix}{name}/")
        else:
            yield prefix + name, contents[child]
