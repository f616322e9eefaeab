"""Remove what jobs have left behind whose workers were killed."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from json import dumps
from typing import Any

from deliverystore.management.arguments import pause
from deliverystore.management.ending import EndingCommand
from deliverystore.publishing import WorkbenchManager

_HOUR = 3600.0


class Command(EndingCommand):
    could_not = "Could not clear the workbench"
    help = (
        "Remove the workbenches of media processors that were killed. One at which a "
        "process of this machine is at work stays. Exit codes: 0 done, 2 could not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=_age,
            default=_HOUR,
            metavar="SECONDS",
            help="leave alone what was changed within this time (default: 3600)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would go, do nothing"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document"
        )

    def handle(
        self, *, older_than: float, dry_run: bool, json: bool, **options: Any
    ) -> None:
        manager = WorkbenchManager()
        act = manager.abandoned if dry_run else manager.clear
        found = [str(path) for path in act(older_than)]
        if json:
            self.stdout.write(dumps({"dry_run": dry_run, "workbenches": found}))
            return
        for path in found:
            self.stdout.write(path)
        would = "would be " if dry_run else ""
        self.stdout.write(f"Workbenches {would}removed: {len(found):,}.")


def _age(text: str) -> float:
    """Return a length of time. Raise ArgumentTypeError, also if it is none."""
    if not (found := pause(text)):
        raise ArgumentTypeError(
            "0 would take one that a process is making at this moment; write 1."
        )
    return found
