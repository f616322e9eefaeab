"""To whom deliveries are addressed: any model instance, also one that is gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import prefetch_related_objects

if TYPE_CHECKING:
    from deliverystore.models.delivery import Delivery


def recipient_fields(recipient: models.Model | None) -> dict[str, Any]:
    """Return the fields of a delivery that name its recipient.

    Raise ValueError if the recipient was never saved.
    """
    if recipient is None:
        return {"recipient_type": None, "recipient_id": ""}
    if recipient.pk is None:
        raise ValueError(
            f"{recipient!r} is not saved, so nothing can be handed in to it."
        )
    return {
        "recipient_type": ContentType.objects.get_for_model(recipient),
        "recipient_id": str(recipient.pk),
    }


def load_recipients(deliveries: Iterable[Delivery]) -> None:
    """Fetch the recipients of deliveries, with one query for each kind of them.

    One whose model was removed from the project becomes None, like one that was
    deleted; a generic foreign key by itself would raise an error.
    """
    known = []
    for delivery in deliveries:
        if _has_model(delivery):
            known.append(delivery)
        else:
            field = delivery._meta.get_field("recipient")
            field.set_cached_value(delivery, None)
    prefetch_related_objects(known, "recipient")


def _has_model(delivery: Delivery) -> bool:
    if delivery.recipient_type_id is None:
        return True
    kind = ContentType.objects.get_for_id(delivery.recipient_type_id)
    if (model := kind.model_class()) is None:
        return False
    try:
        model._meta.pk.to_python(delivery.recipient_id)
    except ValidationError:
        return False
    return True
