"""Compare the folder of the data center with its imports, both ways."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from json import dumps
from typing import Any

from django.core.management.base import CommandError

from deliverystore.datacenter import runs
from deliverystore.management.ending import FOUND, EndingCommand


class Command(EndingCommand):
    could_not = "Could not compare"
    help = (
        "Compare the folder of the data center with its imports, both ways. It changes "
        "nothing. Exit codes: 0 they agree, 1 they do not, 2 could not compare."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document"
        )

    def handle(self, *, json: bool, **options: Any) -> None:
        found = list(runs.reconcile())
        if json:
            self.stdout.write(dumps([asdict(one) for one in found]))
        else:
            for one in found:
                of = f" (import {one.run_id})" if one.run_id else ""
                self.stdout.write(f"{one.kind}  {one.name}{of}")
        if found:
            raise CommandError(f"Disagreements: {len(found):,}.", returncode=FOUND)
        if not json:
            self.stdout.write("Files and imports agree.")
