"""What is read instead of what, for a processor: listed, and forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models.functions import Left
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import looks
from deliverystore.admin.datacenter.failures import in_words
from deliverystore.admin.datacenter.family import attempted
from deliverystore.admin.datacenter.keyset import KeysetPage, page_of, place
from deliverystore.admin.datacenter.run_base import RunViews
from deliverystore.admin.datacenter.shortened import JSON, loaded, shown
from deliverystore.datacenter import registry, runs
from deliverystore.models import ValueCorrection

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

CORRECTIONS_PER_PAGE = 50
_LARGE = ("column_json", "wrong_json", "right_json")


@dataclass(frozen=True, kw_only=True)
class ShownCorrection:
    """What is read instead of a value, as it is shown."""

    id: int
    column: str
    wrong: str
    right: str
    who: str
    when: str


class CorrectionPages(RunViews):
    """The list of the corrections for a processor."""

    def urls(self) -> list[URLPattern]:
        """Return the URLs; they go before Django's, which take every path."""
        return [
            self.page.path("corrections/", self.show, "corrections"),
            self.page.path("corrections/forget/", self.forget, "forget"),
        ]

    def show(self, request: HttpRequest) -> HttpResponse:
        """List what is remembered, the newest first."""
        self.runs(request)
        processor = request.GET.get("processor", "")
        if processor not in registry.get_processors():
            messages.warning(request, _("There is no such processor."))
            return HttpResponseRedirect(self.url("changelist"))
        found = page_of(
            partial(_read, runs.corrections_of(processor, request.user)),
            lambda one: (one.pk,),
            size=CORRECTIONS_PER_PAGE,
            after=place(request.GET.get("after", ""), 1),
            before=place(request.GET.get("before", ""), 1),
        )
        title = _("Corrections for %(processor)s") % {"processor": processor}
        context = {
            **self.page.page_context(request, "runs", title),
            "processor": processor,
            "page": KeysetPage(
                rows=[_shown(one) for one in found.rows],
                next=found.next,
                previous=found.previous,
            ),
            "may_forget": runs.may_forget(processor, request.user),
        }
        template = "admin/deliverystore/importrun/corrections.html"
        return TemplateResponse(request, template, context)

    def forget(self, request: HttpRequest) -> HttpResponse:
        """Read a value as it stands in the files again."""
        self.runs(request)
        processor = request.POST.get("processor", "")
        ids = place(request.POST.get("correction", ""), 1)
        if (
            request.method == "POST"
            and ids
            and attempted(
                request, lambda: runs.forget_correction(processor, ids[0], request.user)
            )
        ):
            text = _("Forgotten: the value is read as it stands in the files again.")
            messages.success(request, text)
        return HttpResponseRedirect(self.url("corrections", processor=processor))


def _shown(one: ValueCorrection) -> ShownCorrection:
    column, wrong, right = (
        str(loaded(getattr(one, f"{name}_start"))) for name in _LARGE
    )
    return ShownCorrection(
        id=one.pk,
        column=shown(column),
        wrong=in_words(wrong),
        right=in_words(right),
        who=str(one.user or _("the site")),
        when=looks.moment(one.changed),
    )


def _read(
    corrections: QuerySet[ValueCorrection],
    limit: int,
    at: tuple[int, ...] | None,
    is_back: bool,  # noqa: FBT001 - the contract of a Reader
) -> list[ValueCorrection]:
    found = corrections.order_by("pk" if is_back else "-pk").select_related("user")
    if at is not None:
        found = found.filter(**{"pk__gt" if is_back else "pk__lt": at[0]})
    starts = {f"{name}_start": Left(name, JSON) for name in _LARGE}
    return list(found.defer(*_LARGE).annotate(**starts)[:limit])
