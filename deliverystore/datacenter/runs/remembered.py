"""The corrections that are remembered for a processor: seen, and forgotten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from deliverystore.datacenter import importers, logs
from deliverystore.datacenter.runs import valuemaps
from deliverystore.datacenter.runs.visibility import VIEW
from deliverystore.exceptions import NotPermitted, RunRefused
from deliverystore.models import ValueCorrection

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from deliverystore.models.access import User


def corrections_of(
    processor: str, user: User | None = None
) -> QuerySet[ValueCorrection]:
    """Return what is read instead of what, for a processor.

    Raise NotPermitted for who may neither import with it nor view imports.
    """
    if not (user is None or user.has_perm(VIEW) or may_forget(processor, user)):
        raise NotPermitted(f"{user} may not see corrections for {processor!r}.")
    return ValueCorrection.objects.filter(processor=processor)


def may_forget(processor: str, user: User) -> bool:
    """Tell whether a user may do so: who may import with the processor in any mode."""
    return processor in importers.processors_for(user)


def forget_correction(
    processor: str, pk: int, user: User | None = None
) -> ValueCorrection:
    """Read a value as it stands in the files again, from now on; return what was said.

    Raise NotPermitted, or RunRefused if there is no such correction.
    """
    if not (user is None or may_forget(processor, user)):
        raise NotPermitted(f"{user} may not forget corrections for {processor!r}.")
    found = ValueCorrection.objects.filter(processor=processor, pk=pk).first()
    if found is None:
        raise RunRefused(_("There is no such correction, or it was forgotten before."))
    column, wrong = json.loads(found.column_json), json.loads(found.wrong_json)
    valuemaps.forget(processor, column, wrong)
    logs.log_event("forget", processor, user, column=column)
    return found
