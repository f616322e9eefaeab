"""Compare a receipt with what is stored."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deliverystore.exceptions import ReceiptInvalid
from deliverystore.models import Condition
from deliverystore.verification import ReceiptReport, read_receipt, verify_receipt


class Command(BaseCommand):
    help = "Say of each file of a receipt whether it is stored as the receipt says."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a receipt as JSON")

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            with file.open("rb") as opened:
                report = verify_receipt(read_receipt(opened))
        except (OSError, ReceiptInvalid) as error:
            raise CommandError(f"{file}: {error}", returncode=2) from error
        self._print(report)
        if not report.agrees:
            raise CommandError("The receipt and what is stored do not agree.")

    def _print(self, report: ReceiptReport) -> None:
        receipt = report.receipt
        parts = [f"delivery {receipt['number']}"]
        for word, key in (("to", "recipient"), ("by", "user")):
            if receipt[key] is not None:
                parts.append(f"{word} {receipt[key]}")
        self.stdout.write(f"{' '.join(parts)}, {receipt['time_of_delivery']}")
        for line in report.lines:
            good = line.condition is Condition.INTACT
            style = self.style.SUCCESS if good else self.style.ERROR
            condition = style(f"{line.condition.label:<8}")
            self.stdout.write(f"  {condition}  {line.size:>15,} bytes  {line.filename}")
