"""Receipts compared with what is stored today."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from deliverystore.exceptions import ReceiptInvalid
from deliverystore.models import Condition, Delivery, FileMeta
from deliverystore.models.access import User
from deliverystore.models.receipt import check_signature, content

logger = logging.getLogger(__name__)

# A receipt of thousands of files is still smaller.
_MAX_RECEIPT_BYTES = 16 * 1024 * 1024


class Stopped(Exception):
    """Raised by who is told of the progress, to have no more files read."""


@dataclass(frozen=True, kw_only=True)
class ReceiptLine:
    """One file of a receipt, in which condition it is now and, if unreadable, why."""

    filename: str
    size: int
    digest: str
    condition: Condition
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ReceiptReport:
    """A receipt that was signed here, file by file; delivery is None if it is gone.

    changed has the keys of the receipt for which the delivery says something else now.
    unread counts the files that were not looked at, because it was stopped.
    """

    receipt: Mapping[str, Any]
    delivery: Delivery | None
    lines: list[ReceiptLine]
    changed: list[str]
    unread: int = 0

    @property
    def agrees(self) -> bool:
        """Whether everything is stored as the receipt says."""
        intact = all(line.condition is Condition.INTACT for line in self.lines)
        exists = self.delivery is not None
        return exists and intact and not self.changed and not self.unread

    def as_json(self, *, reasons: bool = False) -> dict[str, Any]:
        """Return the report as a JSON-able dict.

        The reasons, which may name paths of the server, are for its staff.
        """
        keys = ("delivery", "number", "recipient", "user", "time_of_delivery")
        return {
            **{key: self.receipt[key] for key in keys},
            "exists": self.delivery is not None,
            "agrees": self.agrees,
            "changed": self.changed,
            "unread": self.unread,
            "files": [
                {
                    "name": line.filename,
                    "size": line.size,
                    "digest": line.digest,
                    "condition": line.condition.value,
                    **({"reason": line.reason} if reasons else {}),
                }
                for line in self.lines
            ],
        }


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What reading files has shown; unread counts those for which there was no time."""

    intact: int
    problems: Sequence[tuple[FileMeta, Condition]]
    unread: int


def verify_deliveries(
    deliveries: Iterable[Delivery], user: User, *, seconds: float = math.inf
) -> Verification:
    """Read every file of deliveries; begin none after so many seconds.

    Raise NotPermitted, before anything is read, unless the user may verify them all.
    """
    deliveries = list(deliveries)
    for delivery in deliveries:
        delivery.check_permission(user, "verify")
    files = (file for delivery in deliveries for file in delivery.files.all())
    return verify_files(files, seconds=seconds)


def verify_files(
    files: Iterable[FileMeta], *, seconds: float = math.inf
) -> Verification:
    """Read files, but those still being received; begin none after so many seconds."""
    end = time.monotonic() + seconds
    intact, unread = 0, 0
    problems: list[tuple[FileMeta, Condition]] = []
    for file in files:
        if not file.is_complete:
            continue
        if time.monotonic() > end:
            unread += 1
        elif (condition := file.verify()) is Condition.INTACT:
            intact += 1
        else:
            problems.append((file, condition))
    return Verification(intact=intact, problems=problems, unread=unread)


def read_receipt(file: IO) -> Mapping[str, Any]:
    """Return the receipt in an open JSON file, its signature checked.

    Raise ReceiptInvalid if it is none, or was changed.
    """
    text = file.read(_MAX_RECEIPT_BYTES + 1)
    if len(text) > _MAX_RECEIPT_BYTES:
        raise ReceiptInvalid("The file is too large to be a receipt.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReceiptInvalid("The file is no receipt: it is not JSON.") from error
    return check_signature(document)


def delivery_of(receipt: Mapping[str, Any]) -> Delivery | None:
    """Return the finished delivery that a checked receipt is about, if it exists."""
    return Delivery.objects.finished().filter(pk=receipt["delivery"]).first()


def verify_receipt_for(receipt: Mapping[str, Any], user: User) -> ReceiptReport:
    """Do as verify_receipt; raise NotPermitted unless the user may view all of it."""
    if (delivery := delivery_of(receipt)) is not None:
        delivery.check_permission(user, "view")
    report = verify_receipt(receipt)
    for line in report.lines:
        if line.condition is Condition.UNREADABLE:
            text = "%s of delivery %s cannot be read: %s"
            logger.error(text, line.filename, receipt["delivery"], line.reason)
    return report


def verify_receipt(
    receipt: Mapping[str, Any], advance: Callable[[int], object] = int
) -> ReceiptReport:
    """Read the files of a checked receipt and compare them with what it says.

    advance is told how many more bytes were read; it may raise Stopped.
    """
    delivery = delivery_of(receipt)
    files = {} if delivery is None else {f.filename: f for f in delivery.files.all()}
    lines: list[ReceiptLine] = []
    with suppress(Stopped):
        for entry in receipt["files"]:
            advance(0)
            lines.append(_line(entry, files.get(entry["name"]), advance))
    now = {} if delivery is None else content(delivery)
    changed = [key for key, value in now.items() if receipt.get(key) != value]
    return ReceiptReport(
        receipt=receipt,
        delivery=delivery,
        lines=lines,
        changed=changed,
        unread=len(receipt["files"]) - len(lines),
    )


def _line(
    entry: Mapping[str, Any], file: FileMeta | None, advance: Callable[[int], object]
) -> ReceiptLine:
    condition, error = _condition(entry, file, advance)
    return ReceiptLine(
        filename=entry["name"],
        size=entry["size"],
        digest=entry["digest"],
        condition=condition,
        reason=str(error) if condition is Condition.UNREADABLE else "",
    )


def _condition(
    entry: Mapping[str, Any], file: FileMeta | None, advance: Callable[[int], object]
) -> tuple[Condition, Exception | None]:
    if file is None:
        return Condition.MISSING, None
    if (file.size, file.digest) != (entry["size"], entry["digest"]):
        return Condition.DAMAGED, None
    return file.examine(advance)
