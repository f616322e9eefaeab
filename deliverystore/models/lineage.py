"""Which imports tried the same rows before and after one, by one query each."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from django.db import connections

# However often rows were tried: a query an import would be too many.
_ABOVE = """
WITH RECURSIVE above (id, parent_id, file, from_parent, depth) AS (
    SELECT id, parent_id, file, from_parent, 0
    FROM deliverystore_importrun WHERE id = %s
    UNION ALL
    SELECT run.id, run.parent_id, run.file, run.from_parent, above.depth + 1
    FROM deliverystore_importrun run JOIN above ON run.id = above.parent_id
)
SELECT id, file, from_parent FROM above ORDER BY depth
"""
_BELOW = """
WITH RECURSIVE below (id, depth) AS (
    SELECT id, 0 FROM deliverystore_importrun WHERE id = %s
    UNION ALL
    SELECT run.id, below.depth + 1
    FROM deliverystore_importrun run JOIN below ON run.parent_id = below.id
    WHERE below.depth < %s
)
SELECT id FROM below WHERE depth > 0
"""
_LAST = """
WITH RECURSIVE below (first, id) AS (
    SELECT id, id FROM deliverystore_importrun WHERE id IN ({})
    UNION ALL
    SELECT below.first, run.id
    FROM deliverystore_importrun run JOIN below ON run.parent_id = below.id
    WHERE run.state NOT IN ('tried', 'failed')
)
SELECT first, MAX(id) FROM below GROUP BY first
"""


class Try(NamedTuple):
    """An import among those of the same rows; rows of a retry come from its parent."""

    id: int
    file: str
    is_retry: bool


def above(pk: int, using: str) -> list[Try]:
    """Return an import and those that it goes back to, the first one last."""
    with connections[using].cursor() as cursor:
        cursor.execute(_ABOVE, [pk])
        return [Try(id_, file, bool(retry)) for id_, file, retry in cursor.fetchall()]


def below(pk: int, using: str, most: int) -> list[int]:
    """Return the imports that go back to one, by no more steps than most."""
    with connections[using].cursor() as cursor:
        cursor.execute(_BELOW, [pk, most])
        return [id_ for (id_,) in cursor.fetchall()]


def last(pks: Collection[int], using: str) -> dict[int, int]:
    """Return for each import the last one that goes back to it and changed something.

    That is itself if there is no other.
    """
    if not pks:
        return {}
    with connections[using].cursor() as cursor:
        cursor.execute(_LAST.format(", ".join(["%s"] * len(pks))), list(pks))
        return dict(cursor.fetchall())
