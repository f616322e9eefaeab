"""What may stand in a cell, where that is a short list: choices, and other objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_permission_codename

from deliverystore.datacenter.rows.related import ManyCell, RelatedCell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deliverystore.datacenter.rows.cells import Cell
    from deliverystore.models.access import User

# A longer list helps nobody.
MAX_VALUES = 100


def values_for(cell: Cell, user: User) -> Sequence[tuple[str, str]]:
    """Return what a cell takes: values with their labels; none if they are too many.

    The names of other objects are for who may see these.
    """
    if cell.choices:
        return cell.choices[:MAX_VALUES]
    if not isinstance(cell, RelatedCell) or isinstance(cell, ManyCell):
        return ()
    if not cell.names or not _may_see(user, cell):
        return ()
    target = cell.field.target_field.attname
    found = cell.queryset().order_by("pk").values_list(target, flat=True)
    values = list(found[: MAX_VALUES + 1])
    if len(values) > MAX_VALUES:
        return ()
    return [(text, text) for text in sorted(cell.texts(values).values())]


def _may_see(user: User, cell: RelatedCell) -> bool:
    meta = cell.model._meta
    return any(
        user.has_perm(f"{meta.app_label}.{get_permission_codename(action, meta)}")
        for action in ("view", "change")
    )
