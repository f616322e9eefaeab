"""IN with a thousand values, as one parameter."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connections
from django.db.models import F, Lookup, Q, QuerySet

from deliverystore.datacenter.rows.preparing import prepared

# What the elements of such an array may be.
_KINDS: dict[str, set[type]] = {
    "postgresql": {str, int, date, Decimal, UUID},
    "sqlite": {str, int},
}


class _AnyOf(Lookup):
    """The left side is one of the values: those of a prepared array."""

    prepare_rhs = False

    def as_sql(self, compiler, connection):  # type: ignore[no-untyped-def]
        left, params = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"{left} = ANY(%s)", [*params, self.rhs]
        # That of json_each has no type of its own, so the column's is used.
        found = "SELECT value FROM json_each(%s)"
        return f"{left} IN ({found})", [*params, json.dumps(self.rhs)]


def among(objects: QuerySet, name: str, values: Collection[object]) -> Q | _AnyOf:
    """Return the condition that a column of the objects has one of the values.

    name is an attname. Django's own IN binds each value by itself, which for a thousand
    of them costs more than the query.
    """
    field = objects.model._meta.get_field(name)
    db = connections[objects.db]
    array = prepared(field, db, values)
    kinds = set(map(type, array))
    if len(kinds) == 1 and kinds <= _KINDS.get(db.vendor, set()):
        return _AnyOf(F(name), array)
    return Q((f"{name}__in", list(values)))
