"""What the columns of files are: remembered, so that nobody says it twice."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from deliverystore.models.remembered import Remembered


class SavedMapping(Remembered):
    """To which field each column goes, of all files of a processor with this header.

    The key is a digest of the names of the columns, in no order.
    """

    mapping = models.JSONField(_("mapping"))

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
