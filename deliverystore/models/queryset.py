"""Deliveries in numbers: which are open, whose they are, and how they are found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models, transaction
from django.db.models import F, Sum
from django.utils import timezone

from deliverystore.conf import conf
from deliverystore.exceptions import NotPermitted
from deliverystore.models import search
from deliverystore.models.access import User, may
from deliverystore.models.filemeta import FileMeta
from deliverystore.models.recipient import recipient_fields

if TYPE_CHECKING:
    from deliverystore.models.delivery import Delivery


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries, by their state, recipient and user."""

    def open(self) -> Self:
        """Return those to which files can be added."""
        return self.filter(state=self.model.State.OPEN)

    def finished(self) -> Self:
        """Return those that were handed in."""
        return self.filter(state=self.model.State.FINISHED)

    def stale(self) -> Self:
        """Return open ones that are older than DELIVERY_STORE_ABANDON_AFTER."""
        return self.open().filter(
            created__lte=timezone.now() - conf.DELIVERY_STORE_ABANDON_AFTER
        )

    def for_recipient(self, recipient: models.Model | None) -> Self:
        """Return those that are addressed to a model instance, or to none."""
        return self.filter(**recipient_fields(recipient))

    def visible_to(self, user: User) -> Self:
        """Return all for who may view deliveries, else those of the user."""
        if may(user, "view"):
            return self.all()
        return self.filter(delivered_by=user.pk) if user.pk else self.none()

    def get_for(self, user: User, action: str, pk: int) -> Delivery:
        """Return the delivery of this id, with which the user may do this.

        Raise NotPermitted, also if there is none: only who may do this with all
        deliveries learns that, by DoesNotExist.
        """
        delivery = self.filter(pk=pk).first()
        if delivery is not None and delivery.permits(user, action):
            return delivery
        if delivery is None and may(user, action):
            raise self.model.DoesNotExist(f"There is no delivery {pk}.")
        raise NotPermitted(f"{user} may not {action} delivery {pk}.")

    def search(self, text: str) -> Self:
        """Return those whose id is, or whose user or a filename begins with, the text.

        A digest finds the deliveries with a file of this content.
        """
        everything = self.model.objects.all()
        return self.filter(search.matching(text.strip(), everything))

    def bytes_of(self, user_id: object) -> int:
        """Return how many bytes a user has handed in, in all deliveries together."""
        return self.filter(delivered_by=user_id).aggregate(sum=Sum("size"))["sum"] or 0

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete deliveries and their files; their bytes wait for the sweep."""
        with transaction.atomic():
            # Locks the rows, so that no file becomes complete meanwhile …
            self.update(size=F("size"))
            # … nor is begun: PostgreSQL's weaker lock of an update would let it.
            list(self.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
            FileMeta.objects.filter(delivery__in=self).delete_with_removals()
            return super().delete()
