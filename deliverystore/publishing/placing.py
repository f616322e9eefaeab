"""Bytes in the public store, each recorded from before they are there.

A row is committed before its bytes are written, and deleted after they are gone. So a
worker may be killed at any moment: the public store has nothing that no row names.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from deliverystore import fsops
from deliverystore.conf import conf
from deliverystore.digests import Digester
from deliverystore.exceptions import InvalidFilepath, PublishingRefused, RunBusy
from deliverystore.models import FileMeta, Publication, PublishedFile, leases
from deliverystore.models.leases import Lease
from deliverystore.models.publishing import PublishedFileQuerySet
from deliverystore.models.removal import patience
from deliverystore.publishing.filepaths import (
    clean_listy_filepath,
    filepath_of,
    name_of,
)
from deliverystore.publishing.stores import public_store
from deliverystore.streams import CHUNK_SIZE

logger = logging.getLogger(__name__)

# The folder in the public store; the others are the site's.
FOLDER = "published"
# Files that were handed in, whose results share a folder.
_PER_FOLDER = 1000
_MAX_KEYNAME = 100
# So many bytes of it are in an address; letters of some scripts have four.
_KEY_BYTES = 100
_State = PublishedFile.State


def place(lease: Lease, filemeta: FileMeta, keyname: str, path: Path) -> PublishedFile:
    """Put a local file into the public store, for whoever has the lease.

    Nobody knows its address yet, which cannot be guessed. Raise RunBusy if the lease
    is lost, PublishingRefused if the name of the key cannot be one.
    """
    filepath = _new_filepath(filemeta, keyname, path)
    size, digest = _measure(path)
    with transaction.atomic(using=leases.database(Publication)):
        lease.write()
        placed = PublishedFile.objects.create(
            filemeta=filemeta,
            keyname=keyname,
            filepath=filepath,
            size=size,
            digest=digest,
        )
    try:
        with _open(path) as file:
            # No other file has this name, which is recorded by now.
            name = public_store.store.save(name_of(filepath), File(file))
    except Exception:
        # It may have got there all the same, or half of it.
        discard([placed])
        raise
    if name != name_of(filepath):
        placed.filepath = filepath_of(name)
        placed.save(update_fields=["filepath"])
    return placed


def show(
    lease: Lease,
    filemeta: FileMeta,
    placed: Iterable[PublishedFile],
    **values: object,
) -> None:
    """Let visitors see what a job has made, instead of what an earlier one made.

    Both in one transaction, in which the publication gets the values of its end. What
    was replaced stays under its address for pages that were loaded before, until the
    sweep.
    """
    files = PublishedFile.objects.filter(filemeta=filemeta)
    new = [one.pk for one in placed]
    with transaction.atomic(using=leases.database(Publication)):
        if not lease.release(**values):
            raise RunBusy(f"Another worker has taken over {lease.work}.")
        files.public().retire(after=conf.DELIVERY_STORE_GRACE)
        shown = files.being_written().filter(pk__in=new).update(state=_State.PUBLIC)
        if shown < len(new):
            raise RunBusy(f"What {lease.work} has made was swept away meanwhile.")


def take_back(lease: Lease, filemeta: FileMeta) -> None:
    """Remove what earlier jobs have begun to put there of a file.

    Their workers may not be dead, and write still: the rows stay for a while.
    """
    files = PublishedFile.objects.filter(filemeta=filemeta)
    begun = list(files.being_written())
    if begun:
        with transaction.atomic(using=leases.database(Publication)):
            lease.write()
            _among(begun).being_written().retire(after=patience())
        _remove_bytes(begun)


def discard(placed: list[PublishedFile]) -> None:
    """Remove what a job has put there that failed, or lost its lease.

    What visitors can see, since its commit has arrived after all, stays.
    """
    _among(placed).being_written().retire()
    remove(_among(placed))
    known = set(_among(placed).values_list("pk", flat=True))
    # A sweep that took this job for dead has removed the rows.
    _remove_bytes(one for one in placed if one.pk not in known)


def remove(files: PublishedFileQuerySet) -> int:
    """Remove those of some files that are no longer needed; return how many.

    What a store refuses to remove is logged, and stays for the next time.
    """
    count = 0
    for one in list(files.filter(due())):
        # What has become public this very moment is not retired.
        seen = PublishedFile.objects.filter(pk=one.pk, state=one.state)
        is_retired = one.state == _State.REMOVED or seen.retire()
        if is_retired and _remove_bytes([one]):
            count += _among([one]).delete()[0]
    return count


def take_down(files: PublishedFileQuerySet) -> None:
    """Remove at once what visitors are not to see, also what was replaced.

    Rows stay as long as a worker that lost its lease may write there.
    """
    remove(files)
    _remove_bytes(files.filter(state=_State.REMOVED))


def due() -> Q:
    """Return the condition for what is to be removed now."""
    now = timezone.now()
    at_work = Publication.objects.filter(
        state=Publication.State.PROCESSING, lease_until__gt=now
    )
    left = Q(state=_State.WRITING, added__lte=now - patience())
    return (
        Q(state=_State.REMOVED, remove_after__lte=now)
        # What is being written of a deleted file, its worker takes back.
        | Q(filemeta=None) & ~Q(state=_State.WRITING)
        | left & ~Q(filemeta__in=at_work.values("filemeta"))
    )


def _new_filepath(filemeta: FileMeta, keyname: str, path: Path) -> list[str]:
    """Return a filepath from ids and a random part, which says what the file is."""
    try:
        key = clean_listy_filepath([keyname])[0]
    except InvalidFilepath:
        key = ""
    if not key or not keyname.isprintable() or len(keyname) > _MAX_KEYNAME:
        raise PublishingRefused(f"{keyname!r} cannot be the name of a key.")
    # Of a longer name, the end would be cut off, and that is random.
    key = key.encode()[:_KEY_BYTES].decode(errors="ignore")
    pk = int(filemeta.pk)
    name = f"{pk}-{key}-{secrets.token_hex(12)}{path.suffix}"
    return clean_listy_filepath([FOLDER, str(pk // _PER_FOLDER), name])


def _open(path: Path) -> BinaryIO:
    """Open a file itself, not what a link leads to: archives can bring links along."""
    return open(path, "rb", opener=fsops.open_file_itself)


def _measure(path: Path) -> tuple[int, str]:
    size = 0
    with _open(path) as file, Digester(conf.DELIVERY_STORE_DIGEST) as digester:
        while chunk := file.read(CHUNK_SIZE):
            digester.update(chunk)
            size += len(chunk)
        return size, digester.digest()


def _among(files: Iterable[PublishedFile]) -> PublishedFileQuerySet:
    return PublishedFile.objects.filter(pk__in=[one.pk for one in files])


def _remove_bytes(files: Iterable[PublishedFile]) -> bool:
    """Remove bytes, as far as they are there; tell whether nothing was refused."""
    is_done = True
    for one in files:
        try:
            with suppress(FileNotFoundError):
                # It takes its empty folders with it.
                public_store.store.remove(name_of(one.filepath))
        except OSError:
            logger.exception("The published file %s stays for now.", one.filepath)
            is_done = False
    return is_done
