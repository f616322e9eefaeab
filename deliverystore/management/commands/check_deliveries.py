"""Compare everything that is stored with everything that is known, both ways."""

from __future__ import annotations

import math
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Count, Sum

from deliverystore import checking
from deliverystore.backends import DeliveryStoreInterface
from deliverystore.backends.fallback import without_fallback
from deliverystore.backends.handler import store_for
from deliverystore.backends.probing import are_the_same, lies_within
from deliverystore.management import arguments
from deliverystore.management.check_report import JsonReport, Report, TextReport
from deliverystore.management.ending import (
    FAILED,
    FOUND,
    EndingCommand,
    stopped,
)
from deliverystore.management.progress import Progress, Unit, progress
from deliverystore.management.stopping import on_stop
from deliverystore.models import Check, FileMeta, Finding


class Command(EndingCommand):
    could_not = "Could not check"
    help = (
        "Compare what is stored with what was handed in: every finished delivery, "
        "every file, every name in the store. Goes on where the last check of the "
        "same part stopped. Exit codes: 0 nothing found, 1 findings, 2 could not "
        "check, or was stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--quick", action="store_true", help="compare sizes only, read nothing"
        )
        parser.add_argument(
            "--max-bytes",
            type=arguments.size,
            default=math.inf,
            metavar="SIZE",
            help="begin no file after so much was read: 500MB, 10GB, 2TiB",
        )
        parser.add_argument(
            "--max-seconds",
            type=arguments.seconds,
            default=math.inf,
            metavar="SECONDS",
            help="begin nothing after so long",
        )
        parser.add_argument(
            "--subset",
            type=arguments.subset,
            metavar="N/M",
            help="check part N of M: one each night, or several at once",
        )
        parser.add_argument(
            "--restart", action="store_true", help="begin anew instead of going on"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document"
        )
        self._add_repair_arguments(parser)

    def handle(self, *, json: bool, last: bool, **options: Any) -> None:
        report = (JsonReport if json else TextReport)(self.stdout)
        budget = checking.Budget(
            max_bytes=options["max_bytes"], max_seconds=options["max_seconds"]
        )
        repairer = _repairer(budget, last=last, **options)
        with on_stop(budget.interrupt):
            if last and repairer is not None:
                found = _repair(report, repairer, subset=options["subset"])
            else:
                found = _check(report, repairer, budget, **options)
        if budget.ending() == Check.Ending.INTERRUPTED:
            raise stopped()
        if found:
            raise CommandError(f"Findings: {found:,}.", returncode=FOUND)

    def _add_repair_arguments(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("repair")
        group.add_argument(
            "--repair",
            action="store_true",
            help="put right what was found; needs one of the two stores below",
        )
        group.add_argument(
            "--restore-from",
            metavar="ALIAS",
            help="the store in STORAGES with the right bytes of damaged files",
        )
        group.add_argument(
            "--quarantine-to",
            metavar="ALIAS",
            help="the store in STORAGES that takes strays and damaged bytes",
        )
        group.add_argument(
            "--last",
            action="store_true",
            help="repair what the last checks have found; check nothing else",
        )
        group.add_argument(
            "--dry-run",
            action="store_true",
            help="say what would be repaired, change nothing in the store",
        )


def _check(
    report: Report,
    repairer: checking.Repairer | None,
    budget: checking.Budget,
    *,
    subset: tuple[int, int] | None,
    quick: bool,
    restart: bool,
    **options: Any,
) -> int:
    """Check and, if wanted, repair; return how much was found."""
    part, parts = subset or (1, 1)
    given_up = checking.give_up_elsewhere()
    check = checking.begin(part=part, parts=parts, quick=quick, restart=restart)
    report.begun(check, given_up)
    try:
        with _progress(check) as bar:
            checking.run(check, budget, bar.advance)
        if repairer is not None:
            repairs = repairer.repair(check.findings.all())
            report.repairs(repairs, dry_run=repairer.dry_run)
    finally:
        # Also if it fails: what was found until then is what one needs most.
        check.refresh_from_db()
        report.result(check)
    return check.found


@contextmanager
def _progress(check: Check) -> Iterator[Progress]:
    files = FileMeta.objects.exclude(completed=None)
    unit: Unit = "files" if check.quick else "bytes"
    sums = files.aggregate(files=Count("pk"), bytes=Sum("size"))
    with progress((sums[unit] or 0) // check.parts, unit=unit) as bar:
        bar.advance(check.files if check.quick else check.bytes)
        yield bar


def _repair(
    report: Report, repairer: checking.Repairer, *, subset: tuple[int, int] | None
) -> int:
    """Repair what the last checks have found; return how much that was."""
    checks = Check.objects.standing()
    if subset is not None:
        checks = checks.filter(part=subset[0], parts=subset[1])
    if not checks.exists():
        which = "check" if subset is None else "check of this part"
        raise _wrong(f"there was no {which} yet")
    findings = Finding.objects.standing().filter(found_in__in=checks)
    found = findings.count()
    try:
        report.repairs(repairer.repair(findings), dry_run=repairer.dry_run)
    finally:
        report.left(findings)
    return found


def _repairer(
    budget: checking.Budget,
    *,
    repair: bool,
    restore_from: str | None,
    quarantine_to: str | None,
    last: bool,
    dry_run: bool,
    **options: Any,
) -> checking.Repairer | None:
    if not repair:
        if restore_from or quarantine_to or last or dry_run:
            raise _wrong(
                "--restore-from, --quarantine-to, --last and --dry-run go with --repair"
            )
        return None
    if not (restore_from or quarantine_to):
        raise _wrong("--repair needs --restore-from or --quarantine-to, or both")
    return checking.Repairer(
        budget=budget,
        restore_from=_other_store("--restore-from", restore_from),
        quarantine=_other_store("--quarantine-to", quarantine_to),
        dry_run=dry_run,
    )


def _other_store(option: str, alias: str | None) -> DeliveryStoreInterface | None:
    if alias is None:
        return None
    store, checked = store_for(alias), without_fallback(FileMeta.deliverystore)
    if are_the_same(store, checked):
        raise _wrong(f"{option} {alias} is the store that is checked")
    if lies_within(store, checked):
        raise _wrong(f"{option} {alias} lies in the folder of the store")
    return store


def _wrong(text: str) -> CommandError:
    return CommandError(f"{Command.could_not}: {text}.", returncode=FAILED)
