"""Bytes whose row was deleted, and which a sweep removes after the grace period."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deliverystore.backends import DeliveryStoreInterface
from deliverystore.conf import conf
from deliverystore.exceptions import FileNotFound

if TYPE_CHECKING:
    from deliverystore.models.filemeta import FileMeta, FileMetaQuerySet

logger = logging.getLogger(__name__)

_BATCH = 500
# However short the grace period: what is being written was touched since.
_WRITING = timedelta(hours=1)


def patience() -> timedelta:
    """Return for how long what is being written may be untouched."""
    return max(conf.DELIVERY_STORE_GRACE, _WRITING)


def untouched_since() -> datetime:
    """Return the moment before which bytes without a row, or a name, are left over."""
    return datetime.now(UTC) - patience()


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

    def without_row(self) -> RemovalQuerySet:
        """Return those whose file has no row: no bytes go that a row still names."""
        files = apps.get_model("deliverystore", "FileMeta").objects
        return self.filter(~Exists(files.filter(pk=OuterRef("filemeta_id"))))

    def carry_out(self, store: DeliveryStoreInterface) -> int:
        """Remove the bytes of these removals, then their rows; return how many.

        What a store refuses to remove is logged and stays for the next time. So do
        bytes that are not there, if the store has not got those of others either.
        """
        with closing(self.carry_out_each(store)) as results:
            return sum(results)

    def carry_out_each(
        self, store: DeliveryStoreInterface
    ) -> Generator[bool, None, None]:
        """Do as carry_out, and yield of each whether its bytes are gone for good.

        Whoever does not take all results closes it: then the rows of those go, too.
        """
        files = apps.get_model("deliverystore", "FileMeta").objects
        is_right_store = cache(partial(_has_any, store, files.all()))
        last = 0
        gone = self.without_row().order_by("pk")
        while batch := list(gone.filter(pk__gt=last)[:_BATCH]):
            last = batch[-1].pk
            done = []
            try:
                for removal in batch:
                    if is_gone := removal.remove_bytes(store, is_right_store):
                        done.append(removal.pk)
                    yield is_gone
            finally:
                self.model.objects.filter(pk__in=done).delete()


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
        indexes = [
            models.Index(
                fields=["stored_as"],
                condition=~Q(stored_as=""),
                name="deliverystore_gone_stored_as",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.filemeta_id}"

    def remove_bytes(
        self, store: DeliveryStoreInterface, is_right_store: Callable[[], bool]
    ) -> bool:
        """Remove the bytes; tell whether they are gone for good.

        is_right_store is asked when they are not there: a folder that is not mounted
        has not got them either.
        """
        try:
            store.remove(
                Address(
                    pk=self.filemeta_id,
                    delivery_id=self.delivery_id,
                    stored_as=self.stored_as,
                )
            )
        except FileNotFound:
            # Perhaps they are just on their way: look again when it is due.
            is_due = self.removed_at <= timezone.now() - conf.DELIVERY_STORE_GRACE
            return is_due and is_right_store()
        except OSError:
            logger.exception("The bytes of the removed file %s stay for now.", self)
            return False
        return True


@dataclass(kw_only=True)
class Address:
    """What a store needs to know of a FileMeta, also of one that is gone."""

    pk: int
    delivery_id: int
    stored_as: str


def _has_any(store: DeliveryStoreInterface, files: FileMetaQuerySet) -> bool:
    """Tell if a store is the right one, as far as the files that are left show it."""
    try:
        if files.any_in(store):
            return True
        fault = "it has none of the files either that it should have"
    except OSError as error:
        fault = str(error)
    logger.error(
        "Removed files that the store has not got are looked for again: %s.", fault
    )
    return False
