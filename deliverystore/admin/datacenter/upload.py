"""Files that are uploaded on a page, and what is said of each at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter.alike import Alike, alike
from deliverystore.admin.datacenter.family import (
    MAX_SHOWN,
    TEMPLATES,
    PageFamily,
    post_only,
)
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter import (
    DataCenter,
    OnTaken,
    free_names,
    pending,
    permissions,
    previewing,
    uploading,
)
from deliverystore.exceptions import DeliveryStoreError, FileExists, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.files.uploadedfile import UploadedFile

    from deliverystore.datacenter import Uploaded
    from deliverystore.views.access import View

PROBLEMS = 20
# Of more files, only numbers of problems are told: messages are kept in a session.
_TOLD_IN_FULL = 5
_LISTS = {"": "changelist", "unfinished": "unfinished", "finished": "finished"}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file: it is kept, or refused for a reason."""

    name: str
    file: Uploaded | None = None
    reason: str = ""
    taken_by: str = ""
    can_rename: bool = False
    can_replace: bool = False
    most: int = PROBLEMS

    @property
    def problems(self) -> list[Alike]:
        """The first problems, those together that are alike."""
        return alike(self.file.report.problems)[: self.most] if self.file else []

    @property
    def more_problems(self) -> int:
        """How many problems are not among the first."""
        if self.file is None:
            return 0
        told = sum(one.count for one in self.problems)
        return self.file.report.problem_count - told

    @property
    def level(self) -> int:
        """How serious it is, for Django's messages."""
        if self.file is None:
            return messages.ERROR
        file = self.file
        others = file.new_columns or file.lost_columns
        is_fine = file.report.is_sound and not (
            file.earlier or file.seems_left or others
        )
        return messages.SUCCESS if is_fine else messages.WARNING


class UploadPages(PageFamily):
    """The form on the tab Pending: with JavaScript, it sends file by file."""

    def views(self) -> Iterable[tuple[str, View, str]]:
        yield "upload/", self.upload, "upload"

    @post_only
    def upload(self, request: HttpRequest) -> HttpResponseBase:
        """Keep files, each by itself: one that is refused does not stop the others."""
        permissions.ask(request.user, "upload files", permissions.UPLOAD)
        files = request.FILES.getlist("files")
        outcomes = [
            self._keep(request, file, PROBLEMS if number < _TOLD_IN_FULL else 0)
            for number, file in enumerate(files)
        ]
        no_file = _(
            "No file was chosen. If you did choose one, its name cannot be read: "
            "give it another one."
        )
        if request.headers.get("Accept", "").startswith("application/json"):
            told = outcomes or [Outcome(name=_("Upload"), reason=no_file)]
            return JsonResponse(
                {"results": [self._as_json(one, request) for one in told]},
                status=200 if outcomes else 400,
            )
        for outcome in outcomes:
            messages.add_message(request, outcome.level, self._told(outcome, request))
        if not outcomes:
            messages.warning(request, no_file)
        return self.redirect("changelist")

    def _keep(self, request: HttpRequest, file: UploadedFile, most: int) -> Outcome:
        name = shown(file.name or "", 255)
        left = uploading.left_by(file.name or "")
        can_replace = left is not None and pending.may_handle(request.user, left)
        on_taken = OnTaken.RENAME if "rename" in request.POST else OnTaken.REFUSE
        if can_replace and "replace" in request.POST:
            on_taken = OnTaken.REPLACE_PENDING
        center = DataCenter()
        try:
            kept = center.upload(
                file.name or "", file, on_taken=on_taken, user=request.user
            )
        except NotPermitted:
            raise
        except FileExists:
            wanted = uploading.name_for(file.name or "")
            known = left.pending_file if left is not None else wanted
            path = free_names.in_the_way(center.place, known) or known
            return Outcome(
                name=name,
                reason=shown(free_names.why_taken(wanted, path, left), MAX_SHOWN),
                taken_by=path,
                can_rename=left is None,
                can_replace=can_replace and free_names.fits(wanted),
            )
        except DeliveryStoreError as error:
            return Outcome(name=name, reason=shown(str(error), MAX_SHOWN))
        return Outcome(name=name, file=kept, most=most)

    def _told(self, outcome: Outcome, request: HttpRequest) -> str:
        """Return what is said of a file, as HTML."""
        context: dict[str, Any] = {"outcome": outcome, "file": outcome.file}
        if outcome.taken_by:
            context["taken"] = self._link_to(outcome.taken_by, request)
        if outcome.file is not None:
            context |= self._links(outcome.file, request)
        return render_to_string(f"{TEMPLATES}/uploaded.html", context)

    def _links(self, file: Uploaded, request: HttpRequest) -> dict[str, Any]:
        """Return where somebody can go on with a file, as far as they may."""
        named = ("file", file.relative_path)
        may_look = previewing.may_look(request.user, file.relative_path)
        offers = [
            (
                offer,
                self.url("preview", [named, ("encoding", offer.encoding)])
                if may_look
                else "",
            )
            for offer in file.report.offers
        ]
        earlier = file.earlier.relative_path if file.earlier else ""
        return {
            "preview": self.url("preview", [named]) if may_look else "",
            "offers": offers,
            "earlier": self._link_to(earlier, request),
        }

    def _link_to(self, path: str, request: HttpRequest) -> str:
        """Return where a file is listed, if it is anywhere, and the user sees that."""
        folder, _slash, name = path.rpartition("/")
        if not name:
            return ""
        if folder not in _LISTS:
            if not request.user.has_perm(permissions.DELETE):
                return ""
            return self.url("deleted", [("q", name)])
        return self.url(_LISTS[folder], [("q", name)])

    def _as_json(self, outcome: Outcome, request: HttpRequest) -> dict[str, object]:
        return {
            "name": outcome.name,
            "kept": outcome.file.relative_path if outcome.file else "",
            "taken": outcome.can_rename,
            "replaces": outcome.can_replace,
            "level": messages.DEFAULT_TAGS[outcome.level],
            "html": self._told(outcome, request),
        }
