"""The list of deliveries: pages and dates cost the same however many there are."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Max, Min
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from deliverystore.models.recipient import load_recipients

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from deliverystore.models import Delivery

PER_PAGE = 50
# So many are counted, paged and selected at most. A form that names all of them stays
# below Django's DATA_UPLOAD_MAX_NUMBER_FIELDS.
MAX_LISTED = 500

_LEVELS = ("year", "month", "day")


class BoundedPaginator(Paginator):
    """Counts up to MAX_LISTED; is_cut tells that there are more."""

    @cached_property
    def count(self) -> int:
        """How many there are, if they are not more than MAX_LISTED."""
        return min(self._counted, MAX_LISTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more than the count says."""
        return self._counted > MAX_LISTED

    @cached_property
    def _counted(self) -> int:
        # In the order of the list, for which there is an index in any case.
        rows: Any = self.object_list
        number: int = rows[: MAX_LISTED + 1].count()
        return number


class BoundedChangeList(ChangeList):
    """Counts no further than it lists, with a BoundedPaginator."""

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except (OverflowError, DataError) as error:
            # A number in the URL that no column can hold.
            raise IncorrectLookupParameters(error) from error
        if self.paginator.is_cut or not (self.query or self.has_active_filters):
            # Hides a number of results that says nothing, or too little.
            self.full_result_count = self.result_count


class DeliveryChangeList(BoundedChangeList):
    """Offers dates between first and last, and loads recipients together.

    Django's own date hierarchy reads the time of every row.
    """

    def get_ordering(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> list[Any]:
        ordering = list(super().get_ordering(request, queryset))
        # Both in one direction, as one index has them.
        return (
            ["time_of_delivery", "pk"]
            if ordering[0] == "time_of_delivery"
            else ordering
        )

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            return super().get_filters(request)
        except (OverflowError, ValueError) as error:
            # A year after which none can be.
            raise IncorrectLookupParameters(error) from error

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        load_recipients(self.result_list)

    def dates(self) -> dict[str, Any]:
        """Return the context for the template admin/date_hierarchy.html."""
        bounds = self._bounds()
        if bounds is None:
            return {"show": False}
        chosen = self._chosen()
        parts = _parts(chosen, *bounds)
        if not chosen:
            # Begin where there is a choice.
            while len(parts) == 1 and len(parts[0]) < len(_LEVELS):
                chosen, parts = parts[0], _parts(parts[0], *bounds)
        return {
            "show": True,
            "field_name": _("time of delivery"),
            "back": self._link(chosen[:-1]) if chosen else None,
            "choices": [self._link(part) for part in parts]
            or [{"title": _title(chosen)}],
        }

    def _bounds(self) -> tuple[date, date] | None:
        field = self.model_admin.date_hierarchy or ""
        # Two queries, because SQLite finds only one of both at once in an index.
        first = self.root_queryset.aggregate(at=Min(field))["at"]
        last = self.root_queryset.aggregate(at=Max(field))["at"]
        if first is None or last is None:
            return None
        return _local(first).date(), _local(last).date()

    def _chosen(self) -> tuple[int, ...]:
        found: list[int] = []
        for level in _LEVELS:
            value = self.params.get(f"{self.date_hierarchy}__{level}")
            if value is None:
                break
            # What is no date was refused before, as a filter.
            found.append(int(value))
        return tuple(found)

    def _link(self, part: tuple[int, ...]) -> dict[str, str]:
        names = [f"{self.date_hierarchy}__{level}" for level in _LEVELS]
        chosen = dict(zip(names, part, strict=False))
        link = self.get_query_string(chosen, [f"{self.date_hierarchy}__"])
        return {"link": link, "title": _title(part)}


def _parts(chosen: tuple[int, ...], first: date, last: date) -> list[tuple[int, ...]]:
    """Return the years, or the months or days of what is chosen, from first to last."""
    match chosen:
        case ():
            numbers = range(first.year, last.year + 1)
        case (_,):
            numbers = range(1, 13)
        case (year, month):
            numbers = range(1, monthrange(year, month)[1] + 1)
        case _:
            return []
    parts = [(*chosen, number) for number in numbers]
    size = len(chosen) + 1
    lowest, highest = first.timetuple()[:size], last.timetuple()[:size]
    return [part for part in parts if lowest <= part <= highest]


def _title(part: tuple[int, ...]) -> str:
    match part:
        case ():
            return _("All dates")
        case (year,):
            return str(year)
        case (year, month):
            return capfirst(date_format(date(year, month, 1), "YEAR_MONTH_FORMAT"))
    return capfirst(date_format(date(*part), "MONTH_DAY_FORMAT"))


def _local(moment: datetime) -> datetime:
    return timezone.localtime(moment) if timezone.is_aware(moment) else moment
