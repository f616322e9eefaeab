"""What a project without this app would have: a row with a FileField."""

from __future__ import annotations

from django.db import models


class Upload(models.Model):
    """One file, kept by Django's FileSystemStorage."""

    file = models.FileField(upload_to="uploads")

    class Meta:
        app_label = "benchmarks"

    def __str__(self) -> str:
        return self.file.name
