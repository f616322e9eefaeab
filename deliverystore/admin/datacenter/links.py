"""Links to imports, for those who see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from deliverystore.datacenter import runs
from deliverystore.datacenter.runs.visibility import VIEW

if TYPE_CHECKING:
    from django.http import HttpRequest

    from deliverystore.models import ImportRun


class RunLinks:
    """The pages of imports, as far as a user may open them."""

    def __init__(self, request: HttpRequest, site: str) -> None:
        self._site = site
        self._sees_all = request.user.has_perm(VIEW)
        self._modes = runs.processors_for(request.user)

    def url(self, run: ImportRun | None) -> str:
        """Return the page of an import, "" if the user may not open it."""
        if run is None or not self._is_seen(run):
            return ""
        name = f"{self._site}:deliverystore_importrun_change"
        return reverse(name, args=[run.pk])

    def may_import(self, run: ImportRun) -> bool:
        """Tell whether the user could do an import themselves."""
        return run.mode in self._modes.get(run.processor, [])

    def _is_seen(self, run: ImportRun) -> bool:
        return self._sees_all or self.may_import(run)
