"""What became of a file on its way to the visitors, and what they see of it."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore.backends.handler import store_for
from deliverystore.conf import conf
from deliverystore.models.filemeta import FileMeta
from deliverystore.models.leased import Leased


class Publication(Leased):
    """The work of a media processor on one file: whether it is done, and how it ended.

    progress goes from 0 to 1. Of a failure, there are the class of the error, its
    message, and what its processor gave to it. attempts counts the workers that have
    taken it since it was asked for.
    """

    class State(models.TextChoices):
        """How far a publication is; the list is complete."""

        UNPROCESSED = "unprocessed", _("waiting")
        PROCESSING = "processing", _("being processed")
        PROCESSED = "processed", _("published")
        FAILED = "failed", _("failed")

    HOLDING = (State.UNPROCESSED, State.PROCESSING)
    RUNNING = State.PROCESSING
    # A processor may be busy for long without a word.
    LEASE = timedelta(minutes=30)

    filemeta = models.OneToOneField(
        FileMeta,
        on_delete=models.CASCADE,
        related_name="publication",
        verbose_name=_("file"),
    )
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=State,
        default=State.UNPROCESSED,
        db_index=True,
    )
    progress = models.FloatField(_("progress"), default=0.0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    error_class = models.CharField(_("kind of error"), max_length=200, blank=True)
    error_metadata = models.JSONField(_("about the error"), default=dict, blank=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("publication")
        verbose_name_plural = _("publications")

    def __str__(self) -> str:
        return gettext("publication of %(file)s") % {"file": self.filemeta.filename}


class PublishedFileQuerySet(models.QuerySet["PublishedFile"]):
    """What was put into the public store."""

    def public(self) -> PublishedFileQuerySet:
        """Return what visitors may see."""
        state = self.model.State.PUBLIC
        return self.filter(state=state, filemeta__isnull=False)

    def being_written(self) -> PublishedFileQuerySet:
        """Return what a job has begun to put there."""
        return self.filter(state=self.model.State.WRITING)

    def retire(self, *, after: timedelta = timedelta(0)) -> int:
        """Say that these are no longer needed, and their bytes can go after a time."""
        return self.update(
            state=self.model.State.REMOVED, remove_after=timezone.now() + after
        )


class PublishedFile(models.Model):
    """One file in the public store, recorded from before its bytes until after them.

    keyname says what it is of the file that was handed in, such as "thumbnail";
    filepath is the list of parts under which the public store has it. size counts
    bytes; digest has the form "<algorithm>:<hex>".
    """

    class State(models.TextChoices):
        """Whether visitors may see it; the list is complete."""

        WRITING = "writing", _("being written")
        PUBLIC = "public", _("public")
        REMOVED = "removed", _("to be removed")

    # NULL if the file was deleted: then its bytes are to go.
    filemeta = models.ForeignKey(
        FileMeta,
        on_delete=models.SET_NULL,
        null=True,
        related_name="published_files",
        verbose_name=_("file"),
    )
    keyname = models.CharField(_("key name"), max_length=100)
    filepath = models.JSONField(_("file path"))
    size = models.BigIntegerField(_("size"))
    digest = models.CharField(_("digest"), max_length=150)
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.WRITING
    )
    added = models.DateTimeField(_("added"), default=timezone.now)
    remove_after = models.DateTimeField(_("removed after"), null=True, blank=True)

    objects = PublishedFileQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ("pk",)
        verbose_name = _("published file")
        verbose_name_plural = _("published files")
        indexes = [
            # Few are anything but public; these are looked for by the sweep.
            models.Index(
                fields=["state", "remove_after"],
                condition=~Q(state="public"),
                name="deliverystore_to_be_removed",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["filemeta", "keyname"],
                condition=Q(state="public"),
                name="deliverystore_public_once",
            ),
            models.CheckConstraint(
                condition=Q(state="removed") ^ Q(remove_after__isnull=True),
                name="deliverystore_removed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.filemeta_id}: {self.keyname}"

    @property
    def url(self) -> str:
        """The address at which visitors get it. Raise ValueError if it has none."""
        store = store_for(conf.DELIVERY_STORE_PUBLIC_STORAGE)
        return store.url("/".join(self.filepath))
