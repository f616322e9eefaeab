"""The page of one import: what happened, how far it is, and what can be done next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from deliverystore.admin.datacenter import looks, run_tries, run_words
from deliverystore.admin.datacenter.failures import page_of_groups
from deliverystore.admin.datacenter.layouts import said
from deliverystore.admin.datacenter.links import RunLinks
from deliverystore.admin.datacenter.progress import is_left_alone, run_progress
from deliverystore.admin.datacenter.run_base import (
    LARGE,
    Columns,
    May,
    RunViews,
)
from deliverystore.admin.datacenter.run_facts import facts
from deliverystore.admin.datacenter.shortened import shown
from deliverystore.datacenter import DataCenter, Layout, permissions
from deliverystore.datacenter.runs.known_again import counted_by
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from django.core.paginator import Page
    from django.http import HttpRequest, HttpResponse

CHANGES_PER_PAGE = 50
# So many fields are shown of one changed object.
_MAX_FIELDS = 20
# So many later tries are named; it takes patience to have more.
_MAX_CHILDREN = 20
# Who has these can mend a pending file on their computer.
_MENDING = (permissions.DOWNLOAD, permissions.UPLOAD)


class RunPage(RunViews):
    """The page to which the list leads."""

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the page. Raise DoesNotExist if the user sees no such run."""
        run = self.run(request, pk)
        title = _("Import %(id)s: %(file)s") % {"id": run.pk, "file": shown(run.file)}
        context = {
            **self.page.page_context(request, "runs", title),
            **self._context(request, run),
        }
        template = "admin/deliverystore/importrun/run.html"
        return TemplateResponse(request, template, context)

    def _context(self, request: HttpRequest, run: ImportRun) -> dict[str, Any]:
        newest = run.children.order_by("-pk").defer(*LARGE)[:_MAX_CHILDREN]
        children = list(newest)[::-1]
        is_tried = any(not child.is_over for child in children)
        may = May.of(request.user, run, is_tried=is_tried)
        columns = Columns(run, request.user)
        alone = is_left_alone(run)
        links = RunLinks(request, self.page.admin_site.name)
        return {
            "run": run,
            "may": may,
            "badge": looks.counted_badge(run),
            "words": run_words.in_words(
                run,
                is_left_alone=alone,
                may_change=may.change,
                may_mend=all(map(request.user.has_perm, _MENDING)),
                has_pending=_is_there(run.pending_file),
            ),
            "live": run_progress(run),
            "bar": looks.bar(run),
            "facts": facts(run, children, self.url),
            "tries": run_tries.tries(run, links),
            "counted_by": looks.breakable(shown(counted_by(run), 255))
            if run.parent_id
            else "",
            "files": self._files(request, run),
            "preview_url": self._preview_url(run, may=may, is_tried=is_tried),
            "changes": _changes(request, run) if run.dry_run else None,
            "groups": page_of_groups(request, run, columns, may=may)
            if run.failed
            else None,
        }

    def _files(self, request: HttpRequest, run: ImportRun) -> list[tuple[str, str]]:
        """Return the files of a run to be downloaded: what they are, and where."""
        if not request.user.has_perm(permissions.DOWNLOAD):
            return []
        waits = run.file if run.dry_run or not run.is_over else ""
        pending = run.pending_file if run.state in ImportRun.LEFT_OVER else ""
        found = [
            (
                _("rows that went in, of all imports of the file")
                if run.parent_id
                else _("rows that went in"),
                run.finished_file,
            ),
            (_("rows that failed"), pending),
            (_("original"), run.original_file),
            (_("the file that waits"), "" if run.from_parent else waits),
        ]
        # Somebody may have deleted them; the rows that are left are in the database.
        return [
            (label, self.center_url("download", name))
            for label, name in found
            if _is_there(name)
        ]

    def _preview_url(self, run: ImportRun, *, may: May, is_tried: bool) -> str:
        """Return where an import of the file begins that is still as it was."""
        untouched = run.state in (ImportRun.State.TRIED, ImportRun.State.FAILED) or (
            run.state == ImportRun.State.CANCELLED and not run.rows
        )
        if not untouched or not may.change or run.from_parent or is_tried:
            return ""
        # Tried as another kind of file, it would be another file.
        return self.center_url("preview", run.file, **said(Layout(**run.layout)))


def _is_there(name: str) -> bool:
    return bool(name) and DataCenter().place.exists(name)


def _changes(request: HttpRequest, run: ImportRun) -> Page:
    """Return a page of what a dry run would change."""
    pages = Paginator(run.shown_differences, CHANGES_PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    actions = {
        "created": _("created"),
        "updated": _("changed"),
        "removed": _("removed"),
    }
    page.object_list = [
        {
            "number": str(one["number"]),
            "action": one["action"],
            "label": actions.get(one["action"], one["action"]),
            "object": shown(one["label"]),
            "fields": [
                {name: shown(change[name]) for name in ("field", "old", "new")}
                for change in one["changes"][:_MAX_FIELDS]
            ],
            "more": max(0, len(one["changes"]) - _MAX_FIELDS),
        }
        for one in page.object_list
    ]
    return page
