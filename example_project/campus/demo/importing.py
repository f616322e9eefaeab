"""Bringing the registrar's files in, once: a second run finds them there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from django.contrib.auth.models import User

from deliverystore.datacenter import DataCenter, OnTaken, runs
from deliverystore.models import ImportRun
from example_project.registrar.samples import Sample

_CLOSED = (ImportRun.State.FINISHED, ImportRun.State.DISCARDED)


@dataclass(kw_only=True)
class Reason:
    """Why rows failed: how many, in which column, and what is said of one of them."""

    column: str
    message: str
    rows: int = 0


@dataclass(kw_only=True)
class Correction:
    """What is meant by wrong values of a column, and how many rows have one of them."""

    column: str
    values: dict[str, str] = field(default_factory=dict)
    rows: int = 0


def bring_in(sample: Sample, user: User) -> ImportRun:
    """Return the first import of a file; begin it, or go on with it, if need be."""
    run = first_import(sample)
    if run is None:
        file = _uploaded(sample, user)
        run = runs.start_run(
            file, sample.processor, sample.mode, user=user, enqueue=False
        )
    return _worked(run)


def first_import(sample: Sample) -> ImportRun | None:
    """Return the first import of a file, if there was one."""
    # If its name was taken, the file has been renamed.
    name = rf"^{PurePath(sample.filename).stem}(_\d+)?\.csv$"
    mine = ImportRun.objects.filter(processor=sample.processor, file__regex=name)
    return mine.filter(dry_run=False).order_by("pk").first()


def latest(run: ImportRun) -> ImportRun:
    """Return the last try of what failed in a run, done to its end; or the run."""
    while (child := run.children.order_by("pk").last()) is not None:
        run = child
    return _worked(run)


def is_done(sample: Sample) -> bool:
    """Tell whether each row of a file is in, or was given up."""
    run = first_import(sample)
    return run is not None and latest(run).state in _CLOSED


def corrections(run: ImportRun, sample: Sample) -> list[Correction]:
    """Return what can be corrected by value, one a column, the most frequent first."""
    found: dict[str, Correction] = {}
    for group in run.failure_groups.order_by("-count", "first_number"):
        column, wrong = group.column, group.value.strip()
        right = sample.corrections.get(column, {}).get(wrong)
        if right is not None:
            one = found.setdefault(column, Correction(column=column))
            one.values[wrong] = right
            one.rows += group.count
    return sorted(found.values(), key=lambda one: -one.rows)


def correct(run: ImportRun, sample: Sample, user: User) -> int:
    """Correct what is known to be wrong; return how many single rows were edited."""
    for one in corrections(run, sample):
        runs.correct_values(run, one.column, one.values, user)
    rows = list(run.failed_rows.filter(number__in=sample.right))
    for row in rows:
        runs.edit_row(row, sample.right[row.number], user)
    return len(rows)


def retry(run: ImportRun, user: User) -> ImportRun:
    """Try the rows again that failed; return the run that did it."""
    return _worked(runs.retry(run, user, enqueue=False))


def seconds_of(run: ImportRun) -> float:
    """Return how long a run took."""
    if run.started is None or run.ended is None:
        return 0
    return (run.ended - run.started).total_seconds()


def reasons(run: ImportRun) -> list[Reason]:
    """Return why rows of a run failed, by column and code, the most frequent first."""
    found: dict[tuple[str, str], Reason] = {}
    for group in run.failure_groups.order_by("-count", "first_number"):
        new = Reason(column=group.column, message=group.message)
        found.setdefault((group.column, group.code), new).rows += group.count
    return sorted(found.values(), key=lambda reason: -reason.rows)


def pending_lines(run: ImportRun) -> Iterator[tuple[str, str]]:
    """Yield some lines of a pending file: the header, and one for each wrong column.

    The errors, which are the last cell, are by themselves.
    """
    seen = set()
    with DataCenter().open(run.pending_file) as file:
        lines = io.TextIOWrapper(file, encoding="utf-8", newline="")
        for *cells, errors in csv.reader(lines):
            column, _, _why = errors.partition(":")
            if column not in seen:
                seen.add(column)
                line = io.StringIO()
                csv.writer(line, lineterminator="").writerow(cells)
                yield f"{line.getvalue()},", errors


def _uploaded(sample: Sample, user: User) -> str:
    """Return the name of the file in the data center, in which it waits."""
    center = DataCenter()
    if any(file.name == sample.filename for file in center.get_pending_files()):
        return sample.filename  # An earlier run was stopped right after the upload.
    data = sample.as_bytes()
    return center.upload(sample.filename, data, on_taken=OnTaken.RENAME, user=user).name


def _worked(run: ImportRun) -> ImportRun:
    if not run.is_over:
        runs.work(run)
    return run
