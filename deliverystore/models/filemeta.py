"""The row of one file of a delivery."""

from __future__ import annotations

import io
import logging
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, cast

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore.backends import DeliveryStoreInterface, default_store
from deliverystore.digests import VerifiedReader
from deliverystore.exceptions import (
    DeliveryIncomplete,
    DeliveryNotOpen,
    FileDamaged,
    FileNotFound,
    NotPermitted,
    SettingInvalid,
)
from deliverystore.models.access import User, may
from deliverystore.models.removal import Removal
from deliverystore.paths import MAX_FILENAME_LENGTH
from deliverystore.streams import CHUNK_SIZE

if TYPE_CHECKING:
    from deliverystore.models.delivery import Delivery


logger = logging.getLogger(__name__)

# So many files show whether a store is the right one.
_SOME = 10


class Condition(models.TextChoices):
    """How the bytes in the store compare with what was handed in."""

    INTACT = "intact", _("intact")
    MISSING = "missing", _("missing")
    DAMAGED = "damaged", _("damaged")
    UNREADABLE = "unreadable", _("unreadable")


class FileMetaQuerySet(models.QuerySet["FileMeta"]):
    """Files whose bytes are remembered when their rows are deleted."""

    def get_for(self, user: User, action: str, pk: int) -> FileMeta:
        """Return the file of this id, with which the user may do this.

        Raise NotPermitted, also if there is none: only who may do this with all
        deliveries learns that, by DoesNotExist.
        """
        file = self.select_related("delivery").filter(pk=pk).first()
        if file is not None and file.delivery.permits(user, action):
            return file
        if file is None and may(user, action):
            raise FileMeta.DoesNotExist(f"There is no file {pk}.")
        raise NotPermitted(f"{user} may not {action} file {pk}.")

    def any_in(self, store: DeliveryStoreInterface) -> bool:
        """Tell if a store has some of these files, asked of the oldest and the newest.

        If not, it is hardly the store that was written to: a folder that is not
        mounted, another bucket. True if there are no complete files.
        """
        files = self.exclude(completed=None).only("delivery_id", "stored_as")
        some = [*files.order_by("pk")[:_SOME], *files.order_by("-pk")[:_SOME]]
        return not some or any(map(store.exists, some))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete rows; their bytes wait for the sweep.

        Raise DeliveryNotOpen if one of them belongs to a finished delivery.
        """
        if self.filter(delivery__number__isnull=False).exists():
            raise DeliveryNotOpen(gettext("A finished delivery cannot lose a file."))
        return self.delete_with_removals()

    def delete_with_removals(self) -> tuple[int, dict[str, int]]:
        """Delete rows, also together with their finished deliveries."""
        with transaction.atomic():
            # A write, not SELECT FOR UPDATE: SQLite has only this lock.
            self.update(size=F("size"))
            Removal.objects.record(self)
            return super().delete()


class FileMeta(models.Model):
    """One file of a delivery: what it is called, and what its bytes must be.

    A row without a time of completion is still being received. size counts bytes;
    digest has the form "<algorithm>:<hex>".
    """

    deliverystore: ClassVar[DeliveryStoreInterface] = default_store

    delivery = models.ForeignKey(
        "deliverystore.Delivery",
        on_delete=models.CASCADE,
        related_name="files",
        verbose_name=_("delivery"),
    )
    filename = models.CharField(_("filename"), max_length=MAX_FILENAME_LENGTH)
    # NULL while receiving: only complete files must differ by name.
    name_key = models.CharField(  # noqa: DJ001
        max_length=3 * MAX_FILENAME_LENGTH,
        null=True,
        editable=False,
        db_index=True,
    )
    size = models.BigIntegerField(_("size"), default=0)
    digest = models.CharField(_("digest"), max_length=150, blank=True, db_index=True)
    content_type = models.CharField(_("content type"), max_length=255)
    stored_as = models.CharField(_("stored as"), max_length=1024, blank=True)
    created = models.DateTimeField(_("first byte"), default=timezone.now)
    completed = models.DateTimeField(_("last byte"), null=True)

    objects = FileMetaQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ("pk",)
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = [
            models.Index(
                fields=["stored_as"],
                condition=~Q(stored_as=""),
                name="deliverystore_file_stored_as",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "name_key"], name="deliverystore_filename_once"
            ),
            models.CheckConstraint(
                condition=Q(completed=None, name_key=None, digest="")
                | Q(completed__isnull=False, name_key__isnull=False) & ~Q(digest=""),
                name="deliverystore_file_complete_or_not",
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save a new row; raise DeliveryNotOpen if it is that of a complete file."""
        if self.is_complete and not self._state.adding:
            raise DeliveryNotOpen(f"{self.filename!r} is complete and cannot change.")
        super().save(*args, **kwargs)

    @property
    def is_complete(self) -> bool:
        """Whether all bytes have been received."""
        return self.completed is not None

    def open(self, *, buffering: int = CHUNK_SIZE) -> BinaryIO:
        """Return the file, open for reading bytes; the caller closes it.

        Read from the start to the end, it raises FileDamaged before giving out the
        last bytes if they are not those that were handed in. buffering 0 saves a copy
        where it is read in large pieces. Raise FileNotFound if the store has lost it,
        DeliveryIncomplete if it is still being received.
        """
        self._check_complete()
        reader = self.open_in(self.deliverystore)
        if buffering:
            return io.BufferedReader(reader, buffering)
        return cast("BinaryIO", reader)

    def open_in(self, store: DeliveryStoreInterface) -> VerifiedReader:
        """Return the file as open() does, unbuffered, from any store that has it."""
        return VerifiedReader(
            store.read_open(self),
            digest=self.digest,
            size=self.size,
            what=f"{self.filename!r} of delivery {self.delivery_id}",
        )

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in pieces of at most 1 MiB, compared as open() says."""
        with self.open(buffering=0) as file:
            while chunk := file.read(CHUNK_SIZE):
                yield chunk

    def open_range(self, start: int, length: int) -> BinaryIO:
        """Return length bytes from start on as an open file; the caller closes it.

        A part cannot be compared with the digest of the whole. Raise as open() does.
        """
        self._check_complete()
        return self.deliverystore.read_range(self, start, length)

    def open_for(self, user: User) -> BinaryIO:
        """Return the file as open() does; raise NotPermitted if the user may not."""
        self.delivery.check_permission(user, "download")
        return self.open()

    def get_all_data_as_string(self) -> bytes:
        """Return the whole content as bytes; for files that fit into memory."""
        with self.open() as file:
            return file.read()

    def verify(self) -> Condition:
        """Read the stored bytes and compare them with what was handed in."""
        condition, error = self.examine()
        if condition is Condition.UNREADABLE:
            text = "%s of delivery %s cannot be read."
            logger.error(text, self, self.delivery_id, exc_info=error)
        return condition

    def examine(
        self, advance: Callable[[int], object] = int
    ) -> tuple[Condition, Exception | None]:
        """Do as verify(), and return also the error that tells why.

        advance is told how many more bytes were read; it may raise, to stop.
        """
        try:
            self.read_through(advance)
        except FileNotFound as error:
            return Condition.MISSING, error
        except FileDamaged as error:
            return Condition.DAMAGED, error
        except (OSError, SettingInvalid) as error:
            return Condition.UNREADABLE, error
        return Condition.INTACT, None

    def read_through(self, advance: Callable[[int], object] = int) -> None:
        """Read the stored bytes to their end; raise what is wrong with them."""
        for chunk in self.chunks():
            advance(len(chunk))

    def restore_from(self, store: DeliveryStoreInterface) -> None:
        """Replace the stored bytes by those that another store has for this file.

        They are compared on the way: raise FileDamaged if they are not those that
        were handed in either, and leave everything as it was.
        """
        with (
            self.open_in(store) as source,
            self.deliverystore.write_open(self) as target,
        ):
            shutil.copyfileobj(source, target, CHUNK_SIZE)
        # A storage that does not replace has stored it under another name.
        FileMeta.objects.filter(pk=self.pk).update(stored_as=self.stored_as)

    def copy(self, delivery: Delivery) -> FileMeta:
        """Copy row and bytes into an open delivery and return the new row."""
        return delivery.add_copies([self])[0]

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Remove the file from its open delivery, then its bytes.

        Raise DeliveryNotOpen if the delivery is finished.
        """
        pk = self.pk
        with transaction.atomic():
            self.delivery.lock_open()
            deleted = FileMeta.objects.filter(pk=pk).delete_with_removals()
            self.delivery.recount()
            removals = Removal.objects.filter(filemeta_id=pk)
            # Not a partial, whose name Django could not log if it fails.
            transaction.on_commit(
                lambda: removals.carry_out(self.deliverystore), robust=True
            )
        return deleted

    def _check_complete(self) -> None:
        if not self.is_complete:
            raise DeliveryIncomplete(f"{self.filename!r} is still being received.")
