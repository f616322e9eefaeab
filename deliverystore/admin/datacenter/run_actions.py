"""What is done about an import by a click: each asks a service, and goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import looks, run_words
from deliverystore.admin.datacenter.failures import Said, in_words, values_of
from deliverystore.admin.datacenter.family import attempted
from deliverystore.admin.datacenter.forms import ReasonForm
from deliverystore.admin.datacenter.keyset import place
from deliverystore.admin.datacenter.progress import run_progress
from deliverystore.admin.datacenter.run_base import LARGE, Columns, RunViews
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter import importers, registry, runs
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.exceptions import RunBusy, RunRefused
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from deliverystore.views.access import View

# So many corrections are told one by one.
_TOLD = 3


class RunActions(RunViews):
    """The views that change a run, and the one that tells how far it is."""

    def urls(self) -> list[URLPattern]:
        """Return the URLs; they go before Django's, which take every path."""
        views: list[tuple[str, View]] = [
            ("progress", self.progress),
            ("cancel", self.cancel),
            ("resume", self.resume),
            ("retry", self.retry),
            ("correct", self.correct),
            ("discard", self.discard),
        ]
        return [self.page.path(f"<int:pk>/{name}/", view, name) for name, view in views]

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tell how far a run is, as JSON."""
        # It is asked for every second.
        run = self.runs(request).defer(*LARGE).get(pk=pk)
        return JsonResponse(run_progress(run))

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop a run at the end of its batch."""
        run = self.run(request, pk)
        if request.method == "POST" and attempted(
            request, lambda: runs.cancel(run, request.user)
        ):
            messages.success(request, _("The import stops; what is in stays."))
        return self.back_to(pk)

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand a run to a worker again."""
        run = self.run(request, pk)
        if request.method == "POST" and attempted(
            request, lambda: runs.resume(run, request.user)
        ):
            messages.success(request, _("The import goes on where it stopped."))
        return self.back_to(pk)

    def retry(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Try the failed rows again, and go to the import that does it.

        Where that removes objects, it is asked first.
        """
        run = self.run(request, pk)
        if request.method == "POST":
            return self._retry(request, run)
        if self._asks_first(request, run):
            return self._question(request, run)
        return self.back_to(pk)

    def correct(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remember what is meant by wrong values and, if asked, try the rows again."""
        run = self.run(request, pk)
        if request.method != "POST":
            return self.back_to(pk)
        query = _query(request.POST.get("place", ""))
        values: dict[str, Said] = {}

        def take_over() -> None:
            columns = Columns(run, request.user)
            values.update(values_of(run, columns, request.POST.dict()))
            self._correct(request, run, values)

        is_done = attempted(request, take_over)
        wants_retry = request.POST.get("then") == "retry"
        if is_done and wants_retry:
            return self._retry(request, run)
        if is_done and not values:
            text = _("Nothing new: write what is meant beside a value first.")
            messages.warning(request, text)
        return self.back_to(pk, query, "failures")

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, then give up the rows that failed."""
        run = self.run(request, pk)
        # Who may not, or comes too late, is not asked for a reason.
        importers.ask(request.user, run.processor, run.mode)
        if request.method != "POST" and not self.may(request, run).discard:
            messages.warning(request, _("Nothing of it is left to be given up."))
            return self.back_to(pk)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            if attempted(request, lambda: runs.discard(run, reason, request.user)):
                messages.success(request, _("The rest of the import was given up."))
            return self.back_to(pk)
        title = _("Give up the rest of import %(id)s?") % {"id": pk}
        context = {
            **self.page.page_context(request, "runs", title),
            "run": run,
            "form": form,
            "failed": looks.rows(run.failed),
            "did": run_words.did(run),
        }
        template = "admin/deliverystore/importrun/discard.html"
        return TemplateResponse(request, template, context)

    def _asks_first(self, request: HttpRequest, run: ImportRun) -> bool:
        """Tell whether another try removes objects, if the user may begin one."""
        return Mode(run.mode) is Mode.REMOVE and self.may(request, run).correct

    def _question(self, request: HttpRequest, run: ImportRun) -> HttpResponse:
        processor = registry.get_processor(run.processor)
        context = {
            **self.page.page_context(request, "runs", _("Remove objects?")),
            "run": run,
            "rows": looks.rows(run.failed),
            "can_be_undone": processor.can_be_undone,
        }
        template = "admin/deliverystore/importrun/retry.html"
        return TemplateResponse(request, template, context)

    def _retry(self, request: HttpRequest, run: ImportRun) -> HttpResponse:
        is_sure = "confirmed" in request.POST
        if not is_sure and self._asks_first(request, run):
            return HttpResponseRedirect(self.url("retry", run.pk))
        limit = request.POST.get("max_removed") if is_sure else None
        tries: list[ImportRun] = []

        def begin() -> None:
            try:
                tries.append(runs.retry(run, request.user, max_removed=limit))
            except (RunBusy, RunRefused):
                # Who has clicked twice is led to where the first click leads.
                tries.extend(self._begun(request, run))
                if not tries:
                    raise
                text = _("These rows are tried again already: in this import.")
                messages.info(request, text)
            else:
                text = _("Another try was begun, of %(rows)s.")
                messages.success(request, text % {"rows": looks.rows(run.failed)})

        if not attempted(request, begin):
            return self.back_to(run.pk)
        return HttpResponseRedirect(self.url("change", tries[0].pk))

    def _begun(self, request: HttpRequest, run: ImportRun) -> QuerySet[ImportRun]:
        """Return the last import that tries what a run has left, or has tried it."""
        run.refresh_from_db(fields=["state"])
        found = self.runs(request).filter(parent=run, dry_run=False).order_by("-pk")
        if run.state != ImportRun.State.RETRIED:
            found = found.filter(state__in=ImportRun.HOLDING)
        return found[:1]

    def _correct(
        self, request: HttpRequest, run: ImportRun, values: dict[str, Said]
    ) -> None:
        told: list[str] = []
        for column, said in values.items():
            pairs = said.values
            runs.remember_values(run, column, pairs, request.user)
            facts = {"column": shown(column), "rows": looks.rows(said.rows)}
            if len(pairs) > _TOLD:
                facts["count"] = looks.number(len(pairs))
                text = _("%(column)s: %(count)s values are corrected, in %(rows)s.")
            else:
                facts["pairs"] = ", ".join(
                    f"“{in_words(wrong)}” → “{in_words(right)}”"
                    for wrong, right in pairs.items()
                )
                text = _("%(column)s: %(pairs)s from now on, in %(rows)s here.")
            told.append(text % facts)
        if told:
            messages.success(request, " ".join(told))


def _query(text: str) -> str:
    """Return what a form says of the page of groups it was on, if it says that."""
    name, _equals, value = text.partition("=")
    is_place = name in ("after", "before") and place(value, 2) is not None
    return text if is_place else ""
