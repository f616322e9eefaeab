"""The pages and buttons of one delivery beyond those that Django has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from deliverystore.admin.actions import (
    MAX_SECONDS,
    abandon_now,
    confirm_abandon,
    page_context,
)
from deliverystore.admin.publishing.acting import publish
from deliverystore.admin.publishing.asking import whether_to_publish
from deliverystore.admin.reports import report_verification
from deliverystore.archive import make_archive
from deliverystore.exceptions import DeliveryStoreError, MissingExtra, NotPermitted
from deliverystore.models import Delivery, FileMeta
from deliverystore.publishing import may_publish
from deliverystore.verification import verify_deliveries, verify_files
from deliverystore.views.access import View, answers_refusals
from deliverystore.views.archive import archive_response
from deliverystore.views.download import download
from deliverystore.views.receipt import receipt, verify_receipt

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


class DeliveryPages:
    """The views below the URL of the list, for staff who are logged in to the admin."""

    def __init__(self, page: ModelAdmin) -> None:
        self._page = page
        self._site = page.admin_site

    def urls(self) -> list[URLPattern]:
        """Return the URLs; they go before Django's, which take every path."""
        views: list[tuple[str, View, str]] = [
            ("verify-receipt/", self.verify_receipt, "verify_receipt"),
            ("files/<int:pk>/download/", download, "download"),
            ("files/<int:pk>/verify/", self.verify_file, "verify_file"),
            ("files/<int:pk>/publish/", self.publish, "publish"),
            ("<int:pk>/receipt/", receipt, "receipt"),
            ("<int:pk>/archive/", self.archive, "archive"),
            ("<int:pk>/verify/", self.verify, "verify"),
            ("<int:pk>/abandon/", self.abandon, "abandon"),
        ]
        return [self._path(*view) for view in views]

    def archive(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Send a delivery as ZIP."""
        delivery = Delivery.objects.get_for(request.user, "download", pk)
        try:
            return archive_response(request, make_archive([delivery], request.user))
        except MissingExtra as error:
            messages.error(request, str(error))
            return self._back_to(pk)

    def verify(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Read all files of a delivery and say which are not intact."""
        delivery = Delivery.objects.get_for(request.user, "verify", pk)
        if request.method != "POST":
            # Where somebody comes to who had to log in again.
            return self._back_to(pk)
        found = verify_deliveries([delivery], request.user, seconds=MAX_SECONDS)
        report_verification(request, found, self._site.name)
        return self._back_to(pk)

    def verify_file(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Read one file and say whether it is intact."""
        file = FileMeta.objects.get_for(request.user, "verify", pk)
        if request.method != "POST":
            return self._back_to(file.delivery_id)
        report_verification(request, verify_files([file]), self._site.name)
        return self._back_to(file.delivery_id)

    def publish(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Ask first, then publish a file, and show how far that is."""
        file = FileMeta.objects.select_related("delivery").filter(pk=pk).first()
        if file is None or not may_publish(request.user, file):
            raise NotPermitted(f"{request.user} may not publish file {pk}.")
        if request.method != "POST":
            return self._ask_to_publish(request, file)
        if not (found := publish(request, [file])):
            return self._back_to(file.delivery_id)
        name = f"{self._site.name}:deliverystore_publication_change"
        return HttpResponseRedirect(reverse(name, args=[found[0].pk]))

    def abandon(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Ask first, then remove an open delivery with its files."""
        delivery = Delivery.objects.get_for(request.user, "abandon", pk)
        if delivery.time_of_delivery is not None:
            messages.warning(request, _("What was handed in cannot be abandoned."))
            return self._back_to(pk)
        if request.method != "POST":
            return confirm_abandon(self._page, request, [delivery])
        abandon_now(request, [delivery])
        return HttpResponseRedirect(self._url("changelist"))

    def verify_receipt(self, request: HttpRequest) -> HttpResponseBase:
        """Compare a receipt that is uploaded with what is stored."""
        return verify_receipt(
            request,
            template="admin/deliverystore/verify_receipt.html",
            context=page_context(self._page, request, _("Verify a receipt")),
        )

    def _ask_to_publish(self, request: HttpRequest, file: FileMeta) -> HttpResponseBase:
        back = self._url("change", file.delivery_id)
        try:
            return whether_to_publish(self._page, request, file, back=back)
        except DeliveryStoreError as error:
            messages.error(request, str(error))
            return self._back_to(file.delivery_id)

    def _path(self, route: str, view: View, name: str) -> URLPattern:
        protected = self._site.admin_view(answers_refusals(view))
        return path(route, protected, name=f"deliverystore_delivery_{name}")

    def _back_to(self, pk: int) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._url("change", pk))

    def _url(self, name: str, *args: object) -> str:
        return reverse(f"{self._site.name}:deliverystore_delivery_{name}", args=args)
