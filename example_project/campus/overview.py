"""How far a student is with each assignment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.contenttypes.models import ContentType

from deliverystore.models import Delivery

from .models import Assignment


@dataclass(kw_only=True)
class Standing:
    """One assignment, and what one student has done about it."""

    assignment: Assignment
    begun: Delivery | None = None
    finished: list[Delivery] = field(default_factory=list)

    def add(self, delivery: Delivery) -> None:
        if delivery.state == Delivery.State.FINISHED:
            self.finished.append(delivery)
        elif delivery.file_count:
            self.begun = delivery


def standings(
    assignments: Iterable[Assignment], user: User | AnonymousUser
) -> Iterable[Standing]:
    """Return the standing of a user with each assignment, by one query for all."""
    by_id = {str(one.pk): Standing(assignment=one) for one in assignments}
    for delivery in _deliveries_of(user):
        if standing := by_id.get(delivery.recipient_id):
            standing.add(delivery)
    return by_id.values()


def _deliveries_of(user: User | AnonymousUser) -> Iterator[Delivery]:
    if user.pk is not None:
        kind = ContentType.objects.get_for_model(Assignment)
        mine = Delivery.objects.filter(delivered_by=user.pk, recipient_type=kind)
        yield from mine.order_by("time_of_delivery", "pk")
