"""Import a file with rows, or go on with imports that were interrupted."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from json import dumps
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import CommandError

from deliverystore.datacenter import naming, runs
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.digests import Digester
from deliverystore.exceptions import DeliveryStoreError, RunBusy
from deliverystore.management.ending import FAILED, FOUND, EndingCommand
from deliverystore.management.progress import progress
from deliverystore.management.stopping import on_stop
from deliverystore.models import ImportRun
from deliverystore.streams import CHUNK_SIZE

_SHOWN = (
    *("rows", "finished", "failed", "blank"),
    *("created", "updated", "removed", "unchanged"),
)


def pair(text: str) -> tuple[str, str | None]:
    """Return (column, field) of "column=field"; the field is None without a name."""
    column, sign, field = text.partition("=")
    if not sign or not column:
        raise ArgumentTypeError(f"{text!r} is no mapping; write column=field.")
    return column, field or None


class Command(EndingCommand):
    could_not = "Could not import"
    help = (
        "Import a file with rows: one of the data center, or any other one, which is "
        "uploaded to it first. An interrupted import of the file goes on where it was. "
        "Exit codes: 0 all rows are in, 1 some are not, 2 could not import."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", metavar="FILE")
        parser.add_argument("--processor", default="", help="what the rows are")
        parser.add_argument("--mode", default="", choices=[*map(str, Mode)])
        parser.add_argument(
            "--map",
            type=pair,
            action="append",
            metavar="COLUMN=FIELD",
            help="the field of a column; COLUMN= leaves it out",
        )
        parser.add_argument(
            "--on-error", default="pending", choices=ImportRun.OnError.values
        )
        parser.add_argument(
            "--max-failed", metavar="N", help="stop when more rows fail: 100, or 5%%"
        )
        parser.add_argument(
            "--max-removed", metavar="N", help="stop when more objects would go"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="try it out, change nothing"
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="go on with all imports that wait or were interrupted",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, file: str | None, resume: bool, **options: Any) -> None:
        if (file is None) != resume:
            message = "Name a file, or use --resume, which takes none."
            raise CommandError(message, returncode=FAILED)
        found = runs.left() if file is None else [self._run_of(file, options)]
        failed, not_in = [], []
        for run in found:
            try:
                self._work(run, options)
            except Exception as error:  # noqa: BLE001 - it is in the run's row
                # What a worker has taken in the meantime is left to it.
                if not (resume and isinstance(error, RunBusy)):
                    failed.append(f"Could not import {run.file}: {error}")
                continue
            if not run.is_over:
                message = "Interrupted; the same command goes on where it was."
                raise CommandError(message, returncode=FAILED)
            if run.failed or run.skipping:
                not_in.append(_left_of(run))
        if failed or not_in:
            text = " ".join([*failed, *not_in])
            raise CommandError(text, returncode=FAILED if failed else FOUND)

    def _run_of(self, file: str, options: dict[str, Any]) -> ImportRun:
        """Return the interrupted run of a file, or a new one."""
        try:
            name = _in_center(file, self.stderr.write)
            return runs.unfinished(name) or runs.start_run(
                name,
                options["processor"],
                options["mode"],
                dict(options["map"]) if options["map"] else None,
                on_error=options["on_error"],
                max_failed=options["max_failed"],
                max_removed=options["max_removed"],
                dry_run=options["dry_run"],
                enqueue=False,
            )
        except (DeliveryStoreError, OSError) as error:
            raise CommandError(
                f"Could not import {file}: {error}", returncode=2
            ) from error

    def _work(self, run: ImportRun, options: dict[str, Any]) -> None:
        stop = Event()
        hidden = not options["verbosity"]
        begun = run.rows
        with progress(None, unit="rows", hidden=hidden) as bar, on_stop(stop.set):

            def advance(run: ImportRun) -> None:
                nonlocal begun
                bar.advance(run.rows - begun)
                begun = run.rows

            runs.work(run, advance=advance, is_stopped=stop.is_set)
        self._report(run, as_json=options["json"])

    def _report(self, run: ImportRun, *, as_json: bool) -> None:
        if as_json:
            names = ("pk", "file", "state", "skipping", "finished_file", "pending_file")
            facts = {name: getattr(run, name) for name in names}
            self.stdout.write(dumps({**facts, **run.counts}))
            return
        self.stdout.write(f"{run}: {run.get_state_display()}")
        for name in _SHOWN:
            if run.counts[name] or name in _SHOWN[:4]:
                self.stdout.write(f"{run.counts[name]:>12,}  {name}")


def _in_center(file: str, warn: Callable[[str], object]) -> str:
    """Return the name of a file that waits in the data center; bring it there first."""
    center = DataCenter()
    if "/" not in file and center.place.exists(file):
        return file
    path = Path(file)
    name = naming.clean_name(path.name)
    with path.open("rb") as opened, Digester() as digester:
        if center.place.exists(name):
            while chunk := opened.read(CHUNK_SIZE):
                digester.update(chunk)
            # That of an interrupted import, then.
            if digester.digest() == center.place.digest(name):
                return name
            opened.seek(0)
        # Nobody has to be told that it waits.
        uploaded = center.upload(name, opened, notify=False)
    if uploaded.earlier is not None:
        warn(str(uploaded.earlier))
    return uploaded.relative_path


def _left_of(run: ImportRun) -> str:
    where = f", see {run.pending_file}" if run.pending_file else ""
    return f"{run.failed:,} rows of {run.file} are not in{where}."
