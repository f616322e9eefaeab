"""Export the objects of a processor's model, or do exports that wait."""

from __future__ import annotations

import contextlib
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

from django.core.management.base import CommandError
from django.utils.translation import ngettext

from deliverystore import fsops
from deliverystore.datacenter import exports, files, words
from deliverystore.exceptions import ExportRefused, RunBusy
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
        size = 0
        try:
            file_format = _format(options)
            exporter = exports.ModelExporter.named(
                processor, filters=dict(options["filter"] or ())
            )
            with (
                _opened(self.stdout, options) as to,
                self._bar(exporter.count(), options) as advance,
            ):
                counted = _Counted(advance)
                for piece in exports.chunks(
                    exporter,
                    file_format,
                    for_spreadsheet=options["spreadsheet"],
                    advance=counted,
                ):
                    _go_on(stop)
                    to.write(piece)
                    size += len(piece)
        except CommandError:
            raise
        except Exception as error:
            message = f"Could not export {processor}: {error}"
            raise CommandError(message, returncode=FAILED) from error
        if options["verbosity"]:
            self._report(options["to"], counted.rows, size)

    def _report(self, to: str, rows: int, size: int) -> None:
        said = f"{words.rows(rows)}, {files.in_words(size)}"
        if to == _STDOUT:
            # Beside the data, not in it.
            self.stderr.write(f"{said}.", self.style.SUCCESS)
        else:
            self.stdout.write(f"{said}: {Path(to).absolute()}")

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
            self.stdout.write(f"{done}: {words.rows(done.rows)}")
        if failed:
            text = ngettext(
                "Could not do %(count)s export.",
                "Could not do %(count)s exports.",
                len(failed),
            ) % {"count": f"{len(failed):,}"}
            text = f"{text} {' '.join(failed)}"
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
    """Return the format of a file. Raise ExportRefused for an end of another one."""
    if options["format"]:
        return str(options["format"])
    suffix = Path(options["to"]).suffix.lower().removeprefix(".")
    if suffix and suffix not in Export.Format.values:
        known = words.listed([f".{one}" for one in Export.Format.values])
        raise ExportRefused(
            f"{options['to']} would be no .{suffix}: name a file that ends with one of "
            f"{known}, or say the format by --format."
        )
    return suffix or str(Export.Format.CSV)


class _Counted:
    """Counts the rows of an export, and passes their numbers on."""

    def __init__(self, advance: Callable[[int], object]) -> None:
        self.rows = 0
        self._advance = advance

    def __call__(self, rows: int) -> None:
        self.rows += rows
        self._advance(rows)


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
