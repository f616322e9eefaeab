"""Exports: how far each is, whose it is, and where its file is."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore.models.leased import Leased


class Export(Leased):
    """The objects of one processor on their way into a file, for one user.

    There is a file once it is finished, and until it expires.
    """

    class State(models.TextChoices):
        """What is the matter with an export; the list is complete."""

        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        BROKEN = "broken", _("broke off, can be repeated")
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("could not run")

    class Format(models.TextChoices):
        """What kind of file it becomes."""

        CSV = "csv", _("CSV")
        XLSX = "xlsx", _("workbook")

    HOLDING = (State.WAITING, State.RUNNING, State.BROKEN)

    filters = models.JSONField(_("filters"), default=dict, blank=True)
    format = models.CharField(
        _("format"), max_length=8, choices=Format, default=Format.CSV
    )
    for_spreadsheet = models.BooleanField(_("for a spreadsheet"), default=False)
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.WAITING, db_index=True
    )
    rows = models.BigIntegerField(_("rows"), default=0)
    # As they were counted at the beginning.
    total = models.BigIntegerField(_("of"), null=True, blank=True)
    file = models.CharField(_("file"), max_length=255, blank=True, editable=False)
    size = models.BigIntegerField(_("size"), default=0)
    expires = models.DateTimeField(_("expires"), db_index=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("run_export", "Can export data")]
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="finished") & ~models.Q(file="")
                | ~models.Q(state="finished") & models.Q(file=""),
                name="deliverystore_finished_export_has_file",
            ),
        ]

    def __str__(self) -> str:
        return gettext("export %(id)s of %(processor)s") % {
            "id": self.pk,
            "processor": self.processor,
        }

    @property
    def filename(self) -> str:
        """What the file is called when it is downloaded."""
        day = timezone.localtime(self.added)
        return f"{self.processor}-{day:%Y-%m-%d}.{self.format}"

    @property
    def share_done(self) -> float | None:
        """How much is done, from 0 to 1; None if that cannot be told yet."""
        if self.state == self.State.FINISHED:
            return 1.0
        if self.total is None:
            return None
        return min(1.0, self.rows / self.total) if self.total else 1.0
