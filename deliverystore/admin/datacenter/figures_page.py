"""The figures of the data center: charts, each with a table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import looks, tabs, waiting
from deliverystore.admin.datacenter.charts import bar_chart
from deliverystore.admin.datacenter.run_base import RunViews
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter import figures
from deliverystore.exceptions import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern
    from django.utils.safestring import SafeString


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a table; url is where it leads, "" for nowhere."""

    text: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One chart with its table; chart is empty if none can be drawn."""

    name: str
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    labels: Sequence[str]
    values: Sequence[float]
    in_words: Callable[[float], str]
    none: str
    # Whether the last bar is the newest, and is to be seen where not all fit.
    ends_now: bool = False
    # What leads to more about it.
    more: Cell | None = None

    @property
    def chart(self) -> SafeString:
        """Return the chart. Raise MissingExtra."""
        return bar_chart(self.title, self.labels, self.values, in_words=self.in_words)


class FigurePages(RunViews):
    """The page with the figures."""

    def urls(self) -> list[URLPattern]:
        """Return the URL; it goes before Django's, which take every path."""
        return [self.page.path("figures/", self.show, "figures")]

    def show(self, request: HttpRequest) -> HttpResponse:
        """Return the page."""
        files = waiting.files_waiting()
        found = [
            *([] if files is None else [_waiting(files, self._to_files(request))]),
            _per_day(figures.runs_per_day(request.user)),
            _speeds(figures.last_speeds(request.user), self.url),
            _failures(figures.failure_rates(request.user), self.url),
        ]
        drawn, missing = _drawn(found)
        context = {
            **self.page.page_context(request, "figures", _("Figures")),
            "figures": drawn,
            "missing": missing,
            "spools": waiting.spool_rows(),
        }
        template = "admin/deliverystore/importrun/figures.html"
        return TemplateResponse(request, template, context)

    def _to_files(self, request: HttpRequest) -> Cell | None:
        if not tabs.may_see(request.user, "pending"):
            return None
        return Cell(text=_("To the files"), url=self.center_url("changelist"))


def _drawn(found: Sequence[Figure]) -> tuple[list[tuple[Figure, str]], str]:
    """Return figures with their charts, and what is missing if there can be none."""
    try:
        return [(one, one.chart if one.rows else "") for one in found], ""
    except MissingExtra as error:
        return [(one, "") for one in found], str(error)


def _waiting(files: Sequence[figures.Waiting], more: Cell | None) -> Figure:
    some = any(one.files for one in files)
    title = _("Files that wait in the data center, by age: %(count)s in all")
    return Figure(
        name="waiting",
        title=title % {"count": waiting.in_all(files)},
        header=[_("Waits for"), _("Files")],
        rows=[
            [
                Cell(text=waiting.age_of(one)),
                Cell(text=looks.number(one.files)),
            ]
            for one in files
            if some
        ],
        labels=[waiting.age_of(one) for one in files],
        values=[one.files for one in files],
        in_words=partial(_whole, one_step=True),
        none=_("No file waits."),
        more=more,
    )


def _per_day(days: Sequence[figures.Day]) -> Figure:
    return Figure(
        name="days",
        title=_("Imports per day, the last %(days)s days") % {"days": len(days)},
        header=[_("Day"), _("Imports")],
        rows=[
            [Cell(text=_day(one)), Cell(text=looks.number(one.runs))]
            for one in reversed(days)
            if one.runs
        ],
        labels=[_short_day(one) for one in days],
        values=[one.runs for one in days],
        in_words=partial(_whole, one_step=True),
        none=_("Nothing was imported in these days."),
        ends_now=True,
    )


def _speeds(speeds: Sequence[figures.Speed], url: Callable[..., str]) -> Figure:
    return Figure(
        name="speeds",
        title=_("Rows a second, the last imports"),
        header=[_("Import"), _("File"), _("Rows"), _("Rows a second")],
        rows=[
            [
                Cell(text=str(one.run), url=url("change", one.run)),
                Cell(text=shown(one.file)),
                Cell(text=looks.number(one.rows)),
                Cell(text=_whole(max(1.0, one.rate))),
            ]
            for one in reversed(speeds)
        ],
        labels=[str(one.run) for one in speeds],
        values=[round(one.rate, 1) for one in speeds],
        in_words=_whole,
        none=_("No import has ended yet."),
        ends_now=True,
    )


def _failures(rates: Sequence[figures.Failures], url: Callable[..., str]) -> Figure:
    return Figure(
        name="failures",
        title=_("Rows that fail at first, per processor"),
        header=[_("Processor"), _("Files"), _("Rows"), _("Failed"), _("Share")],
        rows=[
            [
                Cell(
                    text=one.processor, url=url("changelist", processor=one.processor)
                ),
                Cell(text=looks.number(one.runs)),
                Cell(text=looks.number(one.rows)),
                Cell(text=looks.number(one.failed)),
                Cell(text=_percent(one.percent)),
            ]
            for one in rates
        ],
        labels=[one.processor for one in rates],
        values=[round(one.percent, 2) for one in rates],
        in_words=_percent,
        none=_("No row was read yet."),
    )


def _day(one: figures.Day) -> str:
    return str(date_format(one.day, "MONTH_DAY_FORMAT"))


def _short_day(one: figures.Day) -> str:
    return str(date_format(one.day, "j M"))


def _whole(value: float, *, one_step: bool = False) -> str:
    if one_step and value != int(value):
        return ""
    return looks.number(round(value))


def _percent(value: float) -> str:
    return f"{looks.decimal(value)} %"
