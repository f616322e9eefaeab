"""Filepaths: lists of parts, such as ["dir1", "dir2", "file.jpg"]; no disk."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import PurePosixPath

from deliverystore.exceptions import InvalidFilepath
from deliverystore.paths import portable_filename

Filepath = Sequence[str]


def clean_listy_filepath(filepath: Filepath) -> list[str]:
    """Return a filepath each part of which is the name of a file or a folder.

    Slashes, and what some system refuses, become underscores; letters of any script
    stay. Raise InvalidFilepath if nothing is left of a part, or there is none.
    """
    if isinstance(filepath, str) or not filepath:
        raise InvalidFilepath(f"{filepath!r} is no list of parts.")
    return [_clean(part, filepath) for part in filepath]


def name_of(filepath: Filepath) -> str:
    """Return the storage name of a filepath. Raise InvalidFilepath."""
    return "/".join(clean_listy_filepath(filepath))


def filepath_of(name: str) -> list[str]:
    """Return the filepath of a storage name."""
    return name.split("/")


def with_token(name: str) -> str:
    """Return a storage name that nobody else ever uses: "a/b.jpg", "a/b_3f….jpg"."""
    path = PurePosixPath(name)
    token = secrets.token_hex(8)
    last = portable_filename(f"{path.stem[:100]}_{token}{path.suffix}")
    return str(path.with_name(last))


def _clean(part: str, filepath: Filepath) -> str:
    # A dot at its beginning hides a file, and begins our temporary ones.
    bare = part.strip("/").strip().lstrip(".").strip()
    clean = portable_filename(bare).rstrip(". ").replace(" ", "_") if bare else ""
    if not clean.strip("_. "):
        raise InvalidFilepath(f"Nothing is left of the part {part!r} of {filepath!r}.")
    return clean
