"""Receipts: their download, and their comparison with what is stored."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
)
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from deliverystore.exceptions import (
    DeliveryChanged,
    DeliveryNotFinished,
    ReceiptInvalid,
)
from deliverystore.models import Delivery
from deliverystore.verification import ReceiptReport, read_receipt, verify_receipt_for
from deliverystore.views.access import answers_refusals
from deliverystore.views.streaming import protect

logger = logging.getLogger(__name__)


class ReceiptForm(forms.Form):
    """Takes a receipt and returns what it says, once its signature is checked."""

    receipt = forms.FileField(
        label=_("Receipt"),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )

    def clean_receipt(self) -> Any:
        """Refuse what was not signed here, or was changed."""
        uploaded: UploadedFile = self.cleaned_data["receipt"]
        try:
            return read_receipt(uploaded)
        except ReceiptInvalid as error:
            raise ValidationError(str(error)) from error


@require_safe
@answers_refusals
def receipt(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the receipt of a delivery, as JSON, to who may view it."""
    delivery = Delivery.objects.get_for(request.user, "view", pk)
    try:
        document = delivery.receipt()
    except DeliveryNotFinished as error:
        raise Http404(str(error)) from error
    except DeliveryChanged as error:
        logger.exception("No receipt of delivery %s can be made.", pk)
        return HttpResponse(str(error), status=500, content_type="text/plain")
    readable = {"indent": 2, "ensure_ascii": False}
    response = JsonResponse(document, json_dumps_params=readable)
    protect(response, f"receipt {delivery.pk}.json")
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def verify_receipt(
    request: HttpRequest,
    *,
    template: str = "deliverystore/verify_receipt.html",
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Compare a receipt that is uploaded with what is stored, and show it.

    Answers JSON to a client that prefers it. Raise NotPermitted, before a file is read,
    unless the user may view the delivery.
    """
    form = ReceiptForm(request.POST or None, request.FILES or None)
    report = None
    if request.method == "POST" and form.is_valid():
        report = verify_receipt_for(form.cleaned_data["receipt"], request.user)
    status = 400 if request.method == "POST" and report is None else 200
    if request.get_preferred_type(["text/html", "application/json"]) == _JSON:
        return JsonResponse(_as_json(form, report), status=status)
    found = {**(context or {}), "form": form, "report": report}
    if report is not None:
        found["time_of_delivery"] = parse_datetime(report.receipt["time_of_delivery"])
    return render(request, template, found, status=status)


_JSON = "application/json"


def _as_json(form: ReceiptForm, report: ReceiptReport | None) -> dict[str, Any]:
    if report is None:
        return {"errors": form.errors.get("receipt", [])}
    return report.as_json()
