"""What the pages of one import have in common: the import, its columns, its links."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.urls import reverse

from deliverystore.admin.datacenter.progress import is_left_alone
from deliverystore.admin.datacenter.suggestions import values_for
from deliverystore.datacenter import registry, runs
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs import corrections
from deliverystore.datacenter.runs.visibility import visible_runs
from deliverystore.exceptions import NotPermitted
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from deliverystore.admin.datacenter.base import DataCenterPages
    from deliverystore.datacenter.processors import BatchProcessor
    from deliverystore.datacenter.rows.cells import Cell
    from deliverystore.models.access import User

# What of a run may be large, and is not loaded for a list.
LARGE = ("header", "mapping", "differences")
_State = ImportRun.State


@dataclass(frozen=True)
class Columns:
    """The columns of a run's file, as far as a user sees them."""

    run: ImportRun
    user: User

    @cached_property
    def processor(self) -> BatchProcessor | None:
        """The processor, if it is still registered."""
        found = registry.get_processors().get(self.run.processor)
        return found() if found else None

    @cached_property
    def names(self) -> list[str]:
        """The columns of the file's author."""
        return runs.own_columns(self.run)

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """The fields of the processor."""
        return self.processor.get_cells() if self.processor else {}

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The columns whose cells are not to be seen in a list."""
        if self.processor is None:
            # Nobody knows any more which they are.
            return frozenset(self.names)
        secret = self.processor.sensitive
        mapping = self.run.mapping
        return frozenset(one for one in self.names if mapping.get(one) in secret)

    def cell_of(self, column: str) -> Cell | None:
        """Return the field to which a column goes, if it goes to one."""
        return self.cells.get(self.run.mapping.get(column) or "")

    def values_for(self, column: str) -> Sequence[tuple[str, str]]:
        """Return what a column takes, if that is a short list: values with labels."""
        cell = self.cell_of(column)
        return values_for(cell, self.user) if cell is not None else ()

    def can_be_corrected(self, column: str) -> bool:
        """Tell whether other values can be read instead of those of a column."""
        if self.processor is None or self.cell_of(column) is None:
            return False
        field = self.run.mapping.get(column)
        is_named = corrections.names_removed(self.run, self.processor, field)
        return not is_named and column not in self.hidden

    def can_be_empty(self, column: str) -> bool:
        """Tell whether nothing can be meant: the field of a column needs no value."""
        return self.run.mapping.get(column) not in self._needed

    @cached_property
    def _needed(self) -> frozenset[str]:
        if self.processor is None:
            return frozenset()
        mode = Mode(self.run.mode)
        return frozenset(
            one.name
            for one in self.processor.describe(mode)
            if one.required or one.is_key
        )


@dataclass(frozen=True, kw_only=True)
class May:
    """What a user may do with a run, in the state in which it is."""

    change: bool
    cancel: bool
    resume: bool
    correct: bool
    discard: bool

    @classmethod
    def of(cls, user: User, run: ImportRun, *, is_tried: bool) -> May:
        """Return it; is_tried says that the rows that are left are being tried."""
        processor = registry.get_processors().get(run.processor)
        change = processor is not None and runs.may_import(
            user, processor, Mode(run.mode)
        )
        left = run.state in ImportRun.LEFT_OVER and bool(run.failed) and not is_tried
        one_go = run.is_in_one_go and run.state == _State.RUNNING
        alone = is_left_alone(run)
        # What is to stop already can be stopped again if nobody does it.
        can_stop = alone if run.cancelling else not one_go
        return cls(
            change=change,
            cancel=change and not run.is_over and can_stop,
            resume=change and alone,
            correct=change and left,
            discard=change and (left or run.state == _State.BROKEN),
        )


class RunViews:
    """Views of one import, below the URL of the list."""

    def __init__(self, page: DataCenterPages) -> None:
        self.page = page

    def run(self, request: HttpRequest, pk: int) -> ImportRun:
        """Return the run. Raise DoesNotExist, also if the user does not see it.

        Raise NotPermitted for who sees none at all.
        """
        return self.runs(request).get(pk=pk)

    def runs(self, request: HttpRequest) -> QuerySet[ImportRun]:
        """Return the runs that the user sees. Raise NotPermitted if that is none."""
        if not self.page.has_view_permission(request):
            raise NotPermitted(f"{request.user} may not see imports.")
        related = visible_runs(request.user).select_related(
            "user", "parent", "discarded_by"
        )
        return related.defer(*(f"parent__{name}" for name in LARGE))

    def may(self, request: HttpRequest, run: ImportRun) -> May:
        """Return what the user may do with a run, as it is now."""
        tries = run.children.filter(state__in=ImportRun.HOLDING)
        return May.of(request.user, run, is_tried=tries.exists())

    def url(self, name: str, *args: object, **query: str) -> str:
        """Return the address of one of these pages."""
        address = self.page.url(name, *args)
        return f"{address}?{urlencode(query)}" if query else address

    def center_url(self, name: str, file: str = "", **query: str) -> str:
        """Return the address of a page about a file of the data center."""
        site = self.page.admin_site.name
        address = reverse(f"{site}:deliverystore_datafileinfo_{name}")
        return f"{address}?{urlencode({'file': file, **query})}" if file else address

    def back_to(
        self, pk: int, query: str = "", anchor: str = ""
    ) -> HttpResponseRedirect:
        """Go to the page of a run."""
        address = self.page.url("change", pk)
        query = f"?{query}" if query else ""
        return HttpResponseRedirect(f"{address}{query}{anchor and '#'}{anchor}")
