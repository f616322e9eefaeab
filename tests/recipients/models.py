"""Whom the tests deliver to: one model with a number as key, one with a UUID."""

from __future__ import annotations

import uuid

from django.db import models


class Department(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class Course(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.title
