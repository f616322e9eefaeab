"""Export the objects of a processor's model, or do exports that wait."""

from __future__ import annotations

import contextlib
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

from django.core.management.base import CommandError

from deliverystore import fsops
from deliverystore.datacenter import exports
from deliverystore.exceptions import RunBusy
from deliverystore.management.ending import FAILED, EndingCommand
from deliverystore.management.progress import progress
from deliverystore.management.stopping import on_stop
from deliverystore.models import Export

_STDOUT = "-"


def condition(text: str) -> tuple[str, str]:
    """Return (field, value) of "field=value"."""
    field, sign, value = text.partition("=")
    if not sign or not field:
        raise ArgumentTypeError(f"{text!r} is no filter; write field=value.")
    return field, value


class Command(EndingCommand):
    could_not = "Could not export"
    help = (
        "Export the objects of a processor's model as CSV or as a workbook, here and "
        "now; or do the exports that wait. A file is there when it is whole, or not at "
        "all. Exit codes: 0 done, 2 could not export, or was interrupted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("processor", nargs="?", metavar="PROCESSOR")
        parser.add_argument(
            "--to", default=_STDOUT, metavar="FILE", help="- is standard output"
        )
        parser.add_argument(
            "--filter",
            type=condition,
            action="append",
            metavar="FIELD=VALUE",
            help="only objects with this value; FIELD= means without one",
        )
        parser.add_argument(
            "--format",
            choices=Export.Format.values,
            help="what FILE ends with says it, else it is csv",
        )
        parser.add_argument(
            "--spreadsheet",
            action="store_true",
            help="keep the cells of a CSV file from being formulas",
        )
        parser.add_argument(
            "--replace", action="store_true", help="replace FILE if it exists"
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="do all exports that wait or were interrupted, for their owners",
        )

    def handle(self, *, processor: str | None, resume: bool, **options: Any) -> None:
        if (processor is None) != resume:
            message = "Name a processor, or use --resume, which takes none."
            raise CommandError(message, returncode=FAILED)
        stop = Event()
        with on_stop(stop.set):
            if processor is None:
                self._resume(stop, options)
            else:
                self._export(processor, stop, options)

    def _export(self, processor: str, stop: Event, options: dict[str, Any]) -> None:
        try:
            exporter = exports.ModelExporter.named(
                processor, filters=dict(options["filter"] or ())
            )
            with (
                _opened(self.stdout, options) as to,
                self._bar(exporter.count(), options) as advance,
            ):
                for piece in exports.chunks(
                    exporter,
                    _format(options),
                    for_spreadsheet=options["spreadsheet"],
                    advance=advance,
                ):
                    _go_on(stop)
                    to.write(piece)
        except CommandError:
            raise
        except Exception as error:
            message = f"Could not export {processor}: {error}"
            raise CommandError(message, returncode=FAILED) from error

    def _resume(self, stop: Event, options: dict[str, Any]) -> None:
        failed = []
        for export in exports.left():
            rows = 0
            with self._bar(export.total, options) as advance:

                def tell(export: Export, advance: Any = advance) -> None:
                    nonlocal rows
                    advance(export.rows - rows)
                    rows = export.rows

                try:
                    done = exports.work(export, advance=tell, is_stopped=stop.is_set)
                except RunBusy:
                    continue
                except Exception as error:  # noqa: BLE001 - it is in the export's row
                    failed.append(f"{export}: {error}")
                    continue
            _go_on(stop)
            self.stdout.write(f"{done}: {done.rows:,} rows")
        if failed:
            text = f"Could not do {len(failed):,} exports. {' '.join(failed)}"
            raise CommandError(text, returncode=FAILED)

    @contextlib.contextmanager
    def _bar(self, total: int | None, options: dict[str, Any]) -> Iterator[Any]:
        with progress(total, unit="rows", hidden=not options["verbosity"]) as bar:
            yield bar.advance


def _go_on(stop: Event) -> None:
    if stop.is_set():
        raise CommandError(
            "Interrupted; the same command begins anew.", returncode=FAILED
        )


def _format(options: dict[str, Any]) -> str:
    suffix = Path(options["to"]).suffix.lower().removeprefix(".")
    known = suffix if suffix in Export.Format.values else Export.Format.CSV
    return str(options["format"] or known)


@contextlib.contextmanager
def _opened(stdout: Any, options: dict[str, Any]) -> Iterator[BinaryIO]:
    """Give a file to write to: one that is there when the block has ended, or never."""
    if options["to"] == _STDOUT:
        # Bytes, whatever encoding the terminal has.
        if not hasattr(stdout, "buffer"):
            raise TypeError("standard output takes no bytes; name a file by --to.")
        stdout.flush()
        yield stdout.buffer
        stdout.buffer.flush()
        return
    path, replace = Path(options["to"]).absolute(), options["replace"]
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; make it first.")
    if path.exists() and not replace:
        raise FileExistsError(f"{path} exists; --replace replaces it.")
    policy = fsops.Policy(root=path.parent)
    with fsops.new_file(path, policy, replace=replace) as file:
        yield file
