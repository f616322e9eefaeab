"""Publications that are to be done again, by what is the matter with them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F, QuerySet

from deliverystore.models import FileMeta, Publication, leases
from deliverystore.publishing.stores import public_store


def of_id(pk: int) -> FileMeta:
    """Return the file of an id, published before or not. Raise DoesNotExist."""
    return FileMeta.objects.select_related("delivery").get(pk=pk)


def every(processor: str = "") -> Iterator[FileMeta]:
    """Yield the files of all publications, or of those of one processor."""
    found = Publication.objects.all()
    return _files(found.filter(processor=processor) if processor else found)


def failed(processor: str = "") -> Iterator[FileMeta]:
    """Yield the files of the publications that have failed."""
    found = Publication.objects.filter(state=Publication.State.FAILED)
    return _files(found.filter(processor=processor) if processor else found)


def left(processor: str = "") -> Iterator[FileMeta]:
    """Yield the files of the publications that wait or broke off.

    First come those that were tried longest ago, or never: a file that kills each
    worker keeps none of the others waiting.
    """
    found = Publication.objects.filter(state__in=Publication.HOLDING)
    found = found.filter(processor=processor) if processor else found
    tried = found.order_by(F("heartbeat").asc(nulls_first=True), "pk")
    for pk in list(tried.values_list("pk", flat=True)):
        one = found.select_related("filemeta__delivery").filter(pk=pk).first()
        if one is not None and leases.is_left(one):
            yield one.filemeta


def incomplete(processor: str = "") -> Iterator[FileMeta]:
    """Yield the files of which something public is not in the public store any more."""
    found = Publication.objects.filter(state=Publication.State.PROCESSED)
    for file in _files(found.filter(processor=processor) if processor else found):
        public = file.published_files.public()
        if not all(public_store.file_exists(one.filepath) for one in public):
            yield file


def _files(publications: QuerySet[Publication]) -> Iterator[FileMeta]:
    """Yield files in the order of their publications, each as it is by then.

    Work on those before may take hours: what was taken off the site meanwhile is not
    to come back.
    """
    last = 0
    rows = publications.select_related("filemeta__delivery").order_by("pk")
    while one := rows.filter(pk__gt=last).first():
        last = one.pk
        yield one.filemeta
