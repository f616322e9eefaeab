"""What may be handed in: how much, how many, and of which kinds."""

from __future__ import annotations

import codecs
import mimetypes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore import paths
from deliverystore.conf import conf
from deliverystore.exceptions import (
    DeliveryTooLarge,
    ExtensionNotAllowed,
    FileTooLarge,
    LimitExceeded,
    MissingExtra,
    QuotaExceeded,
    TooManyFiles,
    TypeNotAllowed,
)

# How much of a file its type is recognised by.
SNIFFED_BYTES = 8192
# The confidence of a match of two bytes, with which a sentence may well begin.
_ACCIDENTAL = 0.2


_REASONS = {
    FileTooLarge: _("a file can have at most %(limit)s bytes"),
    DeliveryTooLarge: _("a delivery can have at most %(limit)s bytes in all"),
    QuotaExceeded: _("a user can hand in at most %(limit)s bytes in all deliveries"),
}


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How many bytes one file may still have, and the limit that says so."""

    bytes: int
    limit: int
    error: type[LimitExceeded]

    def check(self, filename: str, size: int) -> None:
        """Raise the limit's error if a file of this size is too much."""
        if size > self.bytes:
            reason = _REASONS[self.error] % {"limit": f"{self.limit:,}"}
            raise self.error(
                gettext("%(filename)r is refused: %(reason)s.")
                % {"filename": filename, "reason": reason}
            )


# More than any file system takes.
_UNLIMITED = Allowance(bytes=2**63 - 1, limit=2**63 - 1, error=FileTooLarge)


def check_filename(filename: str) -> None:
    """Raise ExtensionNotAllowed if files that end like this are not taken."""
    allowed = conf.DELIVERY_STORE_ALLOWED_EXTENSIONS
    if allowed is not None and paths.extension(filename) not in allowed:
        raise ExtensionNotAllowed(
            gettext("%(filename)r is refused: only %(allowed)s can be handed in.")
            % {"filename": filename, "allowed": ", ".join(allowed)}
        )


def check_count(file_count: int) -> None:
    """Raise TooManyFiles if a delivery may not have so many files."""
    limit = conf.DELIVERY_STORE_MAX_FILES
    if limit is not None and file_count > limit:
        raise TooManyFiles(
            gettext("A delivery can have at most %(limit)d files.") % {"limit": limit}
        )


def check_delivery_size(size: int) -> None:
    """Raise DeliveryTooLarge if all files of a delivery are too many bytes."""
    _check_total(size, conf.DELIVERY_STORE_MAX_DELIVERY_BYTES, DeliveryTooLarge)


def check_quota(used: int) -> None:
    """Raise QuotaExceeded if one user may not have handed in so many bytes."""
    _check_total(used, conf.DELIVERY_STORE_USER_QUOTA_BYTES, QuotaExceeded)


def allowance(
    delivery_size: int, used_by_user: int | None = None, *, added: int = 0
) -> Allowance:
    """Return what the next file of a delivery may have, by the narrowest limit.

    All in bytes: of the delivery, of all deliveries of the user (None: no quota), and
    of the files that were just added and that neither of them counts yet.
    """
    return min(
        _allowances(delivery_size, used_by_user, added),
        key=lambda allowance: allowance.bytes,
        default=_UNLIMITED,
    )


def check_chunks(
    filename: str, chunks: Iterable[bytes], allowance: Allowance
) -> Iterator[bytes]:
    """Pass chunks on as long as their type and their total size are allowed.

    Raise the LimitExceeded of what is exceeded, before the chunk is passed on.
    """
    size = 0
    head = b""
    sniffing = conf.DELIVERY_STORE_ALLOWED_TYPES is not None
    for chunk in chunks:
        size += len(chunk)
        allowance.check(filename, size)
        if sniffing:
            head += chunk
            if len(head) < SNIFFED_BYTES:
                continue
            check_type(filename, head[:SNIFFED_BYTES])
            sniffing, chunk = False, head
        yield chunk
    if sniffing:
        check_type(filename, head)
        if head:
            yield head


def check_type(filename: str, head: bytes) -> None:
    """Raise TypeNotAllowed if the first bytes are of no allowed type."""
    allowed = conf.DELIVERY_STORE_ALLOWED_TYPES
    if allowed is None:
        return
    found = sniff(head)
    if not any(fnmatch(one, pattern) for one in found for pattern in allowed):
        raise TypeNotAllowed(
            gettext(
                "%(filename)r is refused: its content is %(found)s; "
                "only %(allowed)s can be handed in."
            )
            % {
                "filename": filename,
                "found": " / ".join(sorted(found)),
                "allowed": ", ".join(allowed),
            }
        )


def sniff(head: bytes) -> set[str]:
    """Return the MIME types that the first bytes of a file speak for.

    Raise MissingExtra if the package that knows them is not installed.
    """
    try:
        import puremagic
    except ImportError as error:
        raise MissingExtra("DELIVERY_STORE_ALLOWED_TYPES", "sniff") from error
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        matches = []
    best = max((match.confidence for match in matches), default=0)
    types = {m.mime_type for m in matches if m.confidence == best and m.mime_type}
    if not _is_text(head):
        return types or {"application/octet-stream"}
    if best <= _ACCIDENTAL or all(map(_is_plain, types)):
        types.add("text/plain")
    return types


def content_type_of(filename: str) -> str:
    """Return the MIME type that a filename speaks for; it proves nothing."""
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _allowances(
    delivery_size: int, used_by_user: int | None, added: int
) -> Iterator[Allowance]:
    if (limit := conf.DELIVERY_STORE_MAX_FILE_BYTES) is not None:
        yield Allowance(bytes=limit, limit=limit, error=FileTooLarge)
    if (limit := conf.DELIVERY_STORE_MAX_DELIVERY_BYTES) is not None:
        left = limit - delivery_size - added
        yield Allowance(bytes=left, limit=limit, error=DeliveryTooLarge)
    limit = conf.DELIVERY_STORE_USER_QUOTA_BYTES
    if limit is not None and used_by_user is not None:
        left = limit - used_by_user - added
        yield Allowance(bytes=left, limit=limit, error=QuotaExceeded)


def _check_total(total: int, limit: int | None, error: type[LimitExceeded]) -> None:
    if limit is not None and total > limit:
        reason = _REASONS[error] % {"limit": f"{limit:,}"}
        raise error(gettext("Refused: %(reason)s.") % {"reason": reason})


def _is_plain(content_type: str) -> bool:
    """Tell whether a type is text that a browser shows and does not run."""
    kind = content_type.partition("/")[0]
    return kind in {"text", "message"} and content_type != "text/html"


def _is_text(head: bytes) -> bool:
    try:
        # The head may end in the middle of a character: this decoder waits for more.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\x00" not in head
