"""Who may export what, and whose an export is."""

from __future__ import annotations

from django.contrib.auth import get_permission_codename

from deliverystore.datacenter import registry
from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.exceptions import NotPermitted
from deliverystore.models import Export
from deliverystore.models.access import User


def may_export(user: User, processor: type[BatchProcessor]) -> bool:
    """Tell whether a user may export the objects of a processor's model.

    That takes deliverystore.run_export, and what the admin asks to show the model.
    """
    if not issubclass(processor, ModelProcessor):
        return False
    meta = processor.model._meta
    view, change = (
        f"{meta.app_label}.{get_permission_codename(action, meta)}"
        for action in ("view", "change")
    )
    # Who may change objects may see them, as in the admin.
    return user.has_perm("deliverystore.run_export") and (
        user.has_perm(view) or user.has_perm(change)
    )


def exporters_for(user: User) -> list[str]:
    """Return the names of the processors whose objects a user may export."""
    return [
        name
        for name, processor in registry.get_processors().items()
        if may_export(user, processor)
    ]


def ask(user: User | None, processor: str) -> None:
    """Raise NotPermitted unless a user, or the site itself, may export these objects.

    That there is no such processor is told in the same words.
    """
    if user is None:
        return
    found = registry.get_processors().get(processor)
    if found is None or not may_export(user, found):
        raise NotPermitted(f"{user} may not export {processor!r}.")


def ask_owner(user: User | None, export: Export) -> None:
    """Raise NotPermitted unless a user, or the site itself, has begun an export.

    Who has lost the permission to export has lost the file, too.
    """
    if user is None:
        return
    if export.user_id is None or export.user_id != user.pk:
        raise NotPermitted(f"{user} has not begun {export}.")
    ask(user, export.processor)
