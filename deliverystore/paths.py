"""Rules for names that come from outside: pure functions, no disk."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
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

# What separates folders, or is refused, on some system; and the names of devices there.
_NOT_PORTABLE = re.compile(r'[/\\:*?"<>|]')
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE
)
# File systems take 255 bytes; some are left for a number that makes a name unique.
_PORTABLE_BYTES = 240


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


def portable_filename(filename: str) -> str:
    """Return a filename that every system can unpack, and only into its folder."""
    name = _UNPRINTABLE.sub("_", unicodedata.normalize("NFC", filename))
    name = _NOT_PORTABLE.sub("_", name).strip().rstrip(". ")
    if not name or _DEVICE.match(name):
        name = f"_{name}"
    path = PurePosixPath(name)
    suffix = path.suffix if len(path.suffix.encode()) < _PORTABLE_BYTES // 4 else ""
    stem = name.removesuffix(suffix).encode()[: _PORTABLE_BYTES - len(suffix.encode())]
    return stem.decode(errors="ignore") + suffix


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


def clean_folder(name: str) -> str:
    """Return the name of a folder of a store as clean_name does; "" is its root."""
    return "" if PurePosixPath(name) == PurePosixPath() else clean_name(name)


def last_part(path: str) -> str:
    """Return the filename at the end of a path, whose folders do not matter.

    Raise InvalidName if there is none that can be in a folder.
    """
    if not isinstance(path, str):
        raise TypeError(f"{path!r} is no filename.")
    name = path.rpartition("/")[2]
    if name in {"", ".", ".."} or "\x00" in name:
        raise InvalidName(f"{path!r} ends in no filename.")
    return name


def is_temporary(part: str) -> bool:
    """Tell whether a name in a folder belongs to a file that is being written."""
    return part.startswith(TEMPORARY_PREFIX)


def extension(filename: str) -> str:
    """Return what follows the last dot, in lower case and with its dot, or ""."""
    _, dot, last = filename.rpartition(".")
    return f".{last}".lower() if dot and last else ""


def unique_filenames(filenames: Iterable[str]) -> Iterator[str]:
    """Yield each filename, numbered where a person would take two for one."""
    taken: set[str] = set()
    # How often each name came: a thousand equal ones are not numbered from 2 on.
    counts: Counter[str] = Counter()
    for filename in filenames:
        path, key, candidate = PurePosixPath(filename), name_key(filename), filename
        while name_key(candidate) in taken:
            counts[key] += 1
            candidate = f"{path.stem} ({counts[key] + 1}){path.suffix}"
        taken.add(name_key(candidate))
        yield candidate
