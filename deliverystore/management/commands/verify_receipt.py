"""Compare a receipt with what is stored."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from json import dumps
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import CommandError

from deliverystore.management.ending import FAILED, FOUND, EndingCommand, stopped
from deliverystore.management.progress import progress
from deliverystore.management.stopping import on_stop
from deliverystore.models import Condition
from deliverystore.verification import (
    ReceiptReport,
    Stopped,
    read_receipt,
    verify_receipt,
)


class Command(EndingCommand):
    could_not = "Could not verify"
    help = (
        "Say of each file of a receipt whether it is stored as the receipt says. Exit "
        "codes: 0 all agrees, 1 something differs, 2 the receipt cannot be used, or "
        "the command was stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a receipt as JSON")
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document"
        )

    def handle(self, *, file: Path, json: bool, **options: Any) -> None:
        report = _verify(_read(file))
        if json:
            self.stdout.write(dumps(report.as_json(reasons=True)))
        else:
            self._print(report)
        if report.unread:
            raise stopped()
        if report.delivery is None:
            raise CommandError(
                "The delivery of this receipt is gone.", returncode=FOUND
            )
        if not report.agrees:
            text = "The receipt and what is stored do not agree."
            if report.changed:
                text += f" Changed in the delivery: {', '.join(report.changed)}."
            raise CommandError(text, returncode=FOUND)

    def _print(self, report: ReceiptReport) -> None:
        receipt = report.receipt
        parts = [f"delivery {receipt['number']}"]
        for word, key in (("to", "recipient"), ("by", "user")):
            if receipt[key] is not None:
                parts.append(f"{word} {receipt[key]}")
        self.stdout.write(f"{' '.join(parts)}, {receipt['time_of_delivery']}")
        width = max(map(len, Condition.values))
        for line in report.lines:
            good = line.condition is Condition.INTACT
            style = self.style.SUCCESS if good else self.style.ERROR
            condition = style(line.condition.label.ljust(width))
            reason = f": {line.reason}" if line.reason else ""
            self.stdout.write(
                f"  {condition}  {line.size:>15,} bytes  {line.filename}{reason}"
            )
        if report.unread:
            self.stdout.write(f"  not read: {report.unread:,} more")


def _read(file: Path) -> Mapping[str, Any]:
    try:
        with file.open("rb") as opened:
            return read_receipt(opened)
    except Exception as error:
        raise CommandError(f"{file}: {error}", returncode=FAILED) from error


def _verify(receipt: Mapping[str, Any]) -> ReceiptReport:
    """Compare, with a bar, until a signal stops it."""
    stopping = Event()
    total = sum(entry["size"] for entry in receipt["files"])
    with progress(total, unit="bytes") as bar, on_stop(stopping.set):

        def advance(count: int) -> None:
            bar.advance(count)
            if stopping.is_set():
                raise Stopped

        return verify_receipt(receipt, advance)
