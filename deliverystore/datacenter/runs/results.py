"""The files that a run leaves, made of its original and of what the database says."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO

from deliverystore.datacenter.center import DataCenter
from deliverystore.datacenter.rows.arranging import RESERVED
from deliverystore.datacenter.runs.own import Own
from deliverystore.datacenter.runs.sources import open_source
from deliverystore.datacenter.tables import OUR_OWN, Layout, is_blank
from deliverystore.models import FailedRow, ImportRun
from deliverystore.streams import CHUNK_SIZE

ERRORS_COLUMN = RESERVED[0]
_BATCH = 2000


def write_finished(run: ImportRun, path: Path) -> None:
    """Write the rows of a run that went in, with the columns of its file.

    Raise FileNotFound if the file is gone.
    """
    own = Own(run.header)
    if own.is_all and _is_lines(run) and _copied(run, path):
        return
    failed = _numbers(run)
    next_failed = next(failed, None)
    with open_source(run, is_tried=False) as source, _opened(path) as to:
        writer = csv.writer(to)
        writer.writerow(own.columns)
        for rows in source.all():
            finished = []
            for record in rows.records:
                if record.number == next_failed:
                    next_failed = next(failed, None)
                elif not is_blank(record.cells):
                    finished.append(own.cells(record.cells))
            writer.writerows(finished)


def write_pending(run: ImportRun, path: Path) -> None:
    """Write the rows of a run that failed, with their errors in a last column.

    All of it is in the database.
    """
    own = Own(run.header)
    with _opened(path) as to:
        writer = csv.writer(to)
        writer.writerow([*own.columns, ERRORS_COLUMN])
        width = len(own.columns)
        for row in _failed(run):
            cells = own.cells(row.cells)
            cells += [""] * (width - len(cells))
            writer.writerow([*cells, told(row.errors)])


def told(errors: list[dict[str, str]]) -> str:
    """Return errors as they stand in a cell of a pending file."""
    return "; ".join(
        f"{error['column']}: {error['message']}"
        if error["column"]
        else error["message"]
        for error in errors
    )


def _is_lines(run: ImportRun) -> bool:
    """Tell whether what went in are lines of the file itself, in plain CSV."""
    return Layout(**run.layout) == OUR_OWN and not (run.blank or run.from_parent)


def _copied(run: ImportRun, path: Path) -> bool:
    """Copy the lines of the rows that went in; tell if all of them are there.

    They are if each record is a line: the last one would have another number, or there
    would be another number of lines, if it were not so.
    """
    name = run.original_file or run.file
    with DataCenter().open(name) as file, path.open("wb") as to:
        if not run.failed:
            shutil.copyfileobj(file, to, CHUNK_SIZE)
            return True
        if (run.line or 0) - (run.record or 0) != 1:
            return False
        failed, number = _numbers(run), -1
        next_failed = next(failed, None)
        for number, line in enumerate(iter(partial(file.readline, CHUNK_SIZE), b"")):
            # The header is line 0, the first record line 1.
            if number == next_failed:
                next_failed = next(failed, None)
            else:
                to.write(line)
    return number == run.rows


def _opened(path: Path) -> IO[str]:
    return path.open("w", newline="", encoding="utf-8", errors="backslashreplace")


def _numbers(run: ImportRun) -> Iterator[int]:
    for row in _failed(run, "number"):
        yield row.number


def _failed(run: ImportRun, *only: str) -> Iterator[FailedRow]:
    """Yield the failed rows in order, by pages that seek."""
    rows = FailedRow.objects.filter(run=run).order_by("number")
    if only:
        rows = rows.only(*only)
    last = -1
    while page := list(rows.filter(number__gt=last)[:_BATCH]):
        yield from page
        last = page[-1].number
