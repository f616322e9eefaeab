"""Publish files anew: all of them, those that failed, or some."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from json import dumps
from threading import Event
from typing import Any

from django.core.management.base import CommandError

from deliverystore.exceptions import DeliveryStoreError, RunBusy
from deliverystore.management.arguments import count
from deliverystore.management.check_report import printable
from deliverystore.management.ending import FAILED, FOUND, EndingCommand, stopped
from deliverystore.management.progress import Progress, progress
from deliverystore.management.stopping import on_stop
from deliverystore.models import FileMeta, Publication
from deliverystore.publishing import choosing, publish, registry, tasks, work

_CHOICES = {
    "all": (choosing.every, "every file that was published or failed"),
    "failed": (choosing.failed, "what has failed"),
    "left": (choosing.left, "what waits, or broke off since its worker was killed"),
    "missing": (choosing.incomplete, "what is not in the public store any more"),
}
# So many errors are printed; the others are in the admin.
MAX_SHOWN = 20


class Command(EndingCommand):
    could_not = "Could not publish"
    help = (
        "Publish files, once more or for the first time. What is public stays until "
        "the new files are there. Exit codes: 0 done, 1 files have failed, or no "
        "processor takes them, 2 could not do it, or was stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "files", nargs="*", type=count, metavar="ID", help="the ids of files"
        )
        for name, (_find, text) in _CHOICES.items():
            parser.add_argument(f"--{name}", action="store_true", help=text)
        parser.add_argument(
            "--processor", default="", metavar="NAME", help="only this media processor"
        )
        parser.add_argument(
            "--enqueue", action="store_true", help="let workers do it, and do not wait"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say which files, do nothing"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document"
        )

    def handle(self, **options: Any) -> None:
        stop = Event()
        outcome = _Outcome()
        hidden = not options["verbosity"]
        if options["dry_run"]:
            self._list(_chosen(options), json=options["json"])
            return
        with progress(None, unit="files", hidden=hidden) as bar, on_stop(stop.set):
            for file in _chosen(options):
                if stop.is_set():
                    break
                try:
                    outcome.add(file, _state_after(file, options))
                except SystemExit as error:
                    outcome.counts["ended"] += 1
                    outcome.ended = f"{_line(file)}: SystemExit: {error}"
                    break
                bar.advance()
                self._say_error(file, outcome, bar, options)
        self._report(outcome.counts, options)
        if outcome.ended:
            text = f"A media processor has ended the process at {outcome.ended}"
            raise CommandError(text, returncode=FAILED)
        if stop.is_set():
            raise stopped()
        if failed := outcome.counts["failed"] + outcome.counts["refused"]:
            is_said = outcome.shown <= MAX_SHOWN and not options["json"]
            others = "" if is_said else " The admin says why of all that failed."
            text = f"Not published: {failed:,}.{others}"
            raise CommandError(text, returncode=FOUND)

    def _list(self, files: Iterator[FileMeta], *, json: bool) -> None:
        """Say which files are chosen, each as soon as it is found."""
        number, separator = 0, '{"dry_run": true, "files": ['
        for number, file in enumerate(files, start=1):  # noqa: B007 - for the last line
            if json:
                one = dumps({"id": file.pk, "filename": file.filename})
                self.stdout.write(f"{separator}{one}", ending="")
                separator = ", "
            else:
                self.stdout.write(_line(file))
        if not json:
            self.stdout.write(f"{number:,} chosen." if number else "Nothing to do.")
            return
        start = "" if number else separator
        counts = {**dict.fromkeys(_Outcome.NAMES, 0), "chosen": number}
        self.stdout.write(f"{start}], {dumps(counts).removeprefix('{')}")

    def _say_error(
        self, file: FileMeta, outcome: _Outcome, bar: Progress, options: dict[str, Any]
    ) -> None:
        if outcome.error and not options["json"] and outcome.shown <= MAX_SHOWN:
            with bar.aside():
                self.stderr.write(f"{_line(file)}: {outcome.error}")

    def _report(self, counts: Counter[str], options: dict[str, Any]) -> None:
        if options["json"]:
            found = {name: counts[name] for name in _Outcome.NAMES}
            self.stdout.write(dumps({"dry_run": False, **found}))
            return
        said = [f"{number:,} {name}" for name, number in counts.items()]
        self.stdout.write(f"{', '.join(said) or 'Nothing to do'}.")
        if counts["waiting"] and tasks.run_publication is None:
            self.stdout.write(f"No worker: {tasks.waits_for()} does what waits.")


class _Outcome:
    """What became of the files until now."""

    NAMES = ("processed", "failed", "refused", "busy", "waiting", "ended", "chosen")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.error = ""
        self.shown = 0
        self.ended = ""

    def add(self, file: FileMeta, result: tuple[str, str]) -> None:
        """Count a file under what became of it."""
        name, self.error = result
        self.counts[name] += 1
        self.shown += bool(self.error)


def _chosen(options: dict[str, Any]) -> Iterator[FileMeta]:
    names = [name for name in _CHOICES if options[name]]
    _check_choice(names, options)
    if name := options["processor"]:
        registry.get_processor(name)
    if options["files"]:
        return iter([_file(pk) for pk in dict.fromkeys(options["files"])])
    find, _text = _CHOICES[names[0]]
    return find(options["processor"])


def _check_choice(names: list[str], options: dict[str, Any]) -> None:
    """Raise CommandError unless files are chosen in one way."""
    given = ["ids"] * bool(options["files"]) + [f"--{name}" for name in names]
    if len(given) == 1:
        return
    text = "Name the ids of files, or one of --all, --failed, --left, --missing"
    if given:
        text = f"{text}, not {' and '.join(given)}"
    elif options["processor"]:
        text = f"{text}: --processor alone chooses none"
    raise CommandError(f"{text}.", returncode=FAILED)


def _file(pk: int) -> FileMeta:
    try:
        return choosing.of_id(pk)
    except (FileMeta.DoesNotExist, OverflowError) as error:
        text = f"There is no file with the id {pk}."
        raise CommandError(text, returncode=FAILED) from error


def _line(file: FileMeta) -> str:
    return f"{file.pk} {printable(file.filename)}"


def _state_after(file: FileMeta, options: dict[str, Any]) -> tuple[str, str]:
    """Publish a file; return what became of it, and the error if there is one."""
    try:
        publication = publish(
            file, processor=options["processor"], enqueue=options["enqueue"]
        )
        if options["enqueue"]:
            return "waiting", ""
        done = work(publication)
    except RunBusy:
        return "busy", ""
    except DeliveryStoreError as error:
        return "refused", str(error)
    is_failed = done.state == Publication.State.FAILED
    return str(done.state), f"{done.error_class}: {done.error}" if is_failed else ""
