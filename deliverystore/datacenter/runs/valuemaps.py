"""Corrections of values: what is read instead of what stands in a file."""

from __future__ import annotations

import json

from deliverystore.datacenter.runs.texts import dumped, group_key
from deliverystore.models import ValueCorrection


def value_maps(processor: str) -> dict[str, dict[str, str]]:
    """Return all corrections for a processor: by header, by wrong value."""
    found: dict[str, dict[str, str]] = {}
    for one in ValueCorrection.objects.filter(processor=processor):
        column, wrong, right = map(
            json.loads, (one.column_json, one.wrong_json, one.right_json)
        )
        found.setdefault(column, {})[wrong] = right
    return found


def remember(
    processor: str, column: str, wrong: str, right: str, user_id: int | str | None
) -> None:
    """Remember what to read instead of a wrong value of a column, from now on."""
    ValueCorrection.remember(
        processor,
        group_key(column, wrong),
        user_id,
        column_json=dumped(column),
        wrong_json=dumped(wrong),
        right_json=dumped(right),
    )


def forget(processor: str, column: str, wrong: str) -> None:
    """Read a value as it stands in the files again."""
    ValueCorrection.objects.filter(
        processor=processor, key=group_key(column, wrong)
    ).delete()
