"""Uploads that can be resumed: begun, continued after every break, handed in.

Whoever changes an upload holds the lock of its partial file. Every few megabytes the
bytes are synced, then the row's offset is moved: what the offset says is kept.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import BinaryIO, Protocol
from uuid import UUID

from django.utils.translation import gettext

from deliverystore import fsops, limits, paths
from deliverystore.digests import Digester, algorithm_of
from deliverystore.exceptions import (
    DeliveryNotOpen,
    DeliveryRefused,
    FileDamaged,
    InvalidName,
    LimitExceeded,
    NotPermitted,
    UploadBusy,
    UploadNotFound,
)
from deliverystore.models import Delivery, FileMeta, Upload
from deliverystore.models.access import User
from deliverystore.models.receiving import name_is_taken, unless_gone, used_by
from deliverystore.models.upload import partial_files_policy
from deliverystore.streams import chunks_of

# How much is lost at most when the server is killed while bytes come in.
_SYNC_EVERY = 32 * 1024 * 1024
# How much is lost at most when the connection breaks.
_READ_SIZE = 256 * 1024

logger = logging.getLogger(__name__)


class Source(Protocol):
    """What bytes come from: a request, an open file."""

    def read(self, size: int, /) -> bytes: ...


def begin(
    delivery: Delivery, user: User, filename: str, length: int, metadata: str = ""
) -> Upload:
    """Begin the upload of one file of length bytes into an open delivery.

    An upload of the same filename that has stopped is given up for it. metadata is
    kept as it is. Raise NotPermitted, InvalidName, DeliveryNotOpen,
    DuplicateFilename, UploadBusy if the same filename is just coming in, or a
    LimitExceeded.
    """
    delivery.check_permission(user, "add")
    name = paths.clean_filename(filename)
    limits.check_filename(name)
    delivery.check_open()
    _check_limits(delivery, name, length)
    for earlier in delivery.uploads.running().filter(filename=name):
        with contextlib.suppress(UploadNotFound), _alone(earlier) as partial:
            if partial is not None:
                earlier.discard()
    if delivery.files.filter(name_key=paths.name_key(name)).exists():
        raise name_is_taken(name)
    upload = Upload(delivery=delivery, filename=name, length=length, metadata=metadata)
    # First the file: one without a row is found by the sweep.
    with fsops.new_file(upload.path, partial_files_policy()):
        pass
    with unless_gone(delivery):
        upload.save(force_insert=True)
    return upload


def find(upload_id: UUID, user: User) -> Upload:
    """Return an upload, whose file is in the delivery if all bytes have come.

    Raise UploadNotFound if there is none that the user may continue, UploadBusy if the
    file is just being handed in, and what append() raises if it is refused.
    """
    upload = Upload.objects.select_related("delivery").filter(pk=upload_id).first()
    if upload is None:
        raise UploadNotFound(f"There is no upload {upload_id}.")
    try:
        upload.delivery.check_permission(user, "add")
    except NotPermitted as error:
        raise UploadNotFound(f"There is no upload {upload_id}.") from error
    if upload.is_received and upload.filemeta_id is None:
        # The server was stopped before it could hand the file in.
        with _alone(upload) as partial:
            if partial is not None:
                _hand_in(upload, partial)
    if upload.filemeta_id is not None and upload.file() is None:
        raise UploadNotFound(f"{upload.filename!r} was removed from its delivery.")
    return upload


def append(upload: Upload, user: User, offset: int, stream: Source) -> None:
    """Keep the bytes of a stream, from offset on; with the last one, hand the file in.

    A stream that ends early is no error: upload.offset says what is kept. No more than
    the announced length is read. Raise NotPermitted, UploadNotFound, UploadBusy,
    WrongOffset; if the delivery refuses the file, DeliveryRefused, InvalidName or
    LimitExceeded, and then the upload is gone.
    """
    upload.delivery.check_permission(user, "add")
    with _alone(upload) as partial:
        upload.check_offset(offset)
        if partial is not None:
            _receive(upload, partial, stream)
            if upload.is_received:
                _hand_in(upload, partial)


def terminate(upload: Upload, user: User) -> None:
    """Give an upload up, and remove its file if it is already in the open delivery.

    Raise NotPermitted, UploadNotFound, UploadBusy, or DeliveryNotOpen if the file was
    handed in for good.
    """
    upload.delivery.check_permission(user, "add")
    with _alone(upload):
        if file := upload.file():
            file.delete()
        upload.discard()


def _check_limits(delivery: Delivery, name: str, length: int) -> None:
    """Ask the limits as if all uploads that are running were in already."""
    beside = delivery.uploads.running().exclude(filename=name)
    limits.check_count(delivery.file_count + beside.count() + 1)
    used = used_by(delivery)
    if used is not None:
        others = Upload.objects.running().exclude(delivery=delivery)
        used += others.filter(
            delivery__delivered_by=delivery.delivered_by_id
        ).bytes_announced()
    allowance = limits.allowance(delivery.size, used, added=beside.bytes_announced())
    allowance.check(name, length)


@contextlib.contextmanager
def _alone(upload: Upload) -> Iterator[BinaryIO | None]:
    """Keep others out of an upload, and read its row anew.

    Give its partial file to the block, or None when the file is in the delivery.
    """
    with contextlib.ExitStack() as stack:
        partial = None
        try:
            partial = stack.enter_context(fsops.exclusive(upload.path))
        except BlockingIOError as error:
            raise UploadBusy(
                gettext("%(filename)r is just being received; try again soon.")
                % {"filename": upload.filename}
            ) from error
        except FileNotFoundError:
            # Handed in, given up, or lost: the row tells.
            pass
        try:
            upload.refresh_from_db(
                from_queryset=Upload.objects.select_related("delivery")
            )
        except Upload.DoesNotExist as error:
            raise UploadNotFound(f"There is no upload {upload.pk}.") from error
        if upload.filemeta_id is not None:
            yield None
        elif partial is None:
            raise _lost(upload)
        else:
            yield partial


def _receive(upload: Upload, partial: BinaryIO, stream: Source) -> None:
    """Keep what comes, and count it as soon as it is synced."""
    policy = partial_files_policy()
    if not upload.is_received:
        try:
            upload.delivery.check_open()
        except DeliveryNotOpen:
            upload.discard()
            raise
    while not upload.is_received:
        size = min(upload.length - upload.offset, _SYNC_EVERY)
        try:
            count = fsops.append(partial, upload.offset, _read(stream, size), policy)
        except FileDamaged as error:
            raise _lost(upload) from error
        if count:
            upload.record(offset=upload.offset + count)
        if count < size:
            return


def _read(stream: Source, size: int) -> Iterator[bytes]:
    while size and (chunk := stream.read(min(size, _READ_SIZE))):
        yield chunk
        size -= len(chunk)


def _hand_in(upload: Upload, partial: BinaryIO) -> None:
    partial.seek(0)
    try:
        file = upload.delivery.add_file(upload.filename, partial)
    except (DeliveryRefused, InvalidName, LimitExceeded):
        # Perhaps the server was stopped just after the file was in.
        same = _same_file(upload, partial)
        if same is None:
            upload.discard()
            raise
        file = same
    upload.record(filemeta_id=file.pk)
    fsops.remove(upload.path, partial_files_policy())


def _same_file(upload: Upload, partial: BinaryIO) -> FileMeta | None:
    """Return the file in the delivery that has this name and these bytes, if any."""
    key = paths.name_key(upload.filename)
    file = upload.delivery.files.filter(name_key=key, size=upload.length).first()
    if file is None:
        return None
    partial.seek(0)
    with Digester(algorithm_of(file.digest)) as digester:
        for chunk in chunks_of(partial):
            digester.update(chunk)
        return file if digester.digest() == file.digest else None


def _lost(upload: Upload) -> UploadNotFound:
    """Give up an upload whose bytes are not there, which must not happen."""
    logger.error("%s bytes of upload %s are lost.", upload.offset, upload.pk)
    upload.discard()
    return UploadNotFound(f"The upload of {upload.filename!r} is lost; begin again.")
