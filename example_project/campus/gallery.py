"""The gallery: what students hand in to be shown, and how visitors see it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.dispatch import receiver

from deliverystore.exceptions import ProcessingFailed, PublishingRefused
from deliverystore.models import Delivery, FileMeta, Publication, PublishedFile
from deliverystore.publishing import public_store, publish
from deliverystore.signals import delivery_finished

from .models import Assignment

# Three, four or six in a row.
_PER_PAGE = 24


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One photo or text of the gallery.

    A page of its own shows a photo large, or how the text begins.
    """

    pk: int
    title: str
    by: str
    thumbnail: str
    large: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Showing:
    """Whether a file that was handed in is in the gallery; reason says why not."""

    is_shown: bool = False
    is_waiting: bool = False
    reason: str = ""


@receiver(delivery_finished)
def publish_delivery(*, delivery: Delivery, **kwargs: Any) -> None:
    """Publish what was handed in to an assignment that has a gallery."""
    if isinstance(delivery.recipient, Assignment) and delivery.recipient.gallery:
        for file in delivery.files.all():
            # What no media processor takes, such as a ZIP, stays private.
            with suppress(PublishingRefused):
                publish(file)


def showings(delivery: Delivery) -> list[tuple[FileMeta, Showing | None]]:
    """Return the files of a delivery; without a gallery, nothing is said of them."""
    files = delivery.files.select_related("publication")
    if not getattr(delivery.recipient, "gallery", False):
        return [(file, None) for file in files]
    thumbnails = _thumbnails().filter(filemeta__delivery=delivery)
    shown = set(thumbnails.values_list("filemeta", flat=True))
    return [(file, _showing(file, is_shown=file.pk in shown)) for file in files]


def page_of(number: str | None) -> Page:
    """Return a page of exhibits: the newest deliveries first."""
    files = _thumbnails().order_by("-filemeta__delivery", "filemeta")
    page: Any = Paginator(files, _PER_PAGE).get_page(number)
    page.object_list = [_exhibit(one) for one in page.object_list]
    return page  # type: ignore[no-any-return]


def closer_look(pk: int) -> Exhibit:
    """Return what is shown of one file by itself. Raise PublishedFile.DoesNotExist."""
    exhibit = _exhibit(_thumbnails().get(filemeta__pk=pk))
    public = PublishedFile.objects.public().filter(filemeta=pk)
    if medium := public.filter(keyname="medium").first():
        return replace(exhibit, large=medium.url)
    with public_store.get_file(public.get(keyname="preview").filepath) as file:
        return replace(exhibit, text=file.read().decode())


def _showing(file: FileMeta, *, is_shown: bool) -> Showing:
    publication: Publication | None = getattr(file, "publication", None)
    if is_shown or publication is None:
        return Showing(is_shown=is_shown)
    # What else a processor raises is for those who run the site.
    is_plain = publication.error_class == ProcessingFailed.__name__
    return Showing(
        is_waiting=not publication.is_over,
        reason=publication.error if is_plain else "",
    )


def _thumbnails() -> QuerySet[PublishedFile]:
    shown = PublishedFile.objects.public().filter(keyname="thumbnail")
    return shown.select_related("filemeta__delivery__delivered_by")


def _exhibit(thumbnail: PublishedFile) -> Exhibit:
    # What is public has a file.
    file = cast("FileMeta", thumbnail.filemeta)
    return Exhibit(
        pk=file.pk,
        title=PurePath(file.filename).stem,
        by=getattr(file.delivery.delivered_by, "first_name", ""),
        thumbnail=thumbnail.url,
    )
