"""Assignments: to them homework is handed in."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from deliverystore.models import Delivery
from deliverystore.models.queryset import DeliveryQuerySet


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def with_delivery_count(self) -> AssignmentQuerySet:
        """Give each assignment a delivery_count: of those that are finished."""
        deliveries = Delivery.objects.finished().filter(
            recipient_type=ContentType.objects.get_for_model(Assignment),
            recipient_id=Cast(OuterRef("pk"), models.CharField()),
        )
        count = deliveries.values("recipient_id").annotate(n=Count("pk")).values("n")
        return self.annotate(delivery_count=Coalesce(Subquery(count), 0))


class Assignment(models.Model):
    """What the students of a course have to do until a deadline.

    It is an ordinary model: deliverystore takes any model as a recipient.
    """

    course = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    deadline = models.DateTimeField()
    gallery = models.BooleanField(
        default=False, help_text="Show visitors pictures of what is handed in."
    )
    delivery_count: int  # with_delivery_count() sets it

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ("deadline", "pk")

    def __str__(self) -> str:
        return f"{self.title} ({self.course})"

    def get_absolute_url(self) -> str:
        return reverse("campus:assignment", args=[self.pk])

    @property
    def is_over(self) -> bool:
        return self.deadline < timezone.now()

    @property
    def deliveries(self) -> DeliveryQuerySet:
        """Everything that was or is being handed in to this assignment."""
        return Delivery.objects.for_recipient(self)

    @property
    def deliveries_in_admin(self) -> str:
        """The URL of the admin's list of these deliveries."""
        kind = ContentType.objects.get_for_model(self).pk
        query = urlencode({"recipient_type": kind, "recipient_id": self.pk})
        return f"{reverse('admin:deliverystore_delivery_changelist')}?{query}"

    def open_delivery_of(self, user: User) -> Delivery | None:
        """Return the delivery to which the user is still adding files, if any."""
        return self.deliveries.open().filter(delivered_by=user.pk).first()

    def begin_or_continue(self, user: User) -> Delivery:
        """Return the user's open delivery; begin one if there is none."""
        with transaction.atomic():
            # Two tabs of one student must not begin one each.
            Assignment.objects.select_for_update().get(pk=self.pk)
            return self.open_delivery_of(user) or Delivery.begin(self, user)
