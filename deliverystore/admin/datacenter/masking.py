"""Cells of sensitive fields, which a look at a file does not show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deliverystore.datacenter import pending
from deliverystore.datacenter.tables import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from deliverystore.datacenter import Report
    from deliverystore.models import ImportRun

STARS = "***"


def masked(report: Report, hidden: Collection[int]) -> Report:
    """Return a report without what is in some columns, counted from 0.

    Of a row with too many cells or too few, nobody knows which of them are hidden.
    """
    if not hidden:
        return report
    count = len(report.header)
    sample = tuple(
        Record(
            number=record.number,
            line=record.line,
            cells=[
                STARS
                if cell and (index in hidden or len(record.cells) != count)
                else cell
                for index, cell in enumerate(record.cells)
            ],
        )
        for record in report.sample
    )
    # They show a whole line.
    offers = tuple(replace(offer, preview="") for offer in report.offers)
    return replace(report, sample=sample, offers=offers)


def hidden_by(run: ImportRun, header: Sequence[str]) -> set[int]:
    """Return the columns, from 0, that are hidden in a file which a run has left."""
    hidden = set(pending.hidden_in(run, header))
    return {index for index, name in enumerate(header) if name in hidden}
