"""A delivery: files that were handed in together."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings  # noqa: TID251 - the name of the user model
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, models, transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore import signals
from deliverystore.exceptions import (
    DeliveryNotFinished,
    DeliveryNotOpen,
    DeliveryStoreError,
    NotPermitted,
)
from deliverystore.models import finishing, receipt, receiving
from deliverystore.models.access import may
from deliverystore.models.filemeta import Condition, FileMeta
from deliverystore.models.queryset import DeliveryQuerySet
from deliverystore.models.recipient import load_recipients, recipient_fields
from deliverystore.models.removal import Removal
from deliverystore.streams import Data

if TYPE_CHECKING:
    from deliverystore.models.access import User


class Delivery(models.Model):
    """Files that were handed in together: open until finished, then unchangeable.

    number counts the finished deliveries of one recipient from 1. size (bytes) and
    file_count speak of complete files.
    """

    class State(models.TextChoices):
        """Whether files can be added."""

        OPEN = "open", _("open")
        FINISHED = "finished", _("finished")

    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.OPEN
    )
    recipient_type = models.ForeignKey(
        ContentType,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("kind of recipient"),
    )
    recipient_id = models.CharField(max_length=200, blank=True)
    recipient = GenericForeignKey("recipient_type", "recipient_id")
    number = models.PositiveBigIntegerField(_("number"), null=True)
    delivered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("delivered by"),
    )
    created = models.DateTimeField(_("created"), default=timezone.now)
    time_of_delivery = models.DateTimeField(
        _("time of delivery"), null=True, db_index=True
    )
    # What recipient and user were called when it was handed in: the receipt's words.
    recipient_name = models.CharField(max_length=255, blank=True)
    user_name = models.CharField(max_length=255, blank=True)
    copy_of = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="copies",
        verbose_name=_("copy of"),
    )
    file_count = models.PositiveIntegerField(_("files"), default=0)
    size = models.BigIntegerField(_("size"), default=0)
    manifest_digest = models.CharField(
        _("manifest's digest"), max_length=150, blank=True
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "delete")
        permissions = [
            ("download_delivery", _("Can download files that were handed in")),
            ("verify_delivery", _("Can verify stored files")),
            ("abandon_delivery", _("Can abandon open deliveries")),
            ("publish_delivery", _("Can publish files that were handed in")),
        ]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(fields=["state", "created"], name="deliverystore_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["recipient_type", "recipient_id", "number"],
                name="deliverystore_number_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="open",
                    number=None,
                    time_of_delivery=None,
                    manifest_digest="",
                )
                | Q(
                    state="finished",
                    number__isnull=False,
                    time_of_delivery__isnull=False,
                )
                & ~Q(manifest_digest=""),
                name="deliverystore_open_or_finished",
            ),
        ]

    def __str__(self) -> str:
        if self.number is None:
            return gettext("open delivery %(id)s") % {"id": self.pk}
        load_recipients([self])
        if self.recipient is None:
            return gettext("delivery %(number)s") % {"number": self.number}
        return gettext("delivery %(number)s to %(recipient)s") % {
            "number": self.number,
            "recipient": self.recipient,
        }

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save an open delivery; raise DeliveryNotOpen if it is finished."""
        if self.state == self.State.FINISHED:
            raise DeliveryNotOpen(f"{self} is finished and cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the delivery and its files; their bytes wait for the sweep."""
        return Delivery.objects.filter(pk=self.pk).delete()

    @classmethod
    def begin(
        cls, recipient: models.Model | None = None, user: User | None = None
    ) -> Delivery:
        """Open a delivery, addressed to any saved model instance, or to none."""
        return cls._open(recipient, user)

    def add_file(self, filename: str, data: Data) -> FileMeta:
        """Store one file durably and return its row.

        data is an open file, a Django File, bytes, str, or an iterable of bytes or
        str. If anything is refused or fails, neither row nor bytes are left.
        Raise DeliveryNotOpen, DuplicateFilename, InvalidName or a LimitExceeded.
        """
        return self.add_files([(filename, data)])[0]

    def add_files(self, items: Iterable[tuple[str, Data]]) -> list[FileMeta]:
        """Store several files, each a (filename, data), as add_file does: all or none.

        Faster than one by one: rows are written together, and disks wait once.
        """
        return receiving.receive(self, items)

    def add_copies(self, originals: Sequence[FileMeta]) -> list[FileMeta]:
        """Store copies of complete files under their filenames: all or none."""
        return receiving.receive_copies(self, originals)

    def finish(self) -> None:
        """Hand the delivery in: give it number, time and manifest, for good.

        All in one transaction; the signal delivery_finished follows the commit.
        Raise DeliveryNotOpen, DeliveryEmpty, DeliveryIncomplete while a file is being
        received, or a LimitExceeded.
        """
        finishing.finish(self)

    def abandon(self) -> None:
        """Give an open delivery up: remove its rows, then its bytes.

        Raise DeliveryNotOpen if it is finished.
        """
        pk = self.pk
        with transaction.atomic():
            self.lock_open()
            self.delete()
            removals = Removal.objects.filter(delivery_id=pk)
            send = signals.delivery_abandoned.send_robust
            # After the commit, whose success they cannot change any more. No partials:
            # Django could not log the name of one that fails.
            transaction.on_commit(
                lambda: removals.carry_out(FileMeta.deliverystore), robust=True
            )
            transaction.on_commit(lambda: send(Delivery, delivery_id=pk), robust=True)

    def copy(
        self, recipient: models.Model | None, user: User | None = None
    ) -> Delivery:
        """Hand the same files in to another recipient and return that delivery.

        It counts as delivered by user or, if none is given, by the same as this one.
        Raise DeliveryNotFinished if this one is open.
        """
        self.check_finished()
        copy = self._open(recipient, user or self.delivered_by, copy_of=self)
        try:
            copy.add_copies(list(self.files.order_by("pk")))
            copy.finish()
        except BaseException:
            # What cannot be abandoned now, a sweep abandons later.
            with contextlib.suppress(DeliveryStoreError, DatabaseError):
                copy.abandon()
            raise
        return copy

    def verify(self) -> list[tuple[FileMeta, Condition]]:
        """Read every complete file and say in which condition it is."""
        return [(file, file.verify()) for file in self.files.exclude(completed=None)]

    def receipt(self) -> dict[str, Any]:
        """Return the signed receipt, a JSON-able dict.

        Raise DeliveryNotFinished if the delivery is open, DeliveryChanged if its rows
        are not those that were handed in.
        """
        self.check_finished()
        return receipt.make(self)

    def check_permission(self, user: User, action: str) -> None:
        """Raise NotPermitted unless the user handed this in or has the permission.

        action is "view", "download", "verify" or "abandon".
        """
        if not self.permits(user, action):
            raise NotPermitted(f"{user} may not {action} delivery {self.pk}.")

    def permits(self, user: User, action: str) -> bool:
        """Tell whether the user handed this in or has the permission."""
        owner = user.pk is not None and user.pk == self.delivered_by_id
        return owner or may(user, action, self)

    def check_finished(self) -> None:
        """Raise DeliveryNotFinished if files can still be added."""
        if self.state != self.State.FINISHED:
            raise DeliveryNotFinished(f"Delivery {self.pk} is not finished.")

    def check_open(self) -> None:
        """Read state and totals anew; raise DeliveryNotOpen if no file can be added."""
        fields = ("state", "file_count", "size")
        row = Delivery.objects.filter(pk=self.pk).values(*fields).first()
        if row is None or row["state"] != self.State.OPEN:
            raise self._not_open()
        for name, value in row.items():
            setattr(self, name, value)

    def lock_open(self, *, files: int = 0, size: int = 0) -> None:
        """Add to the totals, and keep others out until the transaction ends.

        Raise DeliveryNotOpen if the delivery is finished or gone.
        """
        # A write, not SELECT FOR UPDATE: SQLite has only this lock.
        rows = Delivery.objects.open().filter(pk=self.pk)
        if not rows.update(file_count=F("file_count") + files, size=F("size") + size):
            raise self._not_open()

    def recount(self) -> None:
        """Set the totals to those of the complete files; call it after lock_open()."""
        complete = self.files.exclude(completed=None)
        totals = complete.aggregate(file_count=Count("pk"), size=Sum("size"))
        totals["size"] = totals["size"] or 0
        Delivery.objects.filter(pk=self.pk).update(**totals)

    @classmethod
    def _open(
        cls, recipient: models.Model | None, user: Any, **fields: Any
    ) -> Delivery:
        by = user if user is not None and user.is_authenticated else None
        addressed = recipient_fields(recipient)
        return cls.objects.create(delivered_by=by, **addressed, **fields)

    def _not_open(self) -> DeliveryNotOpen:
        return DeliveryNotOpen(
            gettext("This delivery is finished or gone; begin a new one.")
        )
