"""Media processors for tests, and what became of files in the public store."""

from __future__ import annotations

import errno

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from deliverystore.exceptions import ProcessingFailed
from deliverystore.models import Publication, PublishedFile
from deliverystore.publishing import MediaProcessor


class UpperProcessor(MediaProcessor):
    """Publishes texts in capital letters, and their lengths."""

    description = "capital letters"

    def is_eligible(self, filemeta):
        return filemeta.filename.endswith(".txt")

    def process(self, job):
        text = job.source.read_text()
        if text == "bad":
            raise ProcessingFailed("There is nothing in it.", line=3)
        job.progress(0.5)
        upper = job.workbench.joinpath("upper.txt")
        upper.write_text(text.upper())
        job.publish("upper", upper)
        length = job.workbench.joinpath("length.txt")
        length.write_text(str(len(text)))
        job.publish("length", length)


class Full(FileSystemStorage):
    """A storage whose disk is full in the middle of a file."""

    def _save(self, name, content):
        super()._save(name, ContentFile(content.read()[:2]))
        raise OSError(errno.ENOSPC, "No space left on device")


class Killed(BaseException):
    """Stands for the end of the process."""


def public(filemeta):
    """Return what visitors see of a file: the content by the name of the key."""
    from deliverystore.publishing import public_store

    found = {}
    for one in filemeta.published_files.public():
        with public_store.get_file(one.filepath) as file:
            found[one.keyname] = file.read().decode()
    return found


def files_in(media):
    """Return the paths of all files in a folder, relative to it."""
    if not media.exists():
        return set()
    return {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}


def recorded():
    """Return the same paths, as they are recorded."""
    return {"/".join(one.filepath) for one in PublishedFile.objects.all()}


def expire(publication):
    """Let the lease of a dead worker run out."""
    from datetime import timedelta

    from django.utils import timezone

    past = timezone.now() - timedelta(hours=1)
    Publication.objects.filter(pk=publication.pk).update(
        lease_until=past, worker="another:1:machine"
    )
