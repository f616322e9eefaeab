"""Move all files of the data center to another folder."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import ngettext

from deliverystore.datacenter import DataCenter
from deliverystore.management.ending import FAILED, FOUND, EndingCommand
from deliverystore.management.progress import progress


class Command(EndingCommand):
    could_not = "Could not move"
    help = (
        "Move all files of the data center to another folder: they are copied, "
        "compared, and then removed. Interrupted, it goes on where it was. Exit "
        "codes: 0 done, 1 files stay since others have their names there, 2 could not "
        "move."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="it must exist")
        parser.add_argument(
            "--from",
            type=Path,
            metavar="FOLDER",
            dest="origin",
            help="where the files are, if that is not what the settings say",
        )
        parser.add_argument(
            "--overwrite",
            action="store_true",
            help="replace other files of the same names",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, do nothing"
        )

    def handle(
        self,
        *,
        folder: Path,
        origin: Path | None,
        overwrite: bool,
        dry_run: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        folder = folder.absolute()
        if origin is not None and not origin.is_dir():
            raise CommandError(f"{origin} is no folder.", returncode=FAILED)
        center = DataCenter(origin)
        try:
            plan = center.preview_move(folder)
        except ValueError as error:
            raise CommandError(str(error), returncode=FAILED) from error
        taken = [] if overwrite else plan.taken
        if not dry_run:
            with progress(plan.size, unit="bytes", hidden=not verbosity) as shown:
                taken = center.set_storage_path(
                    folder, move=True, overwrite=overwrite, advance=shown.advance
                )
        self._report(folder, plan.count, taken, would="would be " if dry_run else "")

    def _report(self, folder: Path, count: int, taken: list[str], would: str) -> None:
        for name in taken:
            self.stdout.write(f"{self.style.ERROR('taken')}  {name}")
        moved = _files(count - len(taken))
        self.stdout.write(f"{moved} of {count:,} {would}moved to {folder}.")
        if taken:
            raise CommandError(
                f"{_files(len(taken))} {would}left: there are others of these names. "
                "Rename them, or use --overwrite.",
                returncode=FOUND,
            )
        if not would:
            self.stdout.write(
                f'In the settings, write DELIVERY_STORE_DATACENTER_ROOT = "{folder}"'
            )


def _files(count: int) -> str:
    text = ngettext("%(count)s file", "%(count)s files", count)
    return text % {"count": f"{count:,}"}
