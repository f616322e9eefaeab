"""The rows of an import that failed: listed, and edited one by one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models.functions import Left
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import looks
from deliverystore.admin.datacenter.family import attempted
from deliverystore.admin.datacenter.keyset import page_of, place
from deliverystore.admin.datacenter.row_forms import RowForm
from deliverystore.admin.datacenter.row_table import RowTable
from deliverystore.admin.datacenter.run_base import Columns, RunViews
from deliverystore.admin.datacenter.shortened import JSON, shown
from deliverystore.datacenter import runs
from deliverystore.datacenter.runs.known_again import counted_by
from deliverystore.models import FailedRow, ImportRun

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

ROWS_PER_PAGE = 50


class RowPages(RunViews):
    """The list of the failed rows of one import, and a page for each of them."""

    def urls(self) -> list[URLPattern]:
        """Return the URLs; they go before Django's, which take every path."""
        path = self.page.path
        return [
            path("<int:pk>/rows/", self.rows, "rows"),
            path("<int:pk>/rows/<int:number>/", self.row, "row"),
        ]

    def rows(self, request: HttpRequest, pk: int) -> HttpResponse:
        """List the failed rows in their order."""
        run = self.run(request, pk)
        page = page_of(
            partial(_read, run),
            lambda row: (row.number,),
            size=ROWS_PER_PAGE,
            after=place(request.GET.get("after", ""), 1),
            before=place(request.GET.get("before", ""), 1),
        )
        title = _("Failed rows of import %(id)s") % {"id": pk}
        context = {
            **self.page.page_context(request, "runs", title),
            "run": run,
            "file": shown(run.file, 255),
            **_places(run),
            "page": page,
            "table": RowTable(Columns(run, request.user), page.rows),
            "may": self.may(request, run),
        }
        template = "admin/deliverystore/importrun/rows.html"
        return TemplateResponse(request, template, context)

    def row(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Show the cells of a failed row with what is wrong, to be edited."""
        run = self.run(request, pk)
        row = FailedRow.objects.get(run=run, number=number)
        row.run = run
        may, columns = self.may(request, run), Columns(run, request.user)
        if request.method == "POST":
            cells = RowForm(row, columns).cleaned(request.POST)
            if attempted(request, lambda: runs.edit_row(row, cells, request.user)):
                return self._after_edit(request, row)
            return HttpResponseRedirect(self.url("row", pk, number))
        title = _("Row %(number)s of import %(id)s") % {"number": number, "id": pk}
        context = {
            **self.page.page_context(request, "runs", title),
            "run": run,
            "row": row,
            **_places(run),
            # Who may not edit it sees it as in a list.
            "form": RowForm(row, columns, is_hidden=not may.correct),
            "may": may,
        }
        template = "admin/deliverystore/importrun/row.html"
        return TemplateResponse(request, template, context)

    def _after_edit(self, request: HttpRequest, row: FailedRow) -> HttpResponse:
        text = _("Row %(number)s is kept as it is now, to be tried again.")
        messages.success(request, text % {"number": row.number})
        following = None
        if request.POST.get("then") == "next":
            others = FailedRow.objects.filter(run=row.run, number__gt=row.number)
            following = others.order_by("number").values_list("number", flat=True)
        if following is not None and (number := following.first()) is not None:
            return HttpResponseRedirect(self.url("row", row.run_id, number))
        before = str(row.number - 1)
        return HttpResponseRedirect(self.url("rows", row.run_id, after=before))


def _places(run: ImportRun) -> dict[str, object]:
    """Return in which file records are counted, and which one was the first."""
    counted, first = counted_by(run), run.first.file
    return {
        "counted_by": looks.breakable(shown(counted, 255)),
        "original": looks.breakable(shown(first, 255)),
        "counts_elsewhere": counted != first or counted != run.file,
    }


def _read(
    run: ImportRun,
    limit: int,
    at: tuple[int, ...] | None,
    is_back: bool,  # noqa: FBT001 - the contract of a Reader
) -> list[FailedRow]:
    rows = FailedRow.objects.filter(run=run).order_by(
        "-number" if is_back else "number"
    )
    if at is not None:
        rows = rows.filter(**{"number__lt" if is_back else "number__gt": at[0]})
    fields = {
        f"{name}_start": Left(f"{name}_json", JSON)
        for name in ("cells", "edited", "errors")
    }
    large = [f"{name}_json" for name in ("cells", "edited", "errors")]
    return list(rows.defer(*large).annotate(**fields)[:limit])
