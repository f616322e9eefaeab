"""Look at imports, and do something about the rows that they left."""

from __future__ import annotations

from argparse import ArgumentParser
from json import dumps
from typing import Any

from django.core.management.base import CommandError

from deliverystore.datacenter import runs
from deliverystore.exceptions import DeliveryStoreError
from deliverystore.management import run_report
from deliverystore.management.ending import FAILED, FOUND, EndingCommand
from deliverystore.management.working import (
    facts,
    interrupted,
    report,
    report_counts,
    work,
)
from deliverystore.models import ImportRun, leases


class Command(EndingCommand):
    could_not = "Could not do it"
    help = (
        "List the imports that are not over or have rows left; show one of them; try "
        "its rows again, cancel it, or give its rows up. Exit codes: 0 done, 1 rows "
        "are left after another try, 2 could not do it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser(
            "list", help="the imports that are not over or have rows left"
        )
        show = actions.add_parser("show", help="one import, and why its rows failed")
        retry = actions.add_parser("retry", help="try rows again that failed")
        cancel = actions.add_parser("cancel", help="stop an import: what is in stays")
        discard = actions.add_parser("discard", help="give up the rows that are left")
        for one in (show, retry, cancel, discard):
            one.add_argument("number", type=int, metavar="N", help="import N")
        retry.add_argument(
            "--max-failed", metavar="N", help="another limit: 100, or 5%%; '' for none"
        )
        retry.add_argument(
            "--max-removed", metavar="N", help="another limit of objects that may go"
        )
        for one in (listing, show, retry):
            one.add_argument("--json", action="store_true", help="print JSON")
        discard.add_argument("--reason", required=True, metavar="TEXT", help="why")

    def handle(self, *, action: str, **options: Any) -> None:
        if action == "list":
            self._list(as_json=options["json"])
            return
        run = _found(options["number"])
        try:
            getattr(self, f"_{action}")(run, options)
        except (DeliveryStoreError, OSError) as error:
            message = f"Could not {action} import {run.pk}: {error}"
            raise CommandError(message, returncode=FAILED) from error

    def _list(self, *, as_json: bool) -> None:
        found = list(runs.unsettled())
        if as_json:
            self.stdout.write(dumps([_facts(run) for run in found]))
            return
        for run in found:
            self.stdout.write(run_report.line(run))
        if not found:
            self.stdout.write("No import is under way, and none has rows left.")

    def _show(self, run: ImportRun, options: dict[str, Any]) -> None:
        groups = run.failure_groups.order_by("-count", "first_number")
        if options["json"]:
            told = groups.values_list("code", "count", "first_number")
            rows = [
                dict(zip(("code", "rows", "first"), one, strict=True)) for one in told
            ]
            for one, group in zip(rows, groups, strict=True):
                one |= {"column": group.column, "value": group.value}
            self.stdout.write(dumps({**_facts(run), "failures": rows}))
            return
        what = f"{run}, {run.processor} {run.mode}"
        self.stdout.write(f"{what}: {run_report.state_of(run)}")
        report_counts(run, self.stdout)
        for text in run_report.details(run):
            self.stdout.write(text)

    def _retry(self, run: ImportRun, options: dict[str, Any]) -> None:
        limits = {name: options[name] for name in ("max_failed", "max_removed")}
        again = runs.retry(run, **limits, enqueue=False)
        work(again, options, self.stdout)
        if not again.is_over:
            raise interrupted(again)
        if again.failed or again.skipping:
            raise CommandError(run_report.not_in(again), returncode=FOUND)

    def _cancel(self, run: ImportRun, _options: dict[str, Any]) -> None:
        runs.cancel(run)
        if not run.is_over and leases.is_left(run):
            # Nobody else would end it.
            runs.work(run)
        if run.is_over:
            report(run, self.stdout, as_json=False)
        else:
            self.stdout.write(f"{run} stops at the end of its batch.")

    def _discard(self, run: ImportRun, options: dict[str, Any]) -> None:
        runs.discard(run, options["reason"])
        report(run, self.stdout, as_json=False)


def _found(number: int) -> ImportRun:
    try:
        return ImportRun.objects.get(pk=number)
    except (ImportRun.DoesNotExist, OverflowError) as error:
        text = (
            f"There is no import {number}; `datacenter_run list` has those to look at."
        )
        raise CommandError(text, returncode=FAILED) from error


def _facts(run: ImportRun) -> dict[str, Any]:
    return {**facts(run), "processor": run.processor, "mode": run.mode}
