"""Which runs a user sees."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from deliverystore.datacenter.importers import processors_for
from deliverystore.models import ImportRun
from deliverystore.models.access import User

VIEW = "deliverystore.view_importrun"


def visible_runs(user: User) -> QuerySet[ImportRun]:
    """Return all runs for who may view imports, else those they could do themselves."""
    runs = ImportRun.objects.all()
    if user.has_perm(VIEW):
        return runs
    mine = Q(pk__in=[])
    for name, modes in processors_for(user).items():
        mine |= Q(processor=name, mode__in=[mode.value for mode in modes])
    return runs.filter(mine)
