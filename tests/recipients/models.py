"""Whom the tests deliver to, with a number or a UUID as key; and files of their own."""

from __future__ import annotations

import uuid

from django.db import models

from deliverystore.backends import FsDeliveryStore, FsHierDeliveryStore


class Department(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class Course(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.title


def store_of_the_settings() -> FsDeliveryStore:
    return FsDeliveryStore()


class Attachment(models.Model):
    plain = models.FileField(storage=FsDeliveryStore(), upload_to="plain")
    hierarchic = models.FileField(storage=FsHierDeliveryStore(interval=10), blank=True)
    short = models.FileField(
        storage=FsDeliveryStore(base_url="/files/"), max_length=30, blank=True
    )
    chosen = models.FileField(storage=store_of_the_settings, blank=True)

    def __str__(self) -> str:
        return str(self.plain)
