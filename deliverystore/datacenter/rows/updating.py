"""Changes that nothing speaks against: a batch of them at once, by columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING

from django.db import DataError, IntegrityError, transaction

from deliverystore.datacenter.rows.cells import Mark
from deliverystore.datacenter.rows.indexes import Index
from deliverystore.datacenter.rows.outcomes import Action, Outcome, Row
from deliverystore.datacenter.rows.states import differs

if TYPE_CHECKING:
    from deliverystore.datacenter.rows.columns import Columns, Read
    from deliverystore.datacenter.rows.facts import Facts

_Key = object
# The values of each row, by the name (attname) of their column in the database.
_Table = Mapping[str, Sequence[object]]
_NO_KEY = {None, "", *Mark}


class _Compared(Exception):
    """The new values have to be compared with those of other objects."""


def update(
    facts: Facts, columns: Columns, rows: Sequence[Row], read: Read
) -> dict[int, Outcome] | None:
    """Change the objects that rows name; return the outcomes by the rows' places.

    Rows that name no object, or the same as another row, have none: they are left.
    Return None, and do nothing, if what changes has to be compared with other objects,
    or the database refuses it. It is for models of Facts.is_plain with one key.
    """
    names = [facts.attnames[name] for name in read.names]
    table = dict(zip(names, read.columns, strict=True))
    ((_fields, key),) = facts.keys
    if not table.keys() >= set(key):
        return None
    keys = _keys([table.pop(name) for name in key])
    try:
        with transaction.atomic(using=facts.using):
            found = _found(facts, key, _single(keys), list(table))
            places = [place for place, one in enumerate(keys) if one in found]
            objects = [found[keys[place]] for place in places]
            changed = _change(facts, table, places, objects)
    except (_Compared, IntegrityError, DataError):
        return None
    return {
        place: Outcome(
            rows[place][0],
            Action.UPDATED if fields else Action.UNCHANGED,
            pk,
            columns.label(rows[place][1]),
            fields,
        )
        for place, (pk, *_old), fields in zip(places, objects, changed, strict=True)
    }


def _keys(columns: Sequence[Sequence[object]]) -> list[_Key]:
    """Return the key of each row, None if it has none."""
    if len(columns) == 1:
        return [None if one in _NO_KEY else one for one in columns[0]]
    return [
        None if any(one in _NO_KEY for one in key) else key
        for key in zip(*columns, strict=True)
    ]


def _single(keys: Sequence[_Key]) -> set[_Key]:
    """Return the keys that one row has."""
    wanted = set(keys)
    if len(wanted) < len(keys):
        wanted = {key for key, count in Counter(keys).items() if count == 1}
    return wanted - {None}


def _found(
    facts: Facts, key: tuple[str, ...], wanted: set[_Key], names: Sequence[str]
) -> dict[_Key, tuple]:
    """Return each object's pk and values, by its key; it stays as it is."""
    objects = Index(facts.processor.get_queryset().using(facts.using), key)
    rows = objects.locked(wanted).values_list(*key, "pk", *names)
    if len(key) == 1:
        return {row[0]: row[1:] for row in rows}
    width = len(key)
    found = {row[:width]: row[width:] for row in rows}
    return {key: found[key] for key in wanted & found.keys()}


def _change(
    facts: Facts, table: _Table, places: Sequence[int], objects: Sequence[tuple]
) -> list[tuple[str, ...]]:
    """Write what differs; return the names of each object's fields that did."""
    fields = {attname: name for name, attname in facts.attnames.items()}
    news: dict[str, list[object]] = {}
    # For each object, whether a field changes: field by field.
    marks: list[list[bool]] = []
    for at, (name, column) in enumerate(table.items(), start=1):
        old = [one[at] for one in objects]
        new = [column[place] for place in places]
        mark = [
            one is not Mark.OMIT and differs(was, one)
            for was, one in zip(old, new, strict=True)
        ]
        if True in mark:
            marks.append(mark)
            news[name] = [
                one if differs else was
                for was, one, differs in zip(old, new, mark, strict=True)
            ]
    if not news:
        return [()] * len(objects)
    if facts.compares(news.keys()):
        raise _Compared
    each = list(zip(*marks, strict=True))
    is_changed = list(map(any, each))
    pks = [one[0] for one in compress(objects, is_changed)]
    values = {name: list(compress(new, is_changed)) for name, new in news.items()}
    facts.writer.update_columns(values, pks)
    names = [fields[name] for name in news]
    # Most rows change the same.
    known = {mark: tuple(compress(names, mark)) for mark in set(each)}
    return [known[mark] for mark in each]
