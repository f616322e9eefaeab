"""Deliveries as one ZIP file that is made while it is sent."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from deliverystore.exceptions import (
    DeliveryIncomplete,
    FileDamaged,
    FileNotFound,
    MissingExtra,
    SettingInvalid,
)
from deliverystore.models import Condition, Delivery, FileMeta
from deliverystore.models.access import User
from deliverystore.paths import portable_filename, unique_filenames
from deliverystore.streams import CHUNK_SIZE

if TYPE_CHECKING:
    from zipstream import ZipStream

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """The name of a ZIP file, and its content, which can be read once."""

    filename: str
    chunks: Generator[bytes]


def make_archive(deliveries: Iterable[Delivery], user: User) -> Archive:
    """Pack the files of deliveries, each into a folder of its own.

    A file gets in only after it was compared with its digest. One that is lost or
    damaged is named in a text file in its place. Raise NotPermitted unless the user
    may download them all, MissingExtra if the extra "zip" is not installed.
    """
    deliveries = list(deliveries)
    for delivery in deliveries:
        delivery.check_permission(user, "download")
    archive = _new_zip()
    folders = list(unique_filenames(map(_folder, deliveries)))
    name = folders[0] if len(folders) == 1 else f"deliveries {timezone.localdate()}"
    return Archive(
        filename=f"{name}.zip", chunks=_joined(_content(archive, deliveries, folders))
    )


def _new_zip() -> ZipStream:
    try:
        from zipstream import ZipStream
    except ImportError as error:
        raise MissingExtra(_("A download as ZIP"), "zip") from error
    # Stored, not compressed: most of what is handed in is compressed already.
    return ZipStream()


def _folder(delivery: Delivery) -> str:
    by = delivery.delivered_by
    return portable_filename(str(delivery) if by is None else f"{delivery}, {by}")


def _content(
    archive: ZipStream, deliveries: list[Delivery], folders: list[str]
) -> Iterator[bytes]:
    for delivery, folder in zip(deliveries, folders, strict=True):
        archive.mkdir(folder)
        yield from archive.all_files()
        yield from _files(archive, delivery, folder)
    yield from archive.footer()


def _files(archive: ZipStream, delivery: Delivery, folder: str) -> Iterator[bytes]:
    # A list: an open cursor would lock a SQLite database for the whole download.
    files = list(delivery.files.all())
    wanted = [_("MISSING FILES.txt"), *(f.filename for f in files)]
    note, *names = unique_filenames(map(portable_filename, wanted))
    lost = []
    for file, name in zip(files, names, strict=True):
        try:
            content = _intact(file)
        except (OSError, SettingInvalid, DeliveryIncomplete) as error:
            logger.exception("File %s is left out of a ZIP.", file.pk)
            lost.append(f"- {file.filename} ({_reason(error)})")
            continue
        archive.add(content, f"{folder}/{name}", size=file.size)
        yield from archive.all_files()
    if lost:
        head = _("These files of %(delivery)s could not be packed:")
        text = "\n".join([head % {"delivery": delivery}, "", *lost, ""])
        archive.add(text, f"{folder}/{note}")
        yield from archive.all_files()


def _reason(error: Exception) -> str:
    """Say what is wrong with a file, without the names of the store."""
    match error:
        case FileNotFound():
            return str(Condition.MISSING.label)
        case FileDamaged():
            return str(Condition.DAMAGED.label)
        case DeliveryIncomplete():
            return _("still being received")
    return str(Condition.UNREADABLE.label)


def _intact(file: FileMeta) -> bytes | Iterator[bytes]:
    """Return the content, all of it compared; that of a large file is read twice."""
    if file.size <= CHUNK_SIZE:
        return file.get_all_data_as_string()
    file.read_through()
    return file.chunks()


def _joined(pieces: Iterator[bytes]) -> Generator[bytes]:
    """Yield the same bytes in pieces that are worth sending."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= CHUNK_SIZE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)
