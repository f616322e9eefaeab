"""The gallery: what students hand in to be shown, and how visitors see it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.dispatch import receiver

from deliverystore.exceptions import PublishingRefused
from deliverystore.models import Delivery, PublishedFile
from deliverystore.publishing import publish
from deliverystore.signals import delivery_finished

from .models import Assignment

# Three, four or six in a row.
_PER_PAGE = 24
_SMALL = ("thumbnail", "preview")


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One photo or text, as the gallery shows it; picture is "" for a text."""

    title: str
    by: str
    picture: str
    url: str


@receiver(delivery_finished)
def publish_delivery(*, delivery: Delivery, **kwargs: Any) -> None:
    """Publish what was handed in to an assignment that has a gallery."""
    if isinstance(delivery.recipient, Assignment) and delivery.recipient.gallery:
        for file in delivery.files.all():
            # What no media processor takes, such as a ZIP, stays private.
            with suppress(PublishingRefused):
                publish(file)


def exhibits() -> QuerySet[PublishedFile]:
    """Return one published file for each exhibit, the newest first."""
    shown = PublishedFile.objects.public().filter(keyname__in=_SMALL)
    files = shown.select_related("filemeta__delivery__delivered_by")
    return files.prefetch_related("filemeta__published_files").order_by("-pk")


def page_of(number: str | None) -> Page:
    """Return a page of exhibits."""
    page: Any = Paginator(exhibits(), _PER_PAGE).get_page(number)
    page.object_list = list(_shown(page.object_list))
    return page  # type: ignore[no-any-return]


def _shown(files: Iterable[PublishedFile]) -> Iterable[Exhibit]:
    for one in files:
        if (file := one.filemeta) is None:
            continue
        public = {
            other.keyname: other
            for other in file.published_files.all()
            if other.state == PublishedFile.State.PUBLIC
        }
        student = file.delivery.delivered_by
        yield Exhibit(
            title=PurePath(file.filename).stem,
            by=getattr(student, "first_name", ""),
            picture=one.url if one.keyname == "thumbnail" else "",
            url=public.get("medium", one).url,
        )
