"""Print the header of a file that a processor takes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deliverystore.datacenter import registry
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import ProcessorNotFound


class Command(BaseCommand):
    help = "Print the header of a CSV file for a processor: needed columns come first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("processor", metavar="PROCESSOR")
        parser.add_argument(
            "--mode", default=Mode.CREATE.value, choices=[*map(str, Mode)]
        )

    def handle(self, *, processor: str, mode: str, **options: Any) -> None:
        try:
            template = registry.get_processor(processor).csv_template(Mode(mode))
        except ProcessorNotFound as error:
            raise CommandError(str(error)) from error
        self.stdout.write(template, ending="")
