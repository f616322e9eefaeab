"""Rows of a model's tables, written with one statement for each table and batch."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from deliverystore.datacenter.rows.modelcells import is_automatic
from deliverystore.datacenter.rows.preparing import prepared
from deliverystore.datacenter.rows.states import State

# A thousand numbers cost more to transfer than to make, and nearly always they follow
# each other. The name of the sequence, in a query of its own, is looked up once.
_NEXT = """
    SELECT min(pk), CASE WHEN max(pk) - min(pk) >= count(*) THEN array_agg(pk) END
    FROM (
        SELECT nextval((SELECT pg_get_serial_sequence(%s, %s)::regclass)) AS pk
        FROM generate_series(1, %s)
    ) AS next
"""
# How PostgreSQL joins what it should find row by row.
_JOINS = ("enable_hashjoin", "enable_mergejoin")


@dataclass(frozen=True)
class _Table:
    """A table of a model: its own, or that of a parent."""

    meta: object
    fields: tuple[models.Field, ...]
    key: models.Field


class Writer:
    """Writes states as rows of a model, on PostgreSQL or SQLite."""

    def __init__(self, model: type[models.Model], using: str) -> None:
        self._db: BaseDatabaseWrapper = connections[using]
        self._model = model
        self._tables = [_table(one) for one in _family(model)]
        self.automatic = self._tables[0].key
        # What is left to the database in some rows, and not in others.
        self._optional = frozenset(
            field.attname
            for table in self._tables
            for field in table.fields
            if field.has_db_default()
        )
        self._blank = model()
        self._sequence = ""

    def insert(
        self, states: Sequence[State], pks: Sequence[object] | None = None
    ) -> None:
        """Insert the states as new rows with these pks.

        Without pks the database makes them; then the model has to have one table.
        """
        alike: dict[frozenset[str], list[int]] = {}
        for at, state in enumerate(states):
            alike.setdefault(self._optional.intersection(state), []).append(at)
        for places in alike.values():
            some = [states[at] for at in places]
            columns = {name: [state[name] for state in some] for name in some[0]}
            self.insert_columns(columns, pks and [pks[at] for at in places])

    def insert_columns(
        self,
        columns: Mapping[str, Sequence[object]],
        pks: Sequence[object] | None = None,
    ) -> None:
        """Insert new rows, which have in each column (attname) one of its values."""
        count = len(pks or next(iter(columns.values())))
        for table in self._tables:
            stamps = self._stamps(table, add=True)
            found = {}
            for field in table.fields:
                values = columns.get(field.attname)
                if field is table.key and pks is not None:
                    values = pks
                if values is not None or field in stamps:
                    found[field] = self._column(field, stamps, values, count)
            self._add(table, list(found), zip(*found.values(), strict=True))

    def pks(self, count: int) -> list[object]:
        """Return pks for new rows, which nobody else gets."""
        key = self.automatic
        table = key.model._meta.db_table
        with self._db.cursor() as cursor:
            if self._db.vendor == "postgresql":
                cursor.execute(_NEXT, [self._quoted(table), key.column, count])
                first, pks = cursor.fetchone()
                return pks or list(range(first, first + count))
            # Nobody else can write until this transaction ends.
            cursor.execute(
                f"SELECT max(coalesce((SELECT max({self._quoted(key.column)}) "  # noqa: S608
                f"FROM {self._quoted(table)}), 0), coalesce((SELECT seq FROM "
                "sqlite_sequence WHERE name = %s), 0))",
                [table],
            )
            (last,) = cursor.fetchone()
        return list(range(last + 1, last + 1 + count))

    @property
    def gives_pks(self) -> bool:
        """Tell whether the database makes the pks."""
        return is_automatic(self.automatic)

    def update(
        self, pks: Sequence[object], states: Sequence[State], names: set[str]
    ) -> None:
        """Write the columns of these names (attname) of existing rows."""
        columns = {name: [state.get(name) for state in states] for name in names}
        self.update_columns(columns, pks)

    def update_columns(
        self, columns: Mapping[str, Sequence[object]], pks: Sequence[object]
    ) -> None:
        """Write these columns (attname) of existing rows, with a value for each pk."""
        for table in self._tables:
            stamps = self._stamps(table, add=False)
            fields = [
                field
                for field in table.fields
                if field.attname in columns or field in stamps
            ]
            if not fields:
                continue
            key = prepared(table.key, self._db, pks)
            values = [
                self._column(field, stamps, columns.get(field.attname), len(pks))
                for field in fields
            ]
            self._change(table, fields, values, key)

    # -- Private ---------------------------------------------------------------------

    def _column(
        self,
        field: models.Field,
        stamps: dict[models.Field, object],
        values: Sequence[object] | None,
        count: int,
    ) -> list[object]:
        if field in stamps:
            return prepared(field, self._db, [stamps[field]]) * count
        return prepared(field, self._db, values or ())

    def _stamps(self, table: _Table, *, add: bool) -> dict[models.Field, object]:
        """Return the fields that are set by saving, with their values."""
        return {
            field: field.pre_save(self._blank, add)
            for field in table.fields
            if getattr(field, "auto_now", False)
            or (add and getattr(field, "auto_now_add", False))
        }

    def _add(
        self, table: _Table, fields: list[models.Field], rows: Iterable[tuple]
    ) -> None:
        names = ", ".join(self._quoted(field.column) for field in fields)
        into = f"{self._quoted(table.key.model._meta.db_table)} ({names})"
        with self._db.cursor() as cursor:
            if self._db.vendor == "postgresql":
                with (
                    self._db.wrap_database_errors,
                    cursor.copy(f"COPY {into} FROM STDIN") as copy,
                ):
                    for row in rows:
                        copy.write_row(row)
                return
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {into} VALUES ({marks})", list(rows))  # noqa: S608

    def _change(
        self,
        table: _Table,
        fields: list[models.Field],
        columns: list[list[object]],
        key: list[object],
    ) -> None:
        quoted = self._quoted(table.key.model._meta.db_table)
        pk = self._quoted(table.key.column)
        with self._db.cursor() as cursor:
            if self._db.vendor == "postgresql":
                names = [self._quoted(field.column) for field in fields]
                sets = ", ".join(f"{name} = new.{name}" for name in names)
                arrays = ", ".join(
                    f"%s::{self._type(field)}[]" for field in (table.key, *fields)
                )
                aliases = ", ".join(['"pk of row"', *names])
                with _by_index(cursor):
                    cursor.execute(
                        f"UPDATE {quoted} SET {sets} FROM unnest({arrays}) "  # noqa: S608
                        f'AS new({aliases}) WHERE {quoted}.{pk} = new."pk of row"',
                        [key, *columns],
                    )
                return
            sets = ", ".join(f"{self._quoted(field.column)} = %s" for field in fields)
            cursor.executemany(
                f"UPDATE {quoted} SET {sets} WHERE {pk} = %s",  # noqa: S608
                list(zip(*columns, key, strict=True)),
            )

    def _type(self, field: models.Field) -> str:
        """Return the type of a column without length: a cast would cut texts."""
        return re.sub(r"\(.*?\)", "", str(field.db_type(self._db)))

    def _quoted(self, name: str | None) -> str:
        return self._db.ops.quote_name(str(name)).replace("%", "%%")


@contextlib.contextmanager
def _by_index(cursor: CursorWrapper) -> Iterator[None]:
    """Let PostgreSQL find each row by an index, and not read the whole table for that.

    If the block raises, the transaction, or a savepoint, is to be rolled back: that
    undoes the settings.
    """
    cursor.execute(
        "SELECT current_setting(%s), set_config(%s, 'off', true), "
        "current_setting(%s), set_config(%s, 'off', true)",
        [one for name in _JOINS for one in (name, name)],
    )
    hashed, _off, merged, _off = cursor.fetchone()
    yield
    cursor.execute(
        "SELECT set_config(%s, %s, true), set_config(%s, %s, true)",
        [_JOINS[0], hashed, _JOINS[1], merged],
    )


def _family(model: type[models.Model]) -> list[type[models.Model]]:
    """Return the models with tables of their own, the topmost parent first."""
    concrete = model._meta.concrete_model or model
    parents = list(concrete._meta.parents)
    return [*(one for parent in parents[:1] for one in _family(parent)), concrete]


def _table(model: type[models.Model]) -> _Table:
    meta = model._meta
    fields = tuple(field for field in meta.local_concrete_fields if not field.generated)
    return _Table(meta, fields, meta.pk)
