"""Print the header of a file that a processor takes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from deliverystore.datacenter import registry
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.management.ending import EndingCommand


class Command(EndingCommand):
    could_not = "Could not print the header"
    help = (
        "Print the header of a CSV file for a processor: needed columns come first. "
        "Exit codes: 0 done, 2 could not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("processor", metavar="PROCESSOR")
        parser.add_argument(
            "--mode", default=Mode.CREATE.value, choices=[*map(str, Mode)]
        )

    def handle(self, *, processor: str, mode: str, **options: Any) -> None:
        template = registry.get_processor(processor).csv_template(Mode(mode))
        self.stdout.write(template, ending="")
