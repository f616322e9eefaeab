"""What a process did to files, as far as a power cut can undo it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# A file or a folder, by a number that is never used again.
Node = int
# What is below a folder, by its path from there: content, or None for a folder.
Tree = dict[str, bytes | None]


@dataclass(frozen=True, kw_only=True)
class Written:
    """Bytes were written to a file, from offset on."""

    node: Node
    offset: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A file was given another size."""

    node: Node
    size: int


@dataclass(frozen=True, kw_only=True)
class Synced:
    """The content of a file, or the entries of a folder, were synced; None: all."""

    node: Node | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Named:
    """A folder got an entry; moved says that a Dropped of the old name follows."""

    folder: Node
    name: str
    node: Node
    is_new: bool = False
    moved: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Dropped:
    """A folder lost an entry; moved says that this was the second half of a rename."""

    folder: Node
    name: str
    node: Node
    moved: bool = False


Event = Written | Cut | Synced | Named | Dropped


def read_tree(root: Path) -> Tree:
    """Return what is below a folder now."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
    }


def write_tree(tree: Tree, root: Path) -> None:
    """Make what is below an empty folder."""
    for name in sorted(tree):
        content, path = tree[name], root / name
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)


WRITES = {
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range",
    "sendfile", "splice",
}  # fmt: skip
UPDATES = WRITES | {
    "open", "openat", "creat", "truncate", "ftruncate", "mkdir", "mkdirat", "rmdir",
    "unlink", "unlinkat", "link", "linkat", "rename", "renameat", "renameat2",
    "fsync", "fdatasync", "syncfs", "sync",
}  # fmt: skip
