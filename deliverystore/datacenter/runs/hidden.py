"""Columns that an earlier import of the same rows did not show: they stay hidden."""

from __future__ import annotations

from django.utils.translation import gettext

from deliverystore.datacenter import pending, permissions, registry
from deliverystore.datacenter.rows.arranging import ColumnProblem
from deliverystore.exceptions import ColumnsRefused
from deliverystore.models import ImportRun
from deliverystore.models.access import User


def check(run: ImportRun, parent: ImportRun, user: User | None) -> None:
    """Raise ColumnsRefused if a run would show cells that its parent did not.

    It would, in its lists, if such a column did not become a sensitive field. Who may
    download the file sees them anyway.
    """
    if user is None or user.has_perm(permissions.DOWNLOAD):
        return
    secret = registry.get_processor(run.processor).sensitive
    problems = [
        ColumnProblem(code="hidden", column=column, message=_message(column))
        for column in pending.hidden_in(parent, run.header)
        if run.mapping.get(column) not in secret
    ]
    if problems:
        raise ColumnsRefused(problems)


def _message(column: str) -> str:
    return gettext(
        "The cells of “%(column)s” are not shown to everybody, so the column can only "
        "go where it went before. Who may download the file can send it elsewhere."
    ) % {"column": column}
