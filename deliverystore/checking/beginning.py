"""Which check is to be gone on with, and which is given up."""

from __future__ import annotations

from deliverystore.backends.fallback import FallbackDeliveryStore
from deliverystore.backends.probing import place_of
from deliverystore.models import Check, FileMeta


def begin(
    *, part: int = 1, parts: int = 1, quick: bool = False, restart: bool = False
) -> Check:
    """Return the check of this part that is to be gone on with, or a new one.

    restart gives up what is unfinished. A check of another store is never gone on
    with: what was looked at there proves nothing here.
    """
    kind = {"part": part, "parts": parts, "quick": quick, **_where()}
    going_on = Check.objects.unfinished().filter(**kind)
    if restart:
        going_on.update(ending=Check.Ending.GIVEN_UP)
    check = going_on.order_by("-pk").first()
    if check is None:
        return Check.objects.create(**kind)
    check.end(Check.Ending.RUNNING)
    return check


def give_up_elsewhere() -> list[Check]:
    """Give up unfinished checks of other stores than the one in use; return them."""
    checks = list(Check.objects.unfinished().exclude(**_where()).order_by("pk"))
    for check in checks:
        check.end(Check.Ending.GIVEN_UP)
    return checks


def _where() -> dict[str, str]:
    """Return which store is in use, and which one it looks into, too."""
    store = FileMeta.deliverystore
    if isinstance(store, FallbackDeliveryStore):
        return {"store": place_of(store.first), "fallback": place_of(store.second)}
    return {"store": place_of(store), "fallback": ""}
