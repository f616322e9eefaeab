"""What is known of the files in a data center."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DataFileInfo(models.Model):
    """How many records a file has, as long as its size and time stay the same.

    digest, uploaded and problems, which its check has found, are of files that were
    uploaded; others were dropped in.
    """

    name = models.CharField(_("name"), max_length=255, unique=True)
    size = models.BigIntegerField(_("size"))
    modified = models.DateTimeField(_("modified"))
    records = models.BigIntegerField(_("records"))
    problems = models.BigIntegerField(_("problems"), null=True, blank=True)
    digest = models.CharField(_("digest"), max_length=100, blank=True, db_index=True)
    uploaded = models.DateTimeField(_("uploaded"), null=True, blank=True)

    class Meta:
        permissions = [
            ("upload_datafile", "Can upload files to the data center"),
            ("download_datafile", "Can download files of the data center"),
            ("delete_datafile", "Can delete and restore files of the data center"),
            ("view_datalog", "Can search the logs of the data center"),
        ]
        # It stands for all of them in the menu of the admin.
        verbose_name = _("data center")
        verbose_name_plural = _("data center")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class DataNameLock(models.Model):
    """A name that one transaction has for itself; it deletes the row again.

    So nobody ever sees one: whoever writes the same name meanwhile waits.
    """

    name = models.CharField(_("name"), max_length=255, unique=True)

    class Meta:
        verbose_name = _("locked name of a data file")
        verbose_name_plural = _("locked names of data files")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
