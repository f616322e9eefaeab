"""Names of files in a spool, which say how often they were claimed, by whom, till when.

"essay.txt" has never been claimed. While it is, it is called
"essay.txt.~2-a1b2c3d4e5f60718-0199f3c2a10~": the second attempt, its token, and the end
of its lease in milliseconds since 1970. Given back, it loses the end of the lease. The
token makes every one of these names the only one of its kind, so that a file can be
renamed to it without a look at what is there. Pure functions; no disk.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, replace
from pathlib import PurePath

from deliverystore.exceptions import InvalidName
from deliverystore.paths import last_part

# File systems take 255 bytes; what a claim adds must fit in.
MAX_BYTES = 200
_LIMIT = 255
_MOST_ATTEMPTS = 999_999
_MARK = re.compile(
    r"(?P<filename>.+)\.~(?P<attempts>[0-9]{1,6})-(?P<token>[0-9a-f]{16})"
    r"(?:-(?P<until>[0-9a-f]{11}))?~",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SpoolName:
    """What the name of a file in a spool says.

    attempts is how often it was claimed, the claim that it is in included. until is
    the end of the lease in seconds since 1970, None while nobody has it.
    """

    filename: str
    attempts: int = 0
    token: str = ""
    until: float | None = None

    def __str__(self) -> str:
        if not self.token:
            return self.filename
        end = "" if self.until is None else f"-{int(self.until * 1000):011x}"
        return f"{self.filename}.~{self.attempts}-{self.token}{end}~"

    def claimed(self, until: float) -> SpoolName:
        """Return the name for one more claim, with a token of its own."""
        return SpoolName(
            filename=self.filename,
            attempts=min(self.attempts + 1, _MOST_ATTEMPTS),
            token=secrets.token_hex(8),
            until=until,
        )

    def given_back(self, *, counted: bool) -> SpoolName:
        """Return the name for a file that nobody has, its attempt counted or not."""
        attempts = self.attempts if counted else self.attempts - 1
        return replace(self, attempts=attempts, until=None)

    @property
    def fits(self) -> bool:
        """Whether file systems take a name of this length."""
        return len(os.fsencode(str(self))) <= _LIMIT


def parse(name: str) -> SpoolName:
    """Return what a name in a section says."""
    if not name.endswith("~") or (match := _MARK.fullmatch(name)) is None:
        return SpoolName(filename=name)
    end = match["until"]
    return SpoolName(
        filename=match["filename"],
        attempts=int(match["attempts"]),
        token=match["token"],
        until=None if end is None else int(end, 16) / 1000,
    )


def new_name(filename: str) -> str:
    """Return the name of a new file, without its leading folders.

    Raise InvalidName if it is none, is hidden, has more than 200 bytes, or looks like
    that of a claim.
    """
    name = last_part(filename)
    try:
        length = len(os.fsencode(name))
    except UnicodeEncodeError as error:
        raise InvalidName(f"{name!r} cannot be the name of a file: {error}") from error
    if is_hidden(name):
        raise InvalidName(f"{name!r} is hidden: such files are never claimed.")
    if length > MAX_BYTES:
        raise InvalidName(
            f"{name[:40]!r}… has more than {MAX_BYTES} bytes; a claim adds some."
        )
    if _MARK.fullmatch(name):
        raise InvalidName(f"{name!r} looks like the name of a claim; choose another.")
    return name


def shortened(name: str) -> str:
    """Return a name, unlike any other, for a file whose own is too long.

    The extension stays: programs and limits go by it.
    """
    filename = parse(name).filename
    extension = PurePath(filename).suffix
    if len(os.fsencode(extension)) >= MAX_BYTES:
        extension = ""
    stem = filename.removesuffix(extension)
    while len(os.fsencode(stem + extension)) > MAX_BYTES:
        stem = stem[:-1]
    return str(SpoolName(filename=stem + extension, token=secrets.token_hex(8)))


def is_hidden(name: str) -> bool:
    """Tell whether a file is not for claims: programs hide their temporary ones."""
    return name.startswith(".")
