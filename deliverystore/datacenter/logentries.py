"""What rows changed, in the log of the Django admin."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.models import Model
from django.utils import timezone

from deliverystore.datacenter.rows.obstacles import VENDORS
from deliverystore.datacenter.rows.outcomes import Action, Outcome
from deliverystore.datacenter.rows.states import State
from deliverystore.datacenter.rows.writing import Writer

# Those of django.contrib.admin.models, which can be imported only if it is installed.
_FLAGS = {Action.CREATED: 1, Action.UPDATED: 2, Action.REMOVED: 3}
_ADDED = json.dumps([{"added": {}}])


def log_changes(
    outcomes: Iterable[Outcome], *, model: type[Model], user_id: int | str, using: str
) -> int:
    """Log what outcomes say of objects of a model, in bulk; return how many entries.

    An entry names the fields that changed, never a value. Nothing is logged where the
    admin is not installed.
    """
    if not apps.is_installed("django.contrib.admin"):
        return 0
    log = apps.get_model("admin", "LogEntry")
    type_id = ContentType.objects.db_manager(using).get_for_model(model).pk
    now = timezone.now()
    entries: list[State] = [
        {
            "action_time": now,
            "user_id": user_id,
            "content_type_id": type_id,
            "object_id": str(one.pk),
            "object_repr": (one.label or str(one.pk))[:200],
            "action_flag": _FLAGS[one.action],
            "change_message": _message(one, model),
        }
        for one in outcomes
        if one.action in _FLAGS
    ]
    if entries and connections[using].vendor in VENDORS:
        Writer(log, using).insert(entries)
    else:
        new = [log(**entry) for entry in entries]
        log.objects.using(using).bulk_create(new, batch_size=1000)
    return len(entries)


def _message(outcome: Outcome, model: type[Model]) -> str:
    """Return what happened, as the admin writes it into its log."""
    if outcome.action is Action.REMOVED:
        return ""
    if outcome.action is Action.CREATED:
        return _ADDED
    names = [
        str(model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        for name in outcome.fields
    ]
    return json.dumps([{"changed": {"fields": names}}])
