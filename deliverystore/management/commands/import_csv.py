"""Import a file with rows, or go on with imports that were interrupted."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from deliverystore.datacenter import naming, runs
from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.tables import Layout
from deliverystore.digests import Digester
from deliverystore.exceptions import (
    DeliveryStoreError,
    FileExists,
    FileNotFound,
    RunBusy,
)
from deliverystore.management import run_report
from deliverystore.management.ending import FAILED, FOUND, EndingCommand
from deliverystore.management.working import interrupted, work
from deliverystore.models import ImportRun
from deliverystore.models.access import User
from deliverystore.streams import CHUNK_SIZE

_LIMITS = ("max_failed", "max_removed")
_SAID = ("processor", "mode", "on_error", *_LIMITS, "dry_run")
_LAYOUT = ("encoding", "delimiter", "sheet", "header_line")


def pair(text: str) -> tuple[str, str | None]:
    """Return (column, field) of "column=field"; the field is None without a name."""
    # A column may be called anything, a field may not.
    column, sign, field = text.rpartition("=")
    if not sign or not column:
        raise ArgumentTypeError(f"{text!r} is no mapping; write column=field.")
    return column, field or None


def delimiter(text: str) -> str:
    r"""Return a delimiter; a tab, which is hard to type, may be written as \t."""
    text = "\t" if text == "\\t" else text
    if len(text) != 1 or text in "\r\n":
        raise ArgumentTypeError(f"{text!r} is no delimiter; write one character.")
    return text


class Command(EndingCommand):
    could_not = "Could not import"
    help = (
        "Import a file with rows: one of the data center, or any other one, which is "
        "uploaded to it first. An interrupted import of the file goes on where it was. "
        "Exit codes: 0 all rows are in, 1 some are not, 2 could not import."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", metavar="FILE")
        asked = parser.add_argument_group("what is to be done")
        asked.add_argument("--processor", default="", help="what the rows are")
        asked.add_argument("--mode", default="", choices=[*map(str, Mode)])
        asked.add_argument(
            "--map",
            type=pair,
            action="append",
            metavar="COLUMN=FIELD",
            help="the field of a column; COLUMN= leaves it out",
        )
        asked.add_argument("--on-error", choices=ImportRun.OnError.values)
        asked.add_argument(
            "--max-failed", metavar="N", help="stop when more rows fail: 100, or 5%%"
        )
        asked.add_argument(
            "--max-removed", metavar="N", help="stop when more objects would go"
        )
        asked.add_argument(
            "--dry-run", action="store_true", help="try it out, change nothing"
        )
        asked.add_argument(
            "--user",
            metavar="USERNAME",
            help="in whose name; what the user may not do is refused",
        )
        asked.add_argument("--encoding", default="", help="utf-8 if nothing says it")
        asked.add_argument("--delimiter", type=delimiter, help="\\t: tabs")
        asked.add_argument("--sheet", default="", help="which one of a workbook")
        asked.add_argument(
            "--header-line",
            type=int,
            metavar="N",
            help="the columns are named in line N; what is above is left out",
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="go on with all imports that wait or were interrupted",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, file: str | None, resume: bool, **options: Any) -> None:
        asked = _asked(options)
        if (file is None) != resume or (resume and asked):
            message = "Name a file, or use --resume, which takes none, nor what to do."
            raise CommandError(message, returncode=FAILED)
        found = runs.left() if file is None else [self._run_of(file, asked)]
        failed, not_in = [], []
        for run in found:
            try:
                work(run, options, self.stdout)
            except Exception as error:  # noqa: BLE001 - it is in the run's row
                # What a worker has taken in the meantime is left to it.
                if not (resume and isinstance(error, RunBusy)):
                    failed.append(f"Could not import {run.file}: {error}")
                continue
            if not run.is_over:
                raise interrupted(run)
            if run.failed or run.skipping:
                not_in.append(run_report.not_in(run))
        if failed or not_in:
            text = " ".join([*failed, *not_in])
            raise CommandError(text, returncode=FAILED if failed else FOUND)

    def _run_of(self, file: str, asked: dict[str, Any]) -> ImportRun:
        """Return the interrupted run of a file, or a new one."""
        try:
            name, is_new = _in_center(file, asked.get("user"), self.stderr.write)
            try:
                run = runs.go_on(name, **asked)
                return run or runs.start_run(name, **asked, enqueue=False)
            except DeliveryStoreError as error:
                told = run_report.told(error, name, asked.get("layout"))
                if is_new:
                    # Corrected, it comes again under its name.
                    DataCenter().delete(name)
                raise _could_not(file, told) from error
        except (DeliveryStoreError, OSError) as error:
            raise _could_not(file, _told(file, error)) from error


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be done, as start_run takes it, without what is not said."""
    layout = Layout(**{name: options[name] for name in _LAYOUT if options[name]})
    asked = {
        **{name: options[name] for name in _SAID},
        "mapping": dict(options["map"] or []),
        "user": _user(options["user"]) if options["user"] else None,
        "layout": None if layout == Layout() else layout,
    }
    # An empty limit is one, too: none, whatever the import had that left the rows.
    return {
        name: value
        for name, value in asked.items()
        if value or (name in _LIMITS and value is not None)
    }


def _user(username: str) -> User:
    model = get_user_model()
    try:
        return cast("User", model._default_manager.get_by_natural_key(username))
    except model.DoesNotExist as error:
        text = f"There is no user {username!r}."
        raise CommandError(text, returncode=FAILED) from error


def _in_center(
    file: str, user: User | None, warn: Callable[[str], object]
) -> tuple[str, bool]:
    """Return the name of a file in the data center, and whether it came there now."""
    center = DataCenter()
    is_name = "/" not in file and center.place.exists(file)
    path = Path(file)
    if is_name and not path.exists():
        return file, False
    name = file if is_name else naming.clean_name(path.name)
    with path.open("rb") as opened, Digester() as digester:
        if center.place.exists(name):
            while chunk := opened.read(CHUNK_SIZE):
                digester.update(chunk)
            # That of an interrupted import, then.
            if digester.digest() == center.place.digest(name):
                return name, False
            if is_name:
                raise FileExists(
                    f"{file!r} waits in the data center, and here is another one of "
                    "this name: rename it, or delete one of them."
                )
            opened.seek(0)
        # Nobody has to be told that it waits.
        uploaded = center.upload(name, opened, user=user, notify=False)
    if uploaded.earlier is not None:
        warn(str(uploaded.earlier))
    return uploaded.relative_path, True


def _told(file: str, error: Exception) -> str:
    """Return what is wrong with a file, and what became of one of this name before."""
    if not isinstance(error, FileExistsError | FileNotFoundError):
        return str(error)
    name = "_".join(Path(file).name.split())
    if (run := runs.left_over_of(name)) is not None:
        return run_report.waiting_rows(run)
    if isinstance(error, FileExistsError | FileNotFound):
        return str(error)
    there = "" if "/" in file else ", nor does one of this name wait in the data center"
    return f"there is no such file{there}."


def _could_not(file: str, reason: str) -> CommandError:
    return CommandError(f"Could not import {file}: {reason}", returncode=FAILED)
