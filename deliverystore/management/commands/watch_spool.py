"""Take files out of a spool as they arrive, and hand each one on."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError

from deliverystore.management.arguments import count, pause, seconds
from deliverystore.management.check_report import printable
from deliverystore.management.ending import FOUND, EndingCommand
from deliverystore.management.spool_targets import Asked, target
from deliverystore.management.spool_worker import Worker
from deliverystore.management.stopping import on_stop
from deliverystore.spool import FileStore
from deliverystore.spool.configured import folder_of

# How long, in seconds, until the next look at what still waits.
_SHORTEST, _LONGEST = 0.05, 1.0


class Command(EndingCommand):
    could_not = "Could not watch"
    help = (
        "Take files out of a spool as they arrive, and hand each one to the data "
        "center, to a delivery, or to own code. SIGTERM ends it when the file at hand "
        "is done. Exit codes: 0 stopped, or nothing waits any more; 1 with --once, "
        "an attempt at a file failed; 2 could not watch."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", metavar="SPOOL", help="a name in DELIVERY_STORE_SPOOLS, or a path"
        )
        parser.add_argument(
            "--to",
            required=True,
            metavar="TARGET",
            help="datacenter, delivery, or the dotted path of a callable that takes "
            "a claim",
        )
        parser.add_argument("--user", default="", metavar="USERNAME")
        parser.add_argument(
            "--recipient",
            default="",
            metavar="APP.MODEL:KEY",
            help="to whom deliveries are addressed",
        )
        parser.add_argument(
            "--processor", default="", help="import what comes to the data center"
        )
        parser.add_argument("--mode", default="", help="in this mode")
        parser.add_argument(
            "--lease",
            type=seconds,
            default=300.0,
            metavar="SECONDS",
            help="longer than the longest file takes (default 300)",
        )
        parser.add_argument(
            "--attempts",
            type=count,
            default=3,
            metavar="N",
            help="after so many, a file goes to failed (default 3)",
        )
        parser.add_argument(
            "--settle",
            type=pause,
            default=1.0,
            metavar="SECONDS",
            help="leave files alone that are open for writing, or were changed within "
            "this time; 0 if all come by rename (default 1)",
        )
        parser.add_argument(
            "--interval",
            type=seconds,
            default=1.0,
            metavar="SECONDS",
            help="look at least so often (default 1)",
        )
        parser.add_argument(
            "--once", action="store_true", help="end when nothing waits any more"
        )

    def handle(self, *, folder: str, once: bool, **options: Any) -> None:
        names = ("to", "user", "recipient", "processor", "mode")
        asked = Asked(**{name: options[name] for name in names})
        store = FileStore(
            folder_of(folder),
            lease=timedelta(seconds=options["lease"]),
            max_attempts=options["attempts"],
            settle=timedelta(seconds=options["settle"]),
        )
        store.prepare()
        worker = Worker(target=target(asked), say=self._say, is_patient=not once)
        with on_stop(worker.stop.set):
            if once:
                _work_once(worker, store, options["settle"])
            else:
                self._say(f"Watches {store.path.resolve()}.")
                interval = timedelta(seconds=options["interval"])
                worker.run(store.watch(worker.stop, interval=interval))
        # What could not be claimed was tried once, too.
        failed = worker.failed + store.put_aside
        self._say(f"Ends. Done: {worker.done:,}, failed attempts: {failed:,}.")
        if once and failed:
            raise CommandError(f"Failed attempts: {failed:,}.", returncode=FOUND)

    def _say(self, line: str) -> None:
        # What the terminal, or the log, has no letters for must not end the work.
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        safe = printable(line).encode(encoding, "backslashreplace").decode(encoding)
        self.stdout.write(safe)
        # Whoever reads the log wants to see it now.
        self.stdout.flush()


def _work_once(worker: Worker, store: FileStore, settle: float) -> None:
    """Work until nothing waits, also none of what somebody may be writing to."""
    store.recover()
    worker.run(store.claims())
    while not worker.stop.is_set() and store.status().waiting:
        worker.stop.wait(min(max(settle, _SHORTEST), _LONGEST))
        worker.run(store.claims())
