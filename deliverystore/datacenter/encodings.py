"""The encodings in which a table may be written: declared, or offered to a person."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deliverystore.datacenter.problems import Code, Problem
from deliverystore.exceptions import TableUnreadable

# What may be declared, the more common ones first. In all of them a byte 10 or 13
# (UTF-16: a unit) is a line end and nothing else, and no line needs the one before
# it, so that reading can begin at any record.
ENCODINGS = (
    *("utf-8", "utf-16-le", "utf-16-be", "ascii"),
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("cp1257", "cp1258", "iso8859-15", "iso8859-1", "iso8859-2", "iso8859-5"),
    *("iso8859-7", "iso8859-9", "koi8-r", "koi8-u", "mac-roman", "cp850", "cp437"),
    *("cp852", "cp866", "cp932", "shift_jis", "euc_jp", "gb18030", "gbk", "big5"),
    *("cp950", "cp949", "euc_kr", "cp874", "tis-620"),
)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAME = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}

OFFERS = 4
PREVIEW_CHARACTERS = 200
# By so much of what is no text it is told.
SAMPLE_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How the bytes of one file become lines of text; mark is its BOM's length."""

    codec: str
    mark: int = 0

    @property
    def width(self) -> int:
        """How many bytes a line end of one character has."""
        return 2 if self.codec.startswith("utf-16") else 1

    def whole(self, raw: bytes) -> bytes:
        """Return the lines of raw that are whole, whatever follows.

        What ends with a CR is not: an LF may follow.
        """
        if self.width == 1 and (cut := raw.rfind(b"\n") + 1):
            return raw[:cut]
        lines = self.split(raw)
        if lines and not self.ends(lines[-1], "\n"):
            lines.pop()
        return b"".join(lines)

    def split(self, raw: bytes) -> list[bytes]:
        """Return the lines of raw with their ends: LF, CR LF or CR, also mixed."""
        if self.width == 1:
            # That of bytes, unlike that of str, knows no other line ends.
            return raw.splitlines(keepends=True)
        whole = len(raw) - len(raw) % self.width
        text = raw[:whole].decode(self.codec, "surrogatepass")
        pieces = io.StringIO(text, newline="")
        lines = [piece.encode(self.codec, "surrogatepass") for piece in pieces]
        if lines and not self.ends(lines[-1], "\n") and not self.ends(lines[-1], "\r"):
            lines[-1] += raw[whole:]
        elif whole < len(raw):
            lines.append(raw[whole:])
        return lines

    def ends(self, line: bytes, character: str) -> bool:
        """Tell whether a line ends with a character."""
        return line.endswith(character.encode(self.codec))


def encoding_of(head: bytes, declared: str | None) -> Encoding:
    """Return the encoding of a file by its first bytes: its BOM, else as declared.

    Without either it is UTF-8. Raise TableUnreadable if what is declared is not one
    of ENCODINGS.
    """
    codec = _known(declared or "utf-8")
    mark = b""
    for bom, name in _MARKS:
        if head.startswith(bom):
            codec, mark = name, bom
    return Encoding(codec=codec, mark=len(mark))


def _known(declared: str) -> str:
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):  # ValueError: a name with a NUL
        name = declared
    name = _SAME.get(name, name)
    if name not in ENCODINGS:
        raise TableUnreadable(
            Problem(code=Code.ENCODING_UNKNOWN, params={"encoding": declared})
        )
    return name


# -- Offers ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """An encoding, and how the first bad line would look in it."""

    encoding: str
    preview: str


def offers(lines: Iterable[bytes], head: bytes) -> list[Offer]:
    """Return the encodings in which lines are text, the likelier ones first.

    head is the beginning of the file. Without the extra "encodings" only UTF-16 is
    recognised.
    """
    if found := _sixteen(head):
        return found
    sample = list(_within(lines))
    looks: dict[str, Offer] = {}
    for encoding in _likely(b"".join(sample)):
        preview = _shown(sample[0].decode(encoding, "replace"))
        # Of those in which the line looks the same, the commonest is enough.
        looks.setdefault(preview, Offer(encoding=encoding, preview=preview))
    return list(looks.values())[:OFFERS]


def _sixteen(head: bytes) -> list[Offer]:
    """Offer UTF-16 if bytes are NUL, as those of commas and line ends are in it."""
    if head.count(0) <= len(head) / 50:
        return []
    for codec in ("utf-16-le", "utf-16-be"):
        text = head[: len(head) // 2 * 2].decode(codec, "replace")
        # A character may be cut at the end.
        is_text = "\0" not in text and "\ufffd" not in text[:-1]
        if is_text and "\n" in text:
            return [Offer(encoding=codec, preview=_shown(text.splitlines()[0]))]
    return []


def _shown(line: str) -> str:
    return line.rstrip("\r\n")[:PREVIEW_CHARACTERS]


def _within(lines: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for line in lines:
        size += len(line)
        if size <= SAMPLE_BYTES:
            yield line


def _likely(sample: bytes) -> list[str]:
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return []
    if not sample:
        return []
    ranks = {name.replace("-", "_"): rank for rank, name in enumerate(ENCODINGS)}
    del ranks["utf_8"], ranks["ascii"]
    matches = from_bytes(sample, cp_isolation=list(ranks))
    rated = [
        (match.chaos, -match.coherence, ranks[name])
        for match in matches
        for name in match.could_be_from_charset
        if name in ranks
    ]
    return [ENCODINGS[rank] for _chaos, _coherence, rank in sorted(rated)]
