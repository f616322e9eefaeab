"""Files that are deleted after a question, and restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deliverystore.admin.datacenter.family import PageFamily, named, reason
from deliverystore.admin.datacenter.files import list_of
from deliverystore.datacenter import (
    DataCenter,
    OnTaken,
    browsing,
    deleting,
    naming,
    permissions,
    restoring,
)
from deliverystore.exceptions import DeliveryStoreError, FileExists, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.http import HttpRequest, HttpResponseBase

    from deliverystore.datacenter import DataCenterFile
    from deliverystore.views.access import View

_MOST_IN_ADDRESS = 10
_ON_TAKEN = {"rename": OnTaken.RENAME, "replace": OnTaken.REPLACE_PENDING}


class DeletingPages(PageFamily):
    """Ask, delete, restore; one file or all that were chosen on a page of a list."""

    def views(self) -> Iterable[tuple[str, View, str]]:
        yield "delete/", self.delete, "delete"
        yield "restore/", self.restore, "restore"

    def delete(self, request: HttpRequest) -> HttpResponseBase:
        """Ask first, then move files to the deleted ones."""
        # Asked before the question: not even sizes are for everybody.
        paths = deleting.ask(request.user, chosen(request))
        center = DataCenter()
        if not paths:
            permissions.ask(
                request.user, "delete files", permissions.DELETE, permissions.IMPORT
            )
            messages.warning(request, _("No file was chosen."))
            return self.redirect(list_of(request.POST.get("where", "")).name)
        if request.method == "POST" and "confirmed" in request.POST:
            self._delete(request, center, paths)
            return self.redirect(list_of(paths[0].rpartition("/")[0]).name)
        files = [center.get_file(path) for path in paths]
        where = list_of(paths[0].rpartition("/")[0])
        return self.show(
            request,
            "delete.html",
            _("Delete files?") if len(files) > 1 else _("Delete this file?"),
            tab=where.tab,
            files=files,
            back=self.url(where.name),
        )

    def restore(self, request: HttpRequest) -> HttpResponseBase:
        """Move files back; if a name is taken, ask for another one."""
        # Asked first: not even the names are for everybody.
        self.admin.tab_context(request, "deleted")
        paths = chosen(request)
        if request.method != "POST":
            return self._ask_name(request, paths)
        if not paths:
            messages.warning(request, _("No file was chosen."))
        taken = self._restore(request, paths)
        if taken:
            # An address is not to be too long.
            named = [("file", path) for path in taken[:_MOST_IN_ADDRESS]]
            return self.redirect("restore", named)
        return self.redirect("deleted")

    def _restore(self, request: HttpRequest, paths: Sequence[str]) -> list[str]:
        """Move files back; return those whose names are taken."""
        asked = (one for name, one in _ON_TAKEN.items() if name in request.POST)
        on_taken = next(asked, OnTaken.REFUSE)
        center, taken = DataCenter(), []
        for path in paths:
            try:
                restored = center.restore(path, on_taken=on_taken, user=request.user)
            except NotPermitted:
                raise
            except FileExists:
                taken.append(path)
            except DeliveryStoreError as error:
                messages.error(request, reason(error))
            else:
                words = {"name": restored}
                messages.success(request, _("“%(name)s” was restored.") % words)
        return taken

    def _delete(
        self, request: HttpRequest, center: DataCenter, paths: Sequence[str]
    ) -> None:
        deleted = 0
        for path in paths:
            try:
                center.delete(path, user=request.user)
            except NotPermitted:
                raise
            except DeliveryStoreError as error:
                messages.error(request, reason(error))
            else:
                deleted += 1
        if deleted:
            text = ngettext(
                "%(count)d file was deleted; it can be restored.",
                "%(count)d files were deleted; they can be restored.",
                deleted,
            )
            messages.success(request, text % {"count": deleted})

    def _ask_name(self, request: HttpRequest, paths: Sequence[str]) -> HttpResponseBase:
        center = DataCenter()
        files: list[DataCenterFile] = []
        for path in paths:
            if not path.startswith(f"{naming.DELETED}/"):
                continue
            files.append(center.get_file(path))
        if not files:
            return self.redirect("deleted")
        left = {path for path in paths if restoring.left_by(path) is not None}
        title = _("The name is taken") if len(files) == 1 else _("The names are taken")
        return self.show(
            request,
            "restore.html",
            title,
            tab="deleted",
            files=[one for one in files if one.relative_path not in left],
            rows=[one for one in files if one.relative_path in left],
            back=self.url("deleted"),
        )


def chosen(request: HttpRequest) -> list[str]:
    """Return the paths that were chosen, no more than a page of a list has.

    A button for one file counts more than the boxes that are ticked.
    """
    data = request.POST if request.method == "POST" else request.GET
    paths = data.getlist("only") or data.getlist("file")
    found = dict.fromkeys(map(named, filter(None, paths)))
    return list(found)[: browsing.PER_PAGE]
