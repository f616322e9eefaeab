"""Abandon deliveries that were left open, and remove bytes that no row names."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from functools import partial
from json import dumps
from typing import Any

from django.core.management.base import CommandError

from deliverystore import publishing
from deliverystore.datacenter import exports
from deliverystore.kvstore import configured, strays
from deliverystore.management.ending import FAILED, FOUND, EndingCommand, stopped
from deliverystore.management.progress import progress
from deliverystore.management.stopping import on_stop
from deliverystore.sweeping import Sweeper

# What is swept elsewhere: how to count what is due, how to remove it.
_OTHERS = {
    "exports": (exports.count_expired, exports.sweep),
    "published": (publishing.count_due, publishing.sweep),
    "temporary": (configured.count_leftovers, configured.sweep),
}
_STRAYS = (strays.count_strays, strays.note_strays)


class Command(EndingCommand):
    could_not = "Could not sweep"
    help = (
        "Abandon deliveries that are open longer than DELIVERY_STORE_ABANDON_AFTER; "
        "remove resumable uploads without news for so long; remove bytes whose rows "
        "were deleted, and temporary files that were left in the store, in spools and "
        "in key-value stores, longer than DELIVERY_STORE_GRACE ago; delete expired "
        "exports, and published files that were replaced. Exit codes: "
        "0 done, 1 the store refused to remove something, 2 could not sweep, or was "
        "stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, do nothing"
        )
        parser.add_argument(
            "--strays",
            action="store_true",
            help="note data of key-value stores that no row names, for a later sweep; "
            "only if no other database uses their storages",
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document"
        )

    def handle(
        self, *, dry_run: bool, strays: bool, json: bool, **options: Any
    ) -> None:
        unseen: list[str] = []
        tasks = dict(_OTHERS)
        if strays:
            count, note = (partial(one, unseen.append) for one in _STRAYS)
            tasks["strays"] = (count, note)
        others = dict.fromkeys(tasks, 0)
        with progress(None, unit="files") as bar:
            sweeper = Sweeper(dry_run=dry_run, advance=bar.advance)
            try:
                try:
                    with on_stop(sweeper.stop):
                        sweeper.run()
                finally:
                    # Whatever has failed, the rest is done, and what was done is said.
                    if not sweeper.is_stopped:
                        for name, (count_due, sweep) in tasks.items():
                            others[name] = count_due() if dry_run else sweep()
            finally:
                others["temporary"] += sweeper.so_far.temporary
                with bar.aside():
                    self._say(sweeper, others, json=json)
        if sweeper.is_stopped:
            raise stopped()
        if unseen:
            text = f"Not looked at: {', '.join(unseen)}. The log says why."
            raise CommandError(text, returncode=FAILED)
        if refused := sweeper.so_far.refused:
            text = f"Not removed: {refused:,}. The log says why."
            raise CommandError(text, returncode=FOUND)

    def _say(self, sweeper: Sweeper, others: dict[str, int], *, json: bool) -> None:
        """Say what was done, also if that was not all."""
        swept, would = sweeper.so_far, "would be " if sweeper.dry_run else ""
        if json:
            document = {**asdict(swept), **others}
            state = {"dry_run": sweeper.dry_run, "stopped": sweeper.is_stopped}
            self.stdout.write(dumps({**state, **document}))
            return
        self.stdout.write(
            f"{swept.deliveries:,} open deliveries {would}abandoned, "
            f"{swept.uploads:,} expired uploads, {others['exports']:,} expired "
            f"exports, {others['published']:,} published files, the bytes of "
            f"{swept.files:,} files and values, and {others['temporary']:,} temporary "
            "files "
            f"{would}removed."
        )
        if "strays" in others:
            self.stdout.write(f"Strays {would}noted: {others['strays']:,}.")
