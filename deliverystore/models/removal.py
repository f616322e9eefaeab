"""Bytes whose row was deleted, and which a sweep removes after the grace period."""

from __future__ import annotations

import logging
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deliverystore.backends import DeliveryStoreInterface
from deliverystore.conf import conf
from deliverystore.exceptions import FileNotFound

if TYPE_CHECKING:
    from deliverystore.models.filemeta import FileMeta

logger = logging.getLogger(__name__)

_BATCH = 500


class RemovalQuerySet(models.QuerySet["Removal"]):
    """Removals and how they are carried out."""

    def record(self, files: models.QuerySet[FileMeta]) -> None:
        """Write down that the bytes of these files can go, with their deletion.

        The rows must be locked, so that what is written down is what is deleted.
        """
        fields = ("pk", "delivery_id", "stored_as")
        rows = files.values_list(*fields).iterator()
        while batch := list(islice(rows, _BATCH)):
            Removal.objects.bulk_create(
                Removal(
                    filemeta_id=pk,
                    delivery_id=delivery_id,
                    stored_as=stored_as,
                    removed_at=timezone.now(),
                )
                for pk, delivery_id, stored_as in batch
            )

    def due(self, grace: timedelta | None = None) -> RemovalQuerySet:
        """Return those that have waited for the grace period."""
        grace = conf.DELIVERY_STORE_GRACE if grace is None else grace
        return self.filter(removed_at__lte=timezone.now() - grace)

    def carry_out(self, store: DeliveryStoreInterface) -> int:
        """Remove the bytes of these removals, then their rows; return how many.

        What a store refuses to remove is logged and stays for the next time.
        """
        count = 0
        last = 0
        # No bytes go that a row still names, whatever else went wrong.
        files = apps.get_model("deliverystore", "FileMeta").objects
        named = files.filter(pk=OuterRef("filemeta_id"))
        gone = self.filter(~Exists(named)).order_by("pk")
        while batch := list(gone.filter(pk__gt=last)[:_BATCH]):
            last = batch[-1].pk
            done = [removal.pk for removal in batch if removal.remove_bytes(store)]
            count += self.model.objects.filter(pk__in=done).delete()[0]
        return count


class Removal(models.Model):
    """Bytes that no row names any more; it is written with the row's deletion."""

    filemeta_id = models.BigIntegerField(_("file"), db_index=True)
    delivery_id = models.BigIntegerField(_("delivery"), db_index=True)
    stored_as = models.CharField(_("stored as"), max_length=1024, blank=True)
    removed_at = models.DateTimeField(_("removed at"), db_index=True)

    objects = RemovalQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("removal")
        verbose_name_plural = _("removals")

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.filemeta_id}"

    def remove_bytes(self, store: DeliveryStoreInterface) -> bool:
        """Remove the bytes; tell whether they are gone for good."""
        try:
            store.remove(_Address(self))
        except FileNotFound:
            # Perhaps they are just on their way: look again when it is due.
            return self.removed_at <= timezone.now() - conf.DELIVERY_STORE_GRACE
        except OSError:
            logger.exception("The bytes of the removed file %s stay for now.", self)
            return False
        return True


class _Address:
    """What a store needs to know of the FileMeta that is gone."""

    def __init__(self, removal: Removal) -> None:
        self.pk = removal.filemeta_id
        self.delivery_id = removal.delivery_id
        self.stored_as = removal.stored_as
