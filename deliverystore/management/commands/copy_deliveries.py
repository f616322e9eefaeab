"""Copy all files from one store into another."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from deliverystore.backends import DeliveryStoreInterface, probing
from deliverystore.backends.fallback import without_fallback
from deliverystore.backends.handler import store_for
from deliverystore.copying import GOOD, Copier, copy_all, totals
from deliverystore.management import arguments
from deliverystore.management.copy_report import JsonReport, Tally, TextReport
from deliverystore.management.ending import (
    FAILED,
    FOUND,
    EndingCommand,
    stopped,
)
from deliverystore.management.progress import Progress, progress
from deliverystore.management.stopping import on_stop
from deliverystore.models import FileMeta

_OPTIONS = ("verify", "replace", "dry_run")


class Command(EndingCommand):
    could_not = "Could not copy"
    help = (
        "Copy the bytes of all files from one store into another, compared with their "
        "digests on the way. What is there already is skipped, so the same command "
        "goes on where one stopped. Exit codes: 0 all files are there, 1 some are not, "
        "2 could not copy, or was stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = "a name in STORAGES; if left out, the store that the settings choose"
        parser.add_argument("--to", dest="target", metavar="ALIAS", help=where)
        parser.add_argument("--from", dest="source", metavar="ALIAS", help=where)
        parser.add_argument(
            "--jobs",
            type=arguments.count,
            default=4,
            help="copy so many files at once (4)",
        )
        parser.add_argument(
            "--verify",
            action="store_true",
            help="read what is there already and compare it with its digest, too",
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="replace what differs there, instead of saying that it does",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, do nothing"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document"
        )

    def handle(
        self, *, source: str | None, target: str | None, json: bool, **options: Any
    ) -> None:
        report = (JsonReport if json else TextReport)(self.stdout)
        source_store, target_store = _stores(source, target)
        with progress(totals()[1], unit="bytes", hidden=json) as bar:
            copier = Copier(
                source=source_store,
                target=target_store,
                advance=bar.advance,
                **{name: options[name] for name in _OPTIONS},
            )
            tally = Tally()
            try:
                with on_stop(copier.stop):
                    _copy(copier, options["jobs"], report, tally, bar)
            finally:
                with bar.aside():
                    report.end(tally, copier)
        if copier.is_stopped:
            raise stopped()
        if tally.problems:
            raise CommandError("Not all files are there.", returncode=FOUND)


def _stores(
    source: str | None, target: str | None
) -> tuple[DeliveryStoreInterface, DeliveryStoreInterface]:
    """Return the two stores; raise CommandError if they are one."""
    if source is None and target is None:
        raise CommandError("Name a store in STORAGES: --to ALIAS.", returncode=FAILED)
    stores = _store(source), _store(target)
    if probing.are_the_same(*stores):
        names = [repr(one) if one else "the store in use" for one in (source, target)]
        raise CommandError(
            f"{' and '.join(names)} are the same place.", returncode=FAILED
        )
    return stores


def _store(alias: str | None) -> DeliveryStoreInterface:
    store = (
        without_fallback(FileMeta.deliverystore) if alias is None else store_for(alias)
    )
    probing.ask(store)
    return store


def _copy(
    copier: Copier,
    jobs: int,
    report: TextReport | JsonReport,
    tally: Tally,
    bar: Progress,
) -> None:
    for copied in copy_all(copier, jobs=jobs):
        tally.add(copied)
        if copied.outcome not in GOOD:
            with bar.aside():
                report.problem(copied)
