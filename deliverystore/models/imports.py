"""Imports of files with rows: how far each is, and what became of its rows."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings  # noqa: TID251 - the name of the user model
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore.models import lineage
from deliverystore.models.leased import Leased

COUNTS = (
    *("rows", "finished", "failed", "blank"),
    *("created", "updated", "removed", "unchanged"),
)


class ImportRun(Leased):
    """One import of one file, or another try of the rows that failed in a parent.

    Position, counts and failed rows are written in the transaction that writes what
    the rows changed. offset, line and record say where the next record begins.
    """

    class State(models.TextChoices):
        """What is the matter with a run; the list is complete."""

        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        BROKEN = "broken", _("broke off, can be gone on with")
        FINISHED = "finished", _("all rows are in")
        PENDING = "pending", _("some rows failed")
        STOPPED = "stopped", _("stopped, rows are left")
        CANCELLED = "cancelled", _("cancelled, rows are left")
        RETRIED = "retried", _("what failed was tried again")
        DISCARDED = "discarded", _("what failed was given up")
        TRIED = "tried", _("tried out, nothing was changed")
        FAILED = "failed", _("could not run")

    class OnError(models.TextChoices):
        """What a row that fails means for the others."""

        PENDING = "pending", _("the others go in")
        STOP = "stop", _("those behind it are left")
        ALL_OR_NOTHING = "all_or_nothing", _("none goes in")

    class Skipping(models.TextChoices):
        """Why rows from the position on are left, if they are."""

        NO = "", _("no")
        CANCELLED = "cancelled", _("the run was cancelled")
        STOPPED = "stopped", _("a row failed")
        TOO_MANY_FAILED = "too_many_failed", _("too many rows failed")
        TOO_MANY_REMOVED = "too_many_removed", _("too many objects would be removed")

    # In these the file, under its name, belongs to the run.
    HOLDING = (State.WAITING, State.RUNNING, State.BROKEN)
    # In these there are rows that are not in, nor given up.
    LEFT_OVER = (State.PENDING, State.STOPPED, State.CANCELLED)

    file = models.CharField(_("file"), max_length=255)
    size = models.BigIntegerField(_("size"), default=0)
    digest = models.CharField(_("digest"), max_length=100, blank=True, db_index=True)
    stamp = models.CharField(max_length=100, blank=True, editable=False)
    # What a file says of itself, so that it is opened in the same way again.
    layout = models.JSONField(_("layout"), default=dict, blank=True)
    header = models.JSONField(_("header"), default=list, blank=True)
    mode = models.CharField(_("mode"), max_length=16)
    mapping = models.JSONField(_("mapping"), default=dict, blank=True)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        db_index=False,
        verbose_name=_("parent run"),
    )
    # The rows are those that failed in the parent, as they are in the database.
    from_parent = models.BooleanField(_("retry"), default=False)

    on_error = models.CharField(
        _("when a row fails"), max_length=16, choices=OnError, default=OnError.PENDING
    )
    max_failed = models.CharField(_("failed at most"), max_length=16, blank=True)
    max_removed = models.CharField(_("removed at most"), max_length=16, blank=True)
    dry_run = models.BooleanField(_("dry run"), default=False)
    log_changes = models.BooleanField(_("log changes"), default=False)

    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.WAITING, db_index=True
    )
    skipping = models.CharField(
        _("rows are left"),
        max_length=20,
        choices=Skipping,
        default=Skipping.NO,
        blank=True,
    )
    cancelling = models.BooleanField(_("to be cancelled"), default=False)
    is_read = models.BooleanField(_("all rows are read"), default=False)
    offset = models.BigIntegerField(_("offset"), null=True, blank=True)
    line = models.BigIntegerField(_("line"), null=True, blank=True)
    record = models.BigIntegerField(_("record"), null=True, blank=True)
    # How many objects there were at the beginning.
    objects_before = models.BigIntegerField(null=True, blank=True, editable=False)

    rows = models.BigIntegerField(_("rows"), default=0)
    finished = models.BigIntegerField(_("finished"), default=0)
    failed = models.BigIntegerField(_("failed"), default=0)
    blank = models.BigIntegerField(_("blank"), default=0)
    created = models.BigIntegerField(_("created"), default=0)
    updated = models.BigIntegerField(_("updated"), default=0)
    removed = models.BigIntegerField(_("removed"), default=0)
    unchanged = models.BigIntegerField(_("unchanged"), default=0)
    # As JSON, which may have what the database takes for no text.
    differences = models.TextField(_("differences"), default="[]", blank=True)

    finished_file = models.CharField(_("finished file"), max_length=255, blank=True)
    pending_file = models.CharField(
        _("pending file"), max_length=255, blank=True, db_index=True
    )
    original_file = models.CharField(_("original"), max_length=255, blank=True)

    discarded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("given up by"),
    )
    discarded_at = models.DateTimeField(_("given up at"), null=True, blank=True)
    discarded_because = models.TextField(_("given up because"), blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("run_import", "Can import files")]
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        # The list, newest first, of some of many: what one may see, or asks for.
        indexes = [
            models.Index(fields=["file", "-id"], name="deliverystore_runs_of_file"),
            models.Index(fields=["parent", "-id"], name="deliverystore_later_tries"),
            models.Index(
                fields=["processor", "mode", "-id"], name="deliverystore_runs_of"
            ),
            models.Index(
                fields=["-id"],
                condition=Q(dry_run=True),
                name="deliverystore_dry_runs",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(rows=F("finished") + F("failed") + F("blank")),
                name="deliverystore_rows_accounted_for",
            ),
            models.CheckConstraint(
                condition=Q(
                    finished=F("created") + F("updated") + F("removed") + F("unchanged")
                ),
                name="deliverystore_finished_accounted_for",
            ),
            models.UniqueConstraint(
                fields=["file"],
                condition=Q(state__in=["waiting", "running", "broken"]),
                name="deliverystore_one_run_per_file",
            ),
        ]

    def __str__(self) -> str:
        return gettext("import %(id)s of %(file)s") % {"id": self.pk, "file": self.file}

    @property
    def is_in_one_go(self) -> bool:
        """Whether all its rows are one transaction."""
        return self.dry_run or self.on_error == self.OnError.ALL_OR_NOTHING

    @property
    def share_read(self) -> float | None:
        """How much of the rows is read, from 0 to 1; None if that cannot be told."""
        if self.is_read:
            return 1.0
        done, total = self.amount_read
        return done / total if total else None

    @property
    def amount_read(self) -> tuple[int, int | None]:
        """How much is read, and of how much: bytes of a file, or rows of a parent.

        Of a workbook only the rows read are known: its offset counts rows, too.
        """
        if self.from_parent and self.parent is not None:
            return self.rows, self.parent.failed
        if self.layout.get("sheet") or not self.size:
            return self.rows, None
        return self.offset or 0, self.size

    @property
    def first(self) -> ImportRun:
        """The run that this one goes back to: the one of the original file."""
        if self.parent_id is None:
            return self
        using = ImportRun.objects.db
        return ImportRun.objects.get(pk=lineage.above(self.parent_id, using)[-1].id)

    @property
    def shown_differences(self) -> list[dict[str, Any]]:
        """The first changes of a dry run: number, action, label, and field by field."""
        return list(json.loads(self.differences))

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows of each kind, and of what they did."""
        return {name: getattr(self, name) for name in COUNTS}
