"""The question that comes before an import which removes objects."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from deliverystore.admin.datacenter import looks
from deliverystore.admin.datacenter.layouts import layout_of, said
from deliverystore.datacenter import DataCenter
from deliverystore.datacenter.journal import stamp
from deliverystore.datacenter.rows.outcomes import Mode
from deliverystore.datacenter.runs.of_files import last_tried
from deliverystore.models import ImportRun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deliverystore.admin.datacenter.import_form import ImportForm
    from deliverystore.admin.datacenter.links import RunLinks
    from deliverystore.datacenter.previewing import Preview

# What a form says beside how the import is to be done.
_ANSWERS = {"csrfmiddlewaretoken", "confirmed", "dry_run", "look"}


def is_to_be_asked(data: Mapping[str, str], form: ImportForm) -> bool:
    """Tell whether what a form asks for is to be confirmed first.

    A yes counts for the file as it was when it was asked about.
    """
    if form.mode is not Mode.REMOVE or "dry_run" in data:
        return False
    return data.get("confirmed") != _stamp(form)


def question(
    data: Mapping[str, str],
    form: ImportForm,
    found: Preview,
    *,
    links: RunLinks,
    url: Callable[..., str],
) -> dict[str, Any]:
    """Return what the page of the question has to know.

    url makes the address of a page of the data center, by its name and its query.
    """
    tried, count = _tried(form), _count(found)
    back = {"file": form.file, "use": form.use, **said(layout_of(data))}
    return {
        "form": form,
        "count": count,
        "rows": "" if count is None else looks.rows(count),
        "values": [pair for pair in data.items() if pair[0] not in _ANSWERS],
        "stamp": _stamp(form),
        "tried": tried,
        "tried_url": links.url(tried),
        "removed": "" if tried is None else looks.number(tried.removed),
        "failed": looks.rows(tried.failed) if tried and tried.failed else "",
        "here": url("preview", [("file", form.file)]),
        "back": url("preview", back.items()),
    }


def _tried(form: ImportForm) -> ImportRun | None:
    """Return the dry run of just this, if it was the last that was done."""
    tried = last_tried(form.file)
    if tried is None or tried.state != ImportRun.State.TRIED:
        return None
    asked = form.arguments()
    names = ("processor", "mode", "mapping")
    is_same = all(asked[name] == getattr(tried, name) for name in names)
    is_same = is_same and asdict(asked["layout"]) == tried.layout
    return tried if is_same and _stamp(form) == tried.stamp else None


def _stamp(form: ImportForm) -> str:
    return stamp(DataCenter().place.entry(form.file))


def _count(found: Preview) -> int | None:
    """Return how many rows there are, if that is known."""
    if found.is_whole:
        return found.report.records - found.report.blank
    return found.file.records
