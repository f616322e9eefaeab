"""The tabs of the data center: which there are, and who sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from deliverystore.datacenter import permissions

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from deliverystore.models.access import User

_RUNS = "deliverystore.view_importrun"
_EXPORT = "deliverystore.run_export"
_EXPORTS = "deliverystore.view_export"
# Who may do something with files sees them.
_FILES = (
    permissions.UPLOAD,
    permissions.DOWNLOAD,
    permissions.DELETE,
    permissions.IMPORT,
)


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One tab; view is the name of its view, any one of the permissions opens it."""

    name: str
    label: _StrPromise
    view: str
    permissions: tuple[str, ...]


TABS = (
    Tab(
        name="pending",
        label=_("Pending"),
        view="datafileinfo_changelist",
        permissions=_FILES,
    ),
    Tab(
        name="unfinished",
        label=_("Unfinished"),
        view="datafileinfo_unfinished",
        permissions=_FILES,
    ),
    Tab(
        name="finished",
        label=_("Finished"),
        view="datafileinfo_finished",
        permissions=_FILES,
    ),
    Tab(
        name="deleted",
        label=_("Deleted"),
        view="datafileinfo_deleted",
        permissions=(permissions.DELETE,),
    ),
    Tab(
        name="runs",
        label=_("Imports"),
        view="importrun_changelist",
        permissions=(permissions.IMPORT, _RUNS),
    ),
    Tab(
        name="exports",
        label=_("Exports"),
        view="export_changelist",
        permissions=(_EXPORT, _EXPORTS),
    ),
    Tab(
        name="processors",
        label=_("Processors"),
        view="datafileinfo_processors",
        permissions=(permissions.IMPORT, _EXPORT),
    ),
    Tab(
        name="logs",
        label=_("Logs"),
        view="datafileinfo_logs",
        permissions=(permissions.VIEW_LOGS,),
    ),
    Tab(
        name="figures",
        label=_("Figures"),
        view="importrun_figures",
        permissions=(permissions.IMPORT, _RUNS),
    ),
)


def may_see(user: User, name: str = "") -> bool:
    """Tell whether a user sees a tab; without a name, any of them."""
    return any(
        any(map(user.has_perm, tab.permissions))
        for tab in TABS
        if name in ("", tab.name)
    )


def tabs_for(user: User, site: str, current: str) -> list[dict[str, object]]:
    """Return what a page shows of the tabs that a user sees: label, url, is_current."""
    return [
        {
            "label": tab.label,
            "url": reverse(f"{site}:deliverystore_{tab.view}"),
            "is_current": tab.name == current,
        }
        for tab in TABS
        if may_see(user, tab.name)
    ]
