"""Whether a store has failed as a whole, or only some of its files."""

from __future__ import annotations

from itertools import chain

from django.utils.translation import gettext as _

from deliverystore.backends import DeliveryStoreInterface
from deliverystore.exceptions import StoreUnavailable
from deliverystore.models import FileMeta

# So many files in a row that are not there, or cannot be read, may be an outage.
IN_A_ROW = 100
_WITNESSES = 10
_FIELDS = ("delivery_id", "stored_as")


def rule_out_outage(store: DeliveryStoreInterface, witness: FileMeta | None) -> None:
    """Raise StoreUnavailable if a store has neither a witness nor any other file.

    A witness is a file that was there a moment ago. Others are the oldest and the
    newest ones.
    """
    files = FileMeta.objects.exclude(completed=None).only(*_FIELDS)
    oldest, newest = files.order_by("pk"), files.order_by("-pk")
    witnesses = chain([witness] if witness else [], newest[:_WITNESSES])
    reason = ""
    for file in chain(witnesses, oldest[:_WITNESSES]):
        try:
            with store.read_open(file) as content:
                content.read(1)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised below
            reason = str(error) or repr(error)
        else:
            return
    if reason:
        raise StoreUnavailable(
            _("None of many files can be read: is the store there? %s") % reason
        )


def share_there(store: DeliveryStoreInterface) -> float | None:
    """Return how many of the oldest and newest files are there, from 0 to 1.

    None if there are no files.
    """
    files = FileMeta.objects.exclude(completed=None).only(*_FIELDS)
    sample = {
        file.pk: file
        for order in ("pk", "-pk")
        for file in files.order_by(order)[: IN_A_ROW // 2]
    }
    found = [store.exists(file) for file in sample.values()]
    return sum(found) / len(found) if found else None
