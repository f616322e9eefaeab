"""How files get into an open delivery: rows first, then bytes, then complete."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from deliverystore import limits, paths
from deliverystore.conf import conf
from deliverystore.digests import Digester
from deliverystore.exceptions import DuplicateFilename, FileNotFound
from deliverystore.models.counter import Counter
from deliverystore.models.filemeta import FileMeta
from deliverystore.models.removal import Removal
from deliverystore.streams import Data, chunks_of

if TYPE_CHECKING:
    from deliverystore.models.delivery import Delivery

_COMPLETED_FIELDS = [
    "name_key",
    "size",
    "digest",
    "content_type",
    "stored_as",
    "completed",
]

logger = logging.getLogger(__name__)


def receive(delivery: Delivery, items: Iterable[tuple[str, Data]]) -> list[FileMeta]:
    """Store the data of each (filename, data) and return the complete rows.

    All files are added, or none.
    """
    items = list(items)
    with _receiving(delivery, [filename for filename, _ in items]) as rows:
        store = FileMeta.deliverystore
        used, added = used_by(delivery), 0
        with store.group() as group:
            for row, (_, data) in zip(rows, items, strict=True):
                allowance = limits.allowance(delivery.size, used, added=added)
                chunks = limits.check_chunks(row.filename, chunks_of(data), allowance)
                with (
                    Digester(conf.DELIVERY_STORE_DIGEST) as digester,
                    store.write_open(row, group=group) as file,
                ):
                    for chunk in chunks:
                        digester.update(chunk)
                        file.write(chunk)
                        row.size += len(chunk)
                    row.digest = digester.digest()
                row.completed = timezone.now()
                added += row.size
    return rows


def receive_copies(delivery: Delivery, originals: Sequence[FileMeta]) -> list[FileMeta]:
    """Copy complete files into a delivery and return the new rows: all, or none.

    Raise FileDamaged if a copy does not have the digest of what was handed in.
    """
    with _receiving(delivery, [original.filename for original in originals]) as rows:
        store = FileMeta.deliverystore
        with store.group() as group:
            for row, original in zip(rows, originals, strict=True):
                store.copy(original, row, group=group)
                row.size, row.digest = original.size, original.digest
                row.content_type = original.content_type
                row.completed = timezone.now()
        for row in rows:
            row.read_through()
    return rows


def used_by(delivery: Delivery) -> int | None:
    """Return the bytes of all deliveries of the delivery's user, if a quota asks."""
    if conf.DELIVERY_STORE_USER_QUOTA_BYTES is None or delivery.delivered_by_id is None:
        return None
    return type(delivery).objects.bytes_of(delivery.delivered_by_id)


def name_is_taken(filename: str) -> DuplicateFilename:
    """Return the error that a delivery already has a file of this name."""
    return DuplicateFilename(
        gettext(
            "The delivery already has %(filename)r; "
            "remove it first, or choose another filename."
        )
        % {"filename": filename}
    )


