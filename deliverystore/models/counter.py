"""Numbers that count without gaps, whoever counts at the same moment."""

from __future__ import annotations

from django.db import models
from django.db.models import F


class Counter(models.Model):
    """The last number given out for a key.

    Counting locks the row until the transaction ends: the next one waits, and a
    number is free again if the transaction is rolled back.
    """

    key = models.CharField(max_length=255, primary_key=True)
    value = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"

    @classmethod
    def next(cls, key: str) -> int:
        """Count one further and return the number; call it inside a transaction."""
        row = Counter.objects.filter(key=key)
        if not row.update(value=F("value") + 1):
            Counter.objects.bulk_create([Counter(key=key)], ignore_conflicts=True)
            row.update(value=F("value") + 1)
        number: int = row.values_list("value", flat=True).get()
        return number
