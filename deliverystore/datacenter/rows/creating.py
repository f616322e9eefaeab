"""New objects that nothing speaks against: a batch of them at once, by columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.db import DataError, IntegrityError, transaction

from deliverystore.datacenter.rows.cells import Mark
from deliverystore.datacenter.rows.outcomes import Action, Outcome, Row

if TYPE_CHECKING:
    from deliverystore.datacenter.rows.columns import Columns, Read
    from deliverystore.datacenter.rows.facts import Facts

# Values of the rows, by the name (attname) of their column in the database.
_Table = Mapping[str, Sequence[object]]


def create(
    facts: Facts, columns: Columns, rows: Sequence[Row], read: Read
) -> list[Outcome] | None:
    """Make an object of each row; return the outcomes, or None and do nothing.

    Nobody is asked who has the same values: no two rows have, and of the others the
    database knows. So it is for models whose keys it guards (Facts.is_plain).
    """
    table = _table(facts, read)
    if table is None or any(_repeats(table, names) for names in facts.guarded):
        return None
    try:
        with transaction.atomic(using=facts.using):
            pks = table.get(facts.pk) or facts.writer.pks(len(rows))
            facts.writer.insert_columns(table, pks)
    except (IntegrityError, DataError):
        return None
    return [
        Outcome(number, Action.CREATED, pk, columns.label(cells))
        for (number, cells), pk in zip(rows, pks, strict=True)
    ]


def _table(facts: Facts, read: Read) -> _Table | None:
    """Return what the new objects have in each column; None if it differs in which."""
    count = len(read.places)
    table: dict[str, Sequence[object]] = {}
    for name, values in zip(read.names, read.columns, strict=True):
        attname = facts.attnames[name]
        if read.has_marks and Mark.OMIT in values:
            if attname not in facts.constants:
                return None
            default = facts.constants[attname]
            values = [default if one is Mark.OMIT else one for one in values]
        table[attname] = values
    for attname in facts.constants.keys() - table.keys():
        table[attname] = [facts.constants[attname]] * count
    for attname in facts.callables.keys() - table.keys():
        make = facts.callables[attname]
        table[attname] = [make() for _ in range(count)]
    return table


def _repeats(table: _Table, attnames: tuple[str, ...]) -> bool:
    """Tell whether two rows have the same values in some columns; null is no value."""
    if not table.keys() >= set(attnames):
        return False
    keys = zip(*(table[name] for name in attnames), strict=True)
    given = [key for key in keys if None not in key]
    return len(set(given)) < len(given)
