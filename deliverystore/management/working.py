"""Imports that a command does, here and now, while somebody watches."""

from __future__ import annotations

from json import dumps
from threading import Event
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from deliverystore.datacenter import runs
from deliverystore.management import run_report
from deliverystore.management.ending import FAILED
from deliverystore.management.progress import Unit, progress
from deliverystore.management.stopping import on_stop
from deliverystore.models import ImportRun

_SHOWN = (
    *("rows", "finished", "failed", "blank"),
    *("created", "updated", "removed", "unchanged"),
)
_FACTS = ("pk", "file", "state", "skipping", "finished_file", "pending_file")


def work(run: ImportRun, options: dict[str, Any], out: OutputWrapper) -> None:
    """Do a run under the eyes of a bar, and print what came of it.

    options are those of a command: verbosity, and json. Raise CommandError if it is
    interrupted; what keeps the run from its end passes through.
    """
    stop = Event()
    hidden = not options["verbosity"]
    done, total = run.amount_read
    unit: Unit = "rows" if total is None or run.from_parent else "bytes"
    with progress(total, unit=unit, hidden=hidden) as bar, on_stop(stop.set):
        if done:
            bar.advance(done)

        def advance(run: ImportRun) -> None:
            nonlocal done
            now, _total = run.amount_read
            bar.advance(now - done)
            done = now

        runs.work(run, advance=advance, is_stopped=stop.is_set)
    report(run, out, as_json=options["json"])


def report(run: ImportRun, out: OutputWrapper, *, as_json: bool) -> None:
    """Print how a run is, with its counts."""
    if as_json:
        out.write(dumps(facts(run)))
        return
    out.write(f"{run}: {run_report.state_of(run)}")
    report_counts(run, out)


def report_counts(run: ImportRun, out: OutputWrapper) -> None:
    """Print the counts of a run; of a dry run, also why rows fail."""
    for name in _SHOWN:
        if run.counts[name] or name in _SHOWN[:4]:
            out.write(f"{run.counts[name]:>12,}  {name}")
    if run.dry_run:
        # There is no pending file to tell it.
        for line in run_report.reasons(run):
            out.write(line)


def facts(run: ImportRun) -> dict[str, Any]:
    """Return what there is to be known of a run, for JSON."""
    return {**{name: getattr(run, name) for name in _FACTS}, **run.counts}


def interrupted(run: ImportRun) -> CommandError:
    """Return the error to raise when a run was stopped before its end."""
    if run.from_parent:
        text = "Interrupted; `import_csv --resume` goes on where it was."
    else:
        text = "Interrupted; the same command goes on where it was."
    return CommandError(text, returncode=FAILED)
