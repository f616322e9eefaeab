"""What a worker does in the background: for whom, who is at it, how it is going."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings  # noqa: TID251 - the name of the user model
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Leased(models.Model):
    """Work that one worker at a time has the lease of; a subclass names its states."""

    # The states in which the work is not over.
    HOLDING: Collection[str] = ()
    # The state of work that has a worker.
    RUNNING = "running"
    # Between two steps is less; a worker that is silent for longer has lost its work.
    LEASE = timedelta(minutes=2)

    processor = models.CharField(_("processor"), max_length=100)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    # Its choices are the subclass's own.
    state = models.CharField(_("state"), max_length=16, default="waiting")
    worker = models.CharField(_("worker"), max_length=200, blank=True)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    heartbeat = models.DateTimeField(_("last step"), null=True, blank=True)
    added = models.DateTimeField(_("added"), default=timezone.now, db_index=True)
    started = models.DateTimeField(_("started"), null=True, blank=True)
    ended = models.DateTimeField(_("ended"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        abstract = True

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.state not in self.HOLDING
