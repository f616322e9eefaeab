"""Keys as names of files, and back."""

from __future__ import annotations

import hashlib
import re

from deliverystore.kvstore.journal import PREFIX_LENGTH

# Longer names would not leave room, in the 255 bytes of a file system, for ".metadata"
# and for what comes before them in the journal.
_LONGEST = 255 - len(".metadata") - PREFIX_LENGTH
_LONG = re.compile("%~[0-9a-f]{64}")
# A slash begins another folder, % begins an escape, a dot at the start hides a file;
# control characters make lists of files unreadable.
_ESCAPED = re.compile("^[.]|[/%\x00-\x1f\x7f]")
_ESCAPE = re.compile("%([0-9A-F]{2})")
_EMPTY = "%"
# So Python shows bytes in names of files that are no UTF-8.
_SURROGATE = re.compile("[\ud800-\udfff]")


def name_of(key: str) -> str:
    """Return the name, without its suffix, of the files of a key.

    That of an ordinary key is the key itself. A name that is too long is replaced by a
    digest, from which is_long() knows that the key has to be kept in a file.
    """
    name = _ESCAPED.sub(_escaped, key) or _EMPTY
    if len(name) * 4 > _LONGEST and len(name.encode()) > _LONGEST:
        return f"%~{hashlib.sha256(key.encode()).hexdigest()}"
    return name


def is_long(name: str) -> bool:
    """Tell whether a name is a digest of its key."""
    return name.startswith("%~") and _LONG.fullmatch(name) is not None


def key_of(name: str) -> str | None:
    """Return the key of a name that is no digest; None if no key has this name."""
    if not name.isascii() and _SURROGATE.search(name):
        return None
    key = "" if name == _EMPTY else _ESCAPE.sub(_unescaped, name)
    return key if name_of(key) == name else None


def _escaped(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))