@contextlib.contextmanager
def unless_gone(delivery: Delivery) -> Iterator[None]:
    """Raise DeliveryNotOpen if rows of the delivery find it abandoned just now."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        delivery.check_open()
        raise


@contextlib.contextmanager
def _receiving(delivery: Delivery, filenames: list[str]) -> Iterator[list[FileMeta]]:
    """Give the rows of the files to the block, which fills them and stores the bytes.

    If the block or what follows raises, neither rows nor bytes are left. Only when the
    commit itself fails are they left alone, since nobody knows whether it succeeded.
    """
    rows = _begin(delivery, filenames)
    committing = False
    try:
        for row in rows:
            _keep_clear(row)
        yield rows
        with transaction.atomic():
            _complete(delivery, rows)
            committing = True
    except BaseException:
        if not committing:
            _discard(rows)
        raise


def _keep_clear(row: FileMeta) -> None:
    """Choose another name if there are bytes under that of a new row.

    They are of a row that is lost: rolled back, or forgotten with an older database
    that was restored. Nobody else writes under the name: the id is new.
    """
    store = FileMeta.deliverystore
    if store.exists(row):
        row.stored_as = store.get_available_name(store.name_of(row))


def _begin(delivery: Delivery, filenames: list[str]) -> list[FileMeta]:
    """Check the names and write the rows of files that are being received."""
    names = [paths.clean_filename(filename) for filename in filenames]
    for name in names:
        limits.check_filename(name)
    delivery.check_open()
    limits.check_count(delivery.file_count + len(names))
    _check_names(delivery, names)
    rows = [
        FileMeta(
            delivery=delivery, filename=name, content_type=limits.content_type_of(name)
        )
        for name in names
    ]
    with unless_gone(delivery):
        return FileMeta.objects.bulk_create(rows)


def _check_names(delivery: Delivery, names: list[str]) -> None:
    """Refuse names that are taken; drop broken uploads that are tried again."""
    keys: dict[str, str] = {}
    for name in names:
        if (twin := keys.setdefault(paths.name_key(name), name)) is not name:
            raise DuplicateFilename(
                gettext("%(filename)r and %(twin)r are the same filename.")
                % {"filename": name, "twin": twin}
            )
    broken_off = []
    for row in FileMeta.objects.filter(
        Q(name_key__in=keys) | Q(completed=None, filename__in=names), delivery=delivery
    ):
        if row.is_complete:
            raise name_is_taken(row.filename)
        broken_off.append(row.pk)
    if broken_off:
        still_broken_off = FileMeta.objects.filter(pk__in=broken_off, completed=None)
        still_broken_off.delete_with_removals()


def _complete(delivery: Delivery, rows: list[FileMeta]) -> None:
    """Make the rows complete, unless the world has changed meanwhile."""
    delivery.lock_open(files=len(rows), size=sum(row.size for row in rows))
    _check_totals(delivery)
    for row in rows:
        row.name_key = paths.name_key(row.filename)
    _check_still_there(delivery, rows)
    FileMeta.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_COMPLETED_FIELDS,
    )
    _check_quota(delivery)


def _check_still_there(delivery: Delivery, rows: list[FileMeta]) -> None:
    """Refuse rows that were removed meanwhile, and names that were taken.

    Nobody else completes files of this delivery: it is locked.
    """
    ids = {row.pk for row in rows}
    keys = {row.name_key: row.filename for row in rows}
    found = FileMeta.objects.select_for_update().filter(
        Q(pk__in=ids) | Q(name_key__in=keys), delivery=delivery
    )
    for pk, key in found.values_list("pk", "name_key"):
        if key is not None:
            raise DuplicateFilename(
                gettext("The delivery got another %(filename)r meanwhile.")
                % {"filename": keys[key]}
            )
        ids.discard(pk)
    for row in rows:
        if row.pk in ids:
            raise DuplicateFilename(
                gettext(
                    "%(filename)r was removed, or handed in again, "
                    "while it was being received."
                )
                % {"filename": row.filename}
            )


def _check_totals(delivery: Delivery) -> None:
    """Refuse what exceeds the limits of a delivery together with what others added."""
    limited = conf.DELIVERY_STORE_MAX_FILES, conf.DELIVERY_STORE_MAX_DELIVERY_BYTES
    if limited != (None, None):
        delivery.check_open()
        limits.check_count(delivery.file_count)
        limits.check_delivery_size(delivery.size)


def _check_quota(delivery: Delivery) -> None:
    """Refuse what exceeds the user's quota; one completion of a user at a time."""
    user_id = delivery.delivered_by_id
    if conf.DELIVERY_STORE_USER_QUOTA_BYTES is not None and user_id is not None:
        Counter.next(f"quota:{user_id}")
        limits.check_quota(used_by(delivery) or 0)


def _discard(rows: list[FileMeta]) -> None:
    """Remove rows and bytes of files that are not to be; they were never complete."""
    ids = [row.pk for row in rows]
    try:
        FileMeta.objects.filter(pk__in=ids).delete_with_removals()
        for row in rows:
            with contextlib.suppress(FileNotFound):
                FileMeta.deliverystore.remove(row)
        Removal.objects.filter(filemeta_id__in=ids).delete()
    except Exception:
        # The error that led here is the one to report; a sweep finds the rest.
        logger.exception("The refused files %s are left for the sweep.", ids)
