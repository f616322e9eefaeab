"""The proof that a processor reads what is exported of its model without a change."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

from django.db import transaction

from deliverystore.datacenter.exports import ModelExporter, chunks
from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.reader import open_table
from deliverystore.datacenter.rows.outcomes import Action, Mode, Outcome
from deliverystore.datacenter.tables import Table, is_blank

_SHOWN = 5


def assert_export_changes_nothing(
    processor: ModelProcessor,
    *,
    file_format: str = "csv",
    for_spreadsheet: bool = False,
) -> None:
    """Export all objects of a processor, import that, and see that nothing changes.

    The import updates, or upserts if the processor does not update, and leaves out
    columns that are forbidden then. What it does is undone. Raise AssertionError with
    the first rows that fail or change something, or if a second export differs.
    """
    mode = Mode.UPDATE if Mode.UPDATE in processor.modes else Mode.UPSERT
    with tempfile.TemporaryFile() as before, tempfile.TemporaryFile() as after:

        def export(to: BinaryIO) -> None:
            exporter = ModelExporter(processor)
            to.writelines(
                chunks(exporter, file_format, for_spreadsheet=for_spreadsheet)
            )

        export(before)
        with transaction.atomic(using=processor.using):
            table = open_table(before, name=f"export.{file_format}")
            wrong = list(islice(_wrong(processor, table, mode), _SHOWN))
            export(after)
            transaction.set_rollback(True, using=processor.using)
        if wrong:
            raise AssertionError("\n".join(map(_told, wrong)))
        # A workbook has the time in it.
        if file_format == "csv" and not _are_equal(before, after):
            raise AssertionError("A second export differs from the first.")


def _wrong(processor: ModelProcessor, table: Table, mode: Mode) -> Iterator[Outcome]:
    """Import a table; yield the rows that do not leave everything as it is."""
    forbidden = processor.forbidden.get(mode, ())
    mapping = dict.fromkeys(forbidden, None)
    plan = processor.prepare(table.header, mode, mapping=mapping, with_changes=True)
    for batch in table.batches():
        if batch.problems:
            raise AssertionError("\n".join(map(str, batch.problems[:_SHOWN])))
        rows = [(one.number, one.cells) for one in batch if not is_blank(one.cells)]
        outcomes = plan.process(rows)
        yield from (one for one in outcomes if one.action is not Action.UNCHANGED)


def _told(outcome: Outcome) -> str:
    reasons: Iterable[str] = (
        *(f"{one.column}: {one.message} ({one.value!r})" for one in outcome.errors),
        *(f"{one.field}: {one.old!r} became {one.new!r}" for one in outcome.changes),
    )
    return (
        f"Record {outcome.number} ({outcome.label}) is {outcome.action}: "
        f"{'; '.join(reasons)}"
    )


def _are_equal(one: BinaryIO, other: BinaryIO) -> bool:
    one.seek(0)
    other.seek(0)
    return all(first == second for first, second in zip(one, other, strict=True))
