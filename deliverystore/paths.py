"""Rules for names that come from outside: pure functions, no disk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from deliverystore.exceptions import InvalidName

MAX_FILENAME_LENGTH = 255
TEMPORARY_PREFIX = ".deliverystore-"

# Control characters, lone surrogates, line and paragraph separators, and the characters
# that turn the direction of text (Unicode TR 36, 3.3), with which "exe.txt" can
# be made out of "txt.exe". Joiners stay: emoji and several scripts need them.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff]"
)


def clean_filename(filename: str) -> str:
    """Return the filename of a handed-in file in NFC, or refuse it.

    Raise InvalidName if it is no plain name of 1 to 255 characters.
    """
    name = unicodedata.normalize("NFC", filename)
    if not name.strip() or name in {".", ".."}:
        raise InvalidName(f"{filename!r} is no filename.")
    if "/" in name or "\\" in name:
        raise InvalidName(f"{filename!r} names a folder; give the bare filename.")
    if found := _UNPRINTABLE.search(name):
        raise InvalidName(
            f"{filename!r} contains U+{ord(found[0]):04X}, which cannot be shown; "
            "rename the file."
        )
    if len(name) > MAX_FILENAME_LENGTH:
        raise InvalidName(
            f"{name[:40]!r}… has {len(name)} characters; "
            f"at most {MAX_FILENAME_LENGTH} are allowed."
        )
    return name


def name_key(filename: str) -> str:
    """Return what two filenames share when a person would take them for one.

    The caseless match of the Unicode standard (section 3.13, D145).
    """
    decomposed = unicodedata.normalize("NFD", filename)
    return unicodedata.normalize("NFC", decomposed.casefold())


def clean_name(name: str) -> str:
    """Return a storage name (parts joined by "/") without detours, or refuse it.

    Raise InvalidName if it is absolute, leaves its folder, contains NUL, or is
    reserved for temporary files.
    """
    posix = name.replace("\\", "/")
    path = PurePosixPath(posix)
    if path.is_absolute() or ".." in path.parts:
        raise InvalidName(f"{name!r} leaves the folder of the store.")
    if not path.parts or "\x00" in name:
        raise InvalidName(f"{name!r} is no name of a stored file.")
    if any(is_temporary(part) for part in path.parts):
        raise InvalidName(f"{name!r} is reserved for temporary files.")
    return str(path)


def is_temporary(part: str) -> bool:
    """Tell whether a name in a folder belongs to a file that is being written."""
    return part.startswith(TEMPORARY_PREFIX)


def extension(filename: str) -> str:
    """Return the last extension in lower case with its dot, or ""."""
    return PurePosixPath(filename).suffix.lower()


def unique_filenames(filenames: Iterable[str]) -> Iterator[str]:
    """Yield each filename, numbered where a person would take two for one."""
    taken: set[str] = set()
    for filename in filenames:
        path = PurePosixPath(filename)
        candidate, count = filename, 1
        while name_key(candidate) in taken:
            count += 1
            candidate = f"{path.stem} ({count}){path.suffix}"
        taken.add(name_key(candidate))
        yield candidate
