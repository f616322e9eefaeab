"""Rows that did not go in: why, how many for which reason, and what to read instead."""

from __future__ import annotations

import json

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliverystore.models.imports import ImportRun
from deliverystore.models.remembered import Remembered


class FailedRow(models.Model):
    """A row that did not go in: its cells as they stood in the file, and why not."""

    run = models.ForeignKey(
        ImportRun,
        on_delete=models.CASCADE,
        related_name="failed_rows",
        db_index=False,
        verbose_name=_("import"),
    )
    number = models.BigIntegerField(_("record"))
    line = models.BigIntegerField(_("line"))
    # The one in the original, of a row of a pending file that is known again.
    first_line = models.BigIntegerField(_("line in the original"), null=True)
    # As JSON: cells may have what the database takes for no text.
    cells_json = models.TextField(_("cells"))
    edited_json = models.TextField(_("edited cells"), blank=True)
    errors_json = models.TextField(_("errors"))
    # A digest of cells that could not be read for sure, by which they are known again.
    guess = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        default_permissions = ()
        verbose_name = _("failed row")
        verbose_name_plural = _("failed rows")
        indexes = [
            models.Index(
                fields=["run", "guess"],
                condition=~Q(guess=""),
                name="deliverystore_guesses",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "number"], name="deliverystore_failed_once"
            )
        ]

    def __str__(self) -> str:
        return gettext("record %(number)s") % {"number": self.number}

    @property
    def cells(self) -> list[str]:
        """The cells, in the order of the columns, as they came."""
        return list(json.loads(self.cells_json))

    @property
    def current_cells(self) -> list[str]:
        """The cells with which the row is tried again."""
        return list(json.loads(self.edited_json or self.cells_json))

    @property
    def errors(self) -> list[dict[str, str]]:
        """The reasons: each with code, message, column and value."""
        return list(json.loads(self.errors_json))


class FailureGroup(models.Model):
    """How many rows of a run failed for one reason at one value of one column."""

    run = models.ForeignKey(
        ImportRun,
        on_delete=models.CASCADE,
        related_name="failure_groups",
        db_index=False,
        verbose_name=_("import"),
    )
    # A digest of column, code and value, which may be long.
    key = models.CharField(max_length=64)
    column_json = models.TextField(_("column"))
    code = models.CharField(_("code"), max_length=100)
    value_json = models.TextField(_("value"))
    message_json = models.TextField(_("message"))
    first_number = models.BigIntegerField(_("first record"))
    count = models.BigIntegerField(_("rows"))

    class Meta:
        default_permissions = ()
        verbose_name = _("group of failed rows")
        verbose_name_plural = _("groups of failed rows")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "key"], name="deliverystore_failure_group"
            )
        ]
        indexes = [
            models.Index(
                fields=["run", "-count", "id"], name="deliverystore_failures_most"
            )
        ]

    def __str__(self) -> str:
        return f"{self.column} {self.code} {self.value}: {self.count}"

    @property
    def column(self) -> str:
        """What the header calls the column, "" if it is the row as a whole."""
        return str(json.loads(self.column_json))

    @property
    def value(self) -> str:
        """The cell as it stands in the file, "" for a row or a sensitive field."""
        return str(json.loads(self.value_json))

    @property
    def message(self) -> str:
        """What is wrong, as it was said of the first row."""
        return str(json.loads(self.message_json))


class ValueCorrection(Remembered):
    """What stands for a wrong value of a column, in all runs of a processor.

    The key is a digest of column and wrong value, which may be long.
    """

    column_json = models.TextField(_("column"))
    wrong_json = models.TextField(_("wrong value"))
    right_json = models.TextField(_("right value"))

    class Meta:
        default_permissions = ()
        verbose_name = _("correction of a value")
        verbose_name_plural = _("corrections of values")
        constraints = [
            models.UniqueConstraint(
                fields=["processor", "key"], name="deliverystore_one_correction"
            )
        ]

    def __str__(self) -> str:
        # Not the values: it is written where nobody asks whether they may be seen.
        return f"{self.processor}: {json.loads(self.column_json)}"
