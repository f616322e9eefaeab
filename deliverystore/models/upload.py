"""Uploads that can be resumed: how much of a file has come so far."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deliverystore import fsops
from deliverystore.conf import conf
from deliverystore.exceptions import SettingInvalid, UploadNotFound, WrongOffset
from deliverystore.paths import MAX_FILENAME_LENGTH

if TYPE_CHECKING:
    from deliverystore.models.filemeta import FileMeta

# Nothing else in the folder is ours to remove.
_PARTIAL_FILE = re.compile("[0-9a-f]{32}")


class UploadQuerySet(models.QuerySet["Upload"]):
    """Uploads, by how far they are."""

    def running(self) -> Self:
        """Return those whose file is not in its delivery yet."""
        return self.filter(filemeta_id=None)

    def stale(self) -> Self:
        """Return those without news since DELIVERY_STORE_ABANDON_AFTER."""
        return self.filter(
            updated__lte=timezone.now() - conf.DELIVERY_STORE_ABANDON_AFTER
        )

    def bytes_announced(self) -> int:
        """Return how many bytes these uploads have, or will have when they end."""
        return self.aggregate(sum=Sum("length"))["sum"] or 0


class Upload(models.Model):
    """A file on its way into an open delivery, and how many of its bytes are kept.

    offset bytes of length have been answered for. They lie in the partial file at
    path, which may be longer after a crash. Once all are there and the file is in
    its delivery, filemeta_id names it, and the partial file is gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    delivery = models.ForeignKey(
        "deliverystore.Delivery",
        on_delete=models.CASCADE,
        related_name="uploads",
        verbose_name=_("delivery"),
    )
    filename = models.CharField(_("filename"), max_length=MAX_FILENAME_LENGTH)
    metadata = models.TextField(_("metadata"), blank=True)
    length = models.BigIntegerField(_("length"))
    offset = models.BigIntegerField(_("offset"), default=0)
    # No foreign key, which would make deleting many files slow.
    filemeta_id = models.BigIntegerField(_("file"), null=True)
    created = models.DateTimeField(_("created"), default=timezone.now)
    updated = models.DateTimeField(_("updated"), default=timezone.now, db_index=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        constraints = [
            models.CheckConstraint(
                condition=Q(offset__gte=0, offset__lte=F("length")),
                name="deliverystore_offset_within_length",
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def path(self) -> Path:
        """Where the bytes lie that have come so far."""
        return partial_files_policy().root / self.id.hex

    @property
    def is_received(self) -> bool:
        """Whether all bytes have come."""
        return self.offset == self.length

    @property
    def expires(self) -> datetime:
        """When a sweep abandons the delivery, if it is not finished before."""
        return self.delivery.created + conf.DELIVERY_STORE_ABANDON_AFTER

    def file(self) -> FileMeta | None:
        """Return the file in the delivery, unless it is not there yet, or removed."""
        if self.filemeta_id is None:
            return None
        return self.delivery.files.filter(pk=self.filemeta_id).first()

    def check_offset(self, offset: int) -> None:
        """Raise WrongOffset unless this is where the upload goes on."""
        if offset != self.offset:
            raise WrongOffset(
                f"{self.offset} bytes of {self.filename!r} are kept: "
                f"continue there, not at {offset}."
            )

    def record(self, **changes: Any) -> None:
        """Write down the news; raise UploadNotFound if the upload is gone meanwhile."""
        changes["updated"] = timezone.now()
        if not Upload.objects.filter(pk=self.pk).update(**changes):
            raise UploadNotFound(f"The upload of {self.filename!r} was given up.")
        for name, value in changes.items():
            setattr(self, name, value)

    def discard(self) -> None:
        """Remove the row, then the partial file, whose lock the caller holds."""
        path, policy = self.path, partial_files_policy()
        self.delete()
        with contextlib.suppress(FileNotFoundError):
            fsops.remove(path, policy)


def orphans() -> Iterator[Path]:
    """Yield old partial files without a row: it went with its delivery, or in a crash.

    Old means: unchanged since DELIVERY_STORE_ABANDON_AFTER.
    """
    try:
        entries = os.scandir(partial_files_policy().root)
    except FileNotFoundError:
        # No upload has begun yet.
        return
    with entries:
        yield from (Path(entry.path) for entry in entries if _is_orphan(entry))


def partial_files_policy() -> fsops.Policy:
    """Return how partial files are changed; they are for the server's eyes only.

    Raise SettingInvalid if DELIVERY_STORE_UPLOAD_ROOT is not set.
    """
    root = conf.DELIVERY_STORE_UPLOAD_ROOT
    if not root:
        raise SettingInvalid(
            "DELIVERY_STORE_UPLOAD_ROOT is not set: name the folder for uploads."
        )
    return fsops.Policy(
        root=Path(root),
        durability=fsops.Durability(conf.DELIVERY_STORE_DURABILITY),
        file_permissions=0o600,
    )


def _is_orphan(entry: os.DirEntry[str]) -> bool:
    if not _PARTIAL_FILE.fullmatch(entry.name):
        return False
    oldest = timezone.now() - conf.DELIVERY_STORE_ABANDON_AFTER
    with contextlib.suppress(FileNotFoundError):
        return (
            entry.stat().st_mtime < oldest.timestamp()
            and not Upload.objects.filter(pk=UUID(entry.name)).exists()
        )
    return False
