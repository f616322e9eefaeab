"""Which exports a user sees."""

from __future__ import annotations

from django.db.models import QuerySet

from deliverystore.models import Export
from deliverystore.models.access import User

VIEW = "deliverystore.view_export"


def visible_exports(user: User) -> QuerySet[Export]:
    """Return all exports for who may view them, else those they have begun."""
    exports = Export.objects.all()
    return exports if user.has_perm(VIEW) else exports.filter(user=user.pk)
