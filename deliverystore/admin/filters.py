"""The filters of the list of deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from deliverystore.admin.ids import id_of
from deliverystore.models import Check, Delivery, Finding

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

UNREPAIRED = "unrepaired"
_NONE = "none"


class StateFilter(admin.SimpleListFilter):
    """Asks for the time of delivery, which finished deliveries have.

    The index of the time gives them in order; one of the state would not.
    """

    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, str | _StrPromise]]:
        return [(str(value), label) for value, label in Delivery.State.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery]:
        if self.value() not in Delivery.State.values:
            return queryset
        is_open = self.value() == Delivery.State.OPEN
        return queryset.filter(time_of_delivery__isnull=is_open)


class RecipientKindFilter(admin.SimpleListFilter):
    """Offers the kinds of recipients that have deliveries."""

    title = _("kind of recipient")
    parameter_name = "kind"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, str | _StrPromise]]:
        deliveries = Delivery.objects.filter(recipient_type=OuterRef("pk"))
        kinds = ContentType.objects.filter(Exists(deliveries))
        choices = sorted((kind.name, str(kind.pk)) for kind in kinds)
        return [*((key, name) for name, key in choices), (_NONE, _("none"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery]:
        kind = self.value()
        if kind is None or kind not in dict(self.lookup_choices):
            return queryset
        if kind == _NONE:
            return queryset.filter(recipient_type=None)
        return queryset.filter(recipient_type=int(kind))


class CheckFilter(admin.SimpleListFilter):
    """Asks for findings that are not repaired, or those of a check in a link."""

    title = _("check")
    parameter_name = "check"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, str | _StrPromise]]:
        if not request.user.has_perm("deliverystore.view_check"):
            return []
        offered: list[tuple[str, str | _StrPromise]] = []
        if Check.objects.standing().unrepaired().exists():
            offered.append((UNREPAIRED, _("not repaired")))
        if check := _check_of(request.GET.get(self.parameter_name)):
            words = _("findings of %(check)s") % {"check": check}
            offered.append((str(check.pk), words))
        return offered

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery]:
        if self.value() == UNREPAIRED:
            return queryset.filter(Finding.objects.standing().concerned())
        if (check := _check_of(self.value())) is None:
            return queryset
        return queryset.filter(check.findings.concerned())


def _check_of(value: str | None) -> Check | None:
    if (pk := id_of(value or "")) is None:
        return None
    return Check.objects.filter(pk=pk).first()
