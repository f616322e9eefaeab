"""What the columns of files are: remembered, so that nobody says it twice."""

from __future__ import annotations

from django.conf import settings  # noqa: TID251 - the name of the user model
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SavedMapping(models.Model):
    """To which field each column goes, of all files of a processor with this header."""

    processor = models.CharField(_("processor"), max_length=100)
    # A digest of the names of the columns, in no order.
    key = models.CharField(max_length=64)
    mapping = models.JSONField(_("mapping"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    changed = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        default_permissions = ()
        verbose_name = _("saved mapping")
        verbose_name_plural = _("saved mappings")
        constraints = [
            models.UniqueConstraint(
                fields=["processor", "key"], name="deliverystore_one_mapping"
            )
        ]

    def __str__(self) -> str:
        return f"{self.processor}: {', '.join(sorted(self.mapping))}"
