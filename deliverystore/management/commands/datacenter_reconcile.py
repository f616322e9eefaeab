"""Compare the folder of the data center with its imports, both ways."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from json import dumps
from typing import Any

from django.core.management.base import CommandError

from deliverystore.datacenter import runs
from deliverystore.datacenter.naming import UNFINISHED
from deliverystore.datacenter.runs import Disagreement
from deliverystore.management.ending import FOUND, EndingCommand
from deliverystore.management.run_report import discard_command
from deliverystore.models import ImportRun


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
                self.stdout.write(f"    {_what_to_do(one)}")
        if found:
            raise CommandError(f"Disagreements: {len(found):,}.", returncode=FOUND)
        if not json:
            self.stdout.write("Files and imports agree.")


def _what_to_do(found: runs.Difference) -> str:
    """Return what mends a disagreement."""
    if found.run_id is None:
        return _of_stray(found.name)
    if found.kind is Disagreement.INTERRUPTED:
        return "`import_csv --resume` goes on with it."
    run = ImportRun.objects.get(pk=found.run_id)
    if run.state in ImportRun.LEFT_OVER:
        return (
            f"Put it back, or do without: `datacenter_run retry {run.pk}` tries the "
            f"rows again that are left, {discard_command(run.pk)} gives them up."
        )
    return (
        "Put it back, and `import_csv --resume` goes on; or "
        f"`datacenter_run cancel {run.pk}`, and if it breaks off, "
        f"{discard_command(run.pk)}."
    )


def _of_stray(name: str) -> str:
    if name.startswith(f"{UNFINISHED}/"):
        return (
            "No import knows it: move it out of the data center, and import it again "
            "with --mode upsert; or delete it."
        )
    return (
        f"No import knows it: `import_csv {name} --processor … --mode …`, or delete it."
    )
