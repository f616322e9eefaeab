"""Say how many files of a spool wait, are claimed, or have failed."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime, timedelta
from json import dumps
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.timesince import timesince

from deliverystore.management.ending import FAILED, FOUND, EndingCommand
from deliverystore.spool import FileStore, SpoolStatus
from deliverystore.spool.configured import folder_of


class Command(EndingCommand):
    could_not = "Could not look"
    help = (
        "Say how many files of a spool wait, are claimed, or have failed, and how old "
        "the oldest is. It changes nothing. Exit codes: 0 all is well, 1 files have "
        "failed, a lease has ended and nobody gave the file back, or one waits longer "
        "than --max-age; 2 could not look."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", metavar="SPOOL", help="a name in DELIVERY_STORE_SPOOLS, or a path"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document"
        )
        parser.add_argument(
            "--max-age",
            type=float,
            metavar="SECONDS",
            help="end with 1, too, if a file waits longer than that: then nobody "
            "takes it",
        )

    def handle(
        self, *, folder: str, json: bool, max_age: float | None, **options: Any
    ) -> None:
        status = _status(FileStore(folder_of(folder)))
        if json:
            self.stdout.write(dumps(_document(status)))
        else:
            self._report(status)
        if status.failed or status.overdue:
            text = f"Failed: {status.failed:,}, overdue: {status.overdue:,}."
            raise CommandError(text, returncode=FOUND)
        age = _age(status)
        if max_age is not None and age is not None and age > max_age:
            text = f"A file waits for {age:,.0f} seconds: is watch_spool running?"
            raise CommandError(text, returncode=FOUND)

    def _report(self, status: SpoolStatus) -> None:
        oldest = f"  (the oldest: {_since(status.oldest)} old)" if status.oldest else ""
        late = f"  ({status.overdue:,} overdue)" if status.overdue else ""
        self.stdout.write(f"{status.waiting:>12,}  waiting{oldest}")
        self.stdout.write(f"{status.claimed:>12,}  claimed{late}")
        self.stdout.write(f"{status.failed:>12,}  failed")
        if status.ignored:
            what = "ignored: folders, links or pipes"
            self.stdout.write(f"{status.ignored:>12,}  {what}")


def _status(store: FileStore) -> SpoolStatus:
    try:
        return store.status()
    except (FileNotFoundError, NotADirectoryError) as error:
        text = f"{store.path} is no spool: there is no folder {error.filename}."
        raise CommandError(text, returncode=FAILED) from error


def _since(moment: datetime) -> str:
    """Say how long ago a moment was."""
    if timezone.now() - moment < timedelta(minutes=1):
        return "less than a minute"
    return timesince(moment)


def _document(status: SpoolStatus) -> dict[str, object]:
    return {
        **asdict(status),
        "oldest": status.oldest and status.oldest.isoformat(),
        "oldest_seconds": _age(status),
    }


def _age(status: SpoolStatus) -> float | None:
    """Return for how many seconds the oldest file waits; None if none does."""
    if status.oldest is None:
        return None
    return (timezone.now() - status.oldest).total_seconds()
