"""How deliveries are found by what a person types, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.lookups import StartsWith

from deliverystore.models.filemeta import FileMeta
from deliverystore.paths import name_key

if TYPE_CHECKING:
    from deliverystore.models.delivery import Delivery

# Up to so many hits it is quicker to collect them all than to look at the newest
# deliveries until enough of them match.
_FEW = 10_000
# Larger than any id.
_DIGITS = 19


def matching(text: str, deliveries: QuerySet[Delivery]) -> Q:
    """Return the condition for deliveries of which something begins with, or is, text.

    Looks up the hits at once, up to a bound, since no plan suits both few and many.
    """
    users = get_user_model().objects.filter(
        BeginsWith(F(get_user_model().USERNAME_FIELD), text)
    )
    named = FileMeta.objects.filter(BeginsWith(F("name_key"), name_key(text)))
    same = FileMeta.objects.filter(digest=text)
    ids = [int(text)] if text.isdecimal() and len(text) < _DIGITS else []
    hits = deliveries.filter(pk__in=ids).values_list("pk")
    hits = hits.union(
        deliveries.filter(delivered_by__in=users).values_list("pk"),
        named.order_by().values_list("delivery"),
        same.order_by().values_list("delivery"),
        all=True,
    )
    found = [pk for (pk,) in hits[: _FEW + 1]]
    if len(found) <= _FEW:
        return Q(pk__in=set(found))
    own = {"delivery": OuterRef("pk")}
    return (
        Q(Exists(named.filter(**own)))
        | Q(Exists(same.filter(**own)))
        | Q(delivered_by__in=users)
        | Q(pk__in=ids)
    )


class BeginsWith(StartsWith):
    """The lookup startswith, in a form for which SQLite uses an index, too."""

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Compare with the first and the last text that begins so."""
        column, params = self.process_lhs(compiler, connection)
        first, last = str(self.rhs), f"{self.rhs}\U0010ffff"
        return f"({column} >= %s AND {column} <= %s)", [*params, first, *params, last]
