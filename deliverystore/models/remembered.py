"""What is said once of the files of a processor, and holds for all that follow."""

from __future__ import annotations

from django.conf import settings  # noqa: TID251 - the name of the user model
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Remembered(models.Model):
    """What somebody has said; a subclass says what its key is a digest of."""

    processor = models.CharField(_("processor"), max_length=100)
    key = models.CharField(max_length=64)
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
        abstract = True

    @classmethod
    def remember(
        cls, processor: str, key: str, user_id: int | str | None, **said: object
    ) -> None:
        """Write down what was said, in place of what was said before.

        In one statement: who reads first may be refused the writing on SQLite.
        """
        row = cls(processor=processor, key=key, user_id=user_id, **said)
        cls._default_manager.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["processor", "key"],
            update_fields=[*said, "user", "changed"],
        )
