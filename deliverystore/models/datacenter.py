"""What is known of the files in a data center."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DataFileInfo(models.Model):
    """How many records a file has, as long as its size and time stay the same.

    digest and uploaded are of files that were uploaded; others were dropped in.
    """

    name = models.CharField(_("name"), max_length=255, unique=True)
    size = models.BigIntegerField(_("size"))
    modified = models.DateTimeField(_("modified"))
    records = models.BigIntegerField(_("records"))
    digest = models.CharField(_("digest"), max_length=100, blank=True, db_index=True)
    uploaded = models.DateTimeField(_("uploaded"), null=True, blank=True)

    class Meta:
        permissions = [("upload_datafile", "Can upload files to the data center")]
        verbose_name = _("known data file")
        verbose_name_plural = _("known data files")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
