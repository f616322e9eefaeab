"""Abandon deliveries that were left open, and remove bytes that no row names."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from deliverystore import sweeping


class Command(BaseCommand):
    help = (
        "Abandon deliveries that are open longer than DELIVERY_STORE_ABANDON_AFTER; "
        "remove bytes whose rows were deleted longer than DELIVERY_STORE_GRACE ago."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, do nothing"
        )

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        swept = sweeping.preview() if dry_run else sweeping.sweep()
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{swept.deliveries:,} open deliveries {would}abandoned, "
            f"{swept.uploads:,} expired uploads and the bytes of {swept.files:,} files "
            f"{would}removed."
        )
