"""Rows that fail, written down with their reasons, and counted by these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from deliverystore.datacenter.rows.outcomes import CellError
from deliverystore.datacenter.runs.guesses import guess_key, guessed
from deliverystore.datacenter.runs.own import Own
from deliverystore.datacenter.runs.texts import dumped, group_key
from deliverystore.datacenter.tables import Record
from deliverystore.models import FailedRow, FailureGroup, ImportRun

Failure = tuple[Record, Sequence[CellError]]
_BATCH = 1000
_MAX_CODE = 100


def write_failures(run: ImportRun, failures: Iterable[Failure]) -> None:
    """Store rows that failed in a run, and add them to its groups."""
    failures = list(failures)
    if not failures:
        return
    own = Own(run.header)
    FailedRow.objects.bulk_create(
        [
            FailedRow(
                run_id=run.pk,
                number=record.number,
                line=record.line,
                first_line=record.first_line,
                cells_json=dumped(record.cells),
                errors_json=dumped([asdict(error) for error in errors]),
                guess=guess_key(own.columns, own.cells(record.cells))
                if guessed(errors)
                else "",
            )
            for record, errors in failures
        ],
        batch_size=_BATCH,
    )
    _count(run, failures)


def _count(run: ImportRun, failures: Sequence[Failure]) -> None:
    groups: dict[str, FailureGroup] = {}
    for record, errors in failures:
        # A row counts once in a group, however often it has the same error.
        for error in {
            (one.column, one.code, one.value): one for one in errors
        }.values():
            key = group_key(error.column, error.code, error.value)
            group = groups.setdefault(key, _group(run, key, error, record.number))
            group.count += 1
    keys = list(groups)
    for start in range(0, len(keys), _BATCH):
        known = FailureGroup.objects.filter(
            run=run, key__in=keys[start : start + _BATCH]
        )
        for key, count in known.values_list("key", "count"):
            groups[key].count += count
    FailureGroup.objects.bulk_create(
        groups.values(),
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["run", "key"],
        update_fields=["count"],
    )


def _group(run: ImportRun, key: str, error: CellError, number: int) -> FailureGroup:
    return FailureGroup(
        run=run,
        key=key,
        column_json=dumped(error.column),
        code=error.code[:_MAX_CODE].replace("\0", ""),
        value_json=dumped(error.value),
        message_json=dumped(error.message),
        first_number=number,
        count=0,
    )
