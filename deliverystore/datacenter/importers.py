"""Who may import with which processor, in which mode."""

from __future__ import annotations

from django.contrib.auth import get_permission_codename

from deliverystore.datacenter import registry
from deliverystore.datacenter.modelprocessor import ModelProcessor
from deliverystore.datacenter.processors import BatchProcessor
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import NotPermitted
from deliverystore.models.access import User

_ACTIONS = {
    Mode.CREATE: ("add",),
    Mode.UPDATE: ("change",),
    Mode.REMOVE: ("delete",),
    Mode.UPSERT: ("add", "change"),
}


def may_import(user: User, processor: type[BatchProcessor], mode: Mode) -> bool:
    """Tell whether a user may import with a processor in a mode.

    That takes deliverystore.run_import, and what the admin asks for the model.
    """
    if not user.has_perm("deliverystore.run_import"):
        return False
    if not issubclass(processor, ModelProcessor):
        return True
    meta = processor.model._meta
    return all(
        user.has_perm(f"{meta.app_label}.{get_permission_codename(action, meta)}")
        for action in _ACTIONS[mode]
    )


def processors_for(user: User) -> dict[str, list[Mode]]:
    """Return the processors that a user may use, each with its modes."""
    allowed = {
        name: [mode for mode in processor.modes if may_import(user, processor, mode)]
        for name, processor in registry.get_processors().items()
    }
    return {name: modes for name, modes in allowed.items() if modes}


def ask(user: User | None, processor: str, mode: str) -> None:
    """Raise NotPermitted unless a user, or the site itself, may import like this.

    That there is no such processor is told in the same words.
    """
    if user is None:
        return
    found = registry.get_processors().get(processor)
    if found is None or not may_import(user, found, Mode(mode)):
        raise NotPermitted(f"{user} may not {mode} with {processor!r}.")
