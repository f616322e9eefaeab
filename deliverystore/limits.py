"""What may be handed in: how much, how many, and of which kinds."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch

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


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How many bytes one file may still have, and which limit says so."""

    bytes: int
    error: type[LimitExceeded]
    reason: str

    def check(self, filename: str, size: int) -> None:
        """Raise the limit's error if a file of this size is too much."""
        if size > self.bytes:
            raise self.error(f"{filename!r} is refused: {self.reason}.")


def check_filename(filename: str) -> None:
    """Raise ExtensionNotAllowed if files that end like this are not taken."""
    allowed = conf.DELIVERY_STORE_ALLOWED_EXTENSIONS
    if allowed is not None and paths.extension(filename) not in allowed:
        raise ExtensionNotAllowed(
            f"{filename!r} is refused: only {', '.join(allowed)} can be handed in."
        )


def check_count(file_count: int) -> None:
    """Raise TooManyFiles if a delivery may not have so many files."""
    limit = conf.DELIVERY_STORE_MAX_FILES
    if limit is not None and file_count > limit:
        raise TooManyFiles(f"A delivery can have at most {limit} files.")


def check_delivery_size(size: int) -> None:
    """Raise DeliveryTooLarge if all files of a delivery are too many bytes."""
    limit = conf.DELIVERY_STORE_MAX_DELIVERY_BYTES
    if limit is not None and size > limit:
        raise DeliveryTooLarge(f"A delivery can have at most {limit:,} bytes.")


def check_quota(user: object, used: int) -> None:
    """Raise QuotaExceeded if a user may not have handed in so many bytes."""
    quota = conf.DELIVERY_STORE_USER_QUOTA_BYTES
    if quota is not None and used > quota:
        raise QuotaExceeded(
            f"{user} can hand in at most {quota:,} bytes, all deliveries together."
        )


def allowance(
    delivery_size: int, used_by_user: int | None = None, *, added: int = 0
) -> Allowance:
    """Return what the next file of a delivery may have, by the narrowest limit.

    All in bytes: of the delivery, of all deliveries of the user (None: no quota), and
    of the files that were just added and that neither of them counts yet.
    """
    return min(
        _allowances(delivery_size + added, used_by_user, added),
        key=lambda allowance: allowance.bytes,
        default=Allowance(bytes=2**63 - 1, error=FileTooLarge, reason="too large"),
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
            f"{filename!r} is refused: its content is {' or '.join(sorted(found))}; "
            f"only {', '.join(allowed)} can be handed in."
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
    return types or {"text/plain" if _is_text(head) else "application/octet-stream"}


def content_type_of(filename: str) -> str:
    """Return the MIME type that a filename speaks for; it proves nothing."""
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _allowances(
    delivery_size: int, used_by_user: int | None, added: int
) -> Iterator[Allowance]:
    if (limit := conf.DELIVERY_STORE_MAX_FILE_BYTES) is not None:
        reason = f"a file can have at most {limit:,} bytes"
        yield Allowance(bytes=limit, error=FileTooLarge, reason=reason)
    if (limit := conf.DELIVERY_STORE_MAX_DELIVERY_BYTES) is not None:
        reason = f"a delivery can have at most {limit:,} bytes"
        yield Allowance(
            bytes=limit - delivery_size, error=DeliveryTooLarge, reason=reason
        )
    limit = conf.DELIVERY_STORE_USER_QUOTA_BYTES
    if limit is not None and used_by_user is not None:
        reason = f"{limit:,} bytes are the quota of one user, all deliveries together"
        left = limit - used_by_user - added
        yield Allowance(bytes=left, error=QuotaExceeded, reason=reason)


def _is_text(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The head may end in the middle of a character.
        if error.start < len(head) - 3:
            return False
    return b"\x00" not in head
