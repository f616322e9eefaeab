"""Reports that the site makes of what was handed in, kept under keys."""

from __future__ import annotations

from collections.abc import Iterable

from deliverystore.kvstore import DatabaseStore
from deliverystore.models import Delivery, FileMeta
from example_project.campus.models import Assignment

from .site import Site
from .story import Story

CODE = """\
reports = DatabaseStore("values", name="reports")
reports.set("assignments/1", (report, {"files": 3, "gallery": False}))
reports.query_keys(gallery=True)
"""


def show_reports(story: Story, assignments: Iterable[Assignment], site: Site) -> None:
    """Keep a report of each assignment, and find one of them again."""
    story.chapter("What the site makes is kept with what is known of it")
    story.say(
        "A report of each assignment, a list of its files, was not handed in. It goes "
        "into a key-value store: data under a key, with metadata by which it is found."
    )
    story.code(CODE)
    reports = DatabaseStore("values", name="reports")
    keys = [_keep(reports, assignment) for assignment in assignments]
    story.good(f"→ {len(keys)} reports are kept")
    for key in reports.query_keys(gallery=True):
        title = reports.get_metadata(key)["title"]
        lines = len(reports.to_bytes(key).splitlines())
        story.say(f"The one with gallery=True is {key}, “{title}”: {lines} lines.")
    story.say()
    if not site.is_served:
        story.say(f"(After {site.command}.)")
    url = f"{site.url}admin/deliverystore/storedvalue/"
    story.table([("stored values", url, "(as admin)")])


def _keep(reports: DatabaseStore, assignment: Assignment) -> str:
    """Keep a report under the key of an assignment, and return the key."""
    deliveries = Delivery.objects.finished().for_recipient(assignment)
    files = FileMeta.objects.filter(delivery__in=deliveries).order_by("pk")
    lines = [f"{one.digest}  {one.size:>12,}  {one.filename}\n" for one in files]
    metadata = {
        "title": assignment.title,
        "files": len(lines),
        "gallery": assignment.gallery,
    }
    key = f"assignments/{assignment.pk}"
    reports.set(key, ("".join(lines).encode(), metadata))
    return key
