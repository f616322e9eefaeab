"""How a delivery is handed in: checked, numbered and closed, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext

from deliverystore import limits, signals
from deliverystore.exceptions import DeliveryEmpty, DeliveryIncomplete
from deliverystore.models import receipt
from deliverystore.models.counter import Counter
from deliverystore.models.recipient import load_recipients

if TYPE_CHECKING:
    from deliverystore.models.delivery import Delivery
    from deliverystore.models.filemeta import FileMeta


def finish(delivery: Delivery) -> None:
    """Give an open delivery its number, time and manifest, and close it for good.

    Raise DeliveryNotOpen, DeliveryEmpty, DeliveryIncomplete or a LimitExceeded.
    """
    with transaction.atomic():
        delivery.lock_open()
        files = list(delivery.files.order_by("pk"))
        _check_files(delivery, files)
        load_recipients([delivery])
        final = {
            "recipient_name": _called(delivery.recipient),
            "user_name": _called(delivery.delivered_by),
            "file_count": len(files),
            "size": sum(file.size for file in files),
            "manifest_digest": receipt.manifest_digest(files),
            "number": Counter.next(
                f"number:{delivery.recipient_type_id or ''}:{delivery.recipient_id}"
            ),
            "time_of_delivery": timezone.now(),
            "state": delivery.State.FINISHED,
        }
        type(delivery).objects.filter(pk=delivery.pk).update(**final)
        for name, value in final.items():
            setattr(delivery, name, value)
        send = signals.delivery_finished.send_robust
        # After the commit, whose success it cannot change any more.
        transaction.on_commit(
            lambda: send(type(delivery), delivery=delivery), robust=True
        )


def _check_files(delivery: Delivery, files: list[FileMeta]) -> None:
    complete = {file.filename for file in files if file.is_complete}
    begun = {file.filename for file in files}
    begun.update(delivery.uploads.running().values_list("filename", flat=True))
    if not begun:
        raise DeliveryEmpty(gettext("The delivery has no file; add one first."))
    if missing := begun - complete:
        raise DeliveryIncomplete(
            gettext(
                "The delivery is still receiving %(filenames)s; wait, or, if the "
                "upload broke off, hand the file in again or remove it."
            )
            % {"filenames": ", ".join(sorted(missing))}
        )
    limits.check_count(len(files))
    limits.check_delivery_size(sum(file.size for file in files))


def _called(instance: models.Model | None) -> str:
    return "" if instance is None else str(instance)[:255]
