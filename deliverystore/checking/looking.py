"""What is wrong with deliveries, files and names: looks at them, changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deliverystore.backends import DeliveryStoreInterface
from deliverystore.checking.budget import Interrupted
from deliverystore.digests import Digester, algorithm_of
from deliverystore.exceptions import (
    DeliveryStoreError,
    MissingExtra,
    StoreUnavailable,
)
from deliverystore.models import Delivery, FileMeta, Finding
from deliverystore.models.receipt import manifest_digest
from deliverystore.streams import CHUNK_SIZE

logger = logging.getLogger(__name__)

# What is wrong with a file, and in which way.
Fault = tuple[Finding.Kind, str]
# Is told how many bytes were read.
Count = Callable[[int], object]

_FIELDS = ("delivery_id", "filename", "size", "digest", "stored_as")


def changed(deliveries: Sequence[Delivery]) -> list[Finding]:
    """Return a finding for each finished delivery that is not what was handed in.

    Reads the rows alone: their number, sizes, and the digest of the manifest.
    """
    files = FileMeta.objects.filter(delivery__in=deliveries)
    rows = files.order_by("delivery_id", "pk").only(*_FIELDS).iterator()
    by_id = {delivery.pk: delivery for delivery in deliveries}
    faults = dict.fromkeys(by_id, _("All its files are gone."))
    for pk, group in groupby(rows, attrgetter("delivery_id")):
        faults[pk] = _fault_of_delivery(by_id[pk], list(group))
    wrong = [pk for pk, fault in faults.items() if fault]
    # One that was deleted meanwhile lost its files with it.
    there = Delivery.objects.filter(pk__in=wrong).values_list("pk", flat=True)
    kind = Finding.Kind.CHANGED
    return [
        Finding(kind=kind, delivery_id=pk, detail=faults[pk]) for pk in sorted(there)
    ]


def fault_of_file(
    file: FileMeta, store: DeliveryStoreInterface, *, quick: bool, count: Count
) -> Fault | None:
    """Return what is wrong with the bytes that a store has for a file, or None.

    quick compares sizes and reads nothing. Raise StoreUnavailable if that is perhaps
    not the fault of the file.
    """
    try:
        if quick:
            return _fault_of_size(file, store)
        return _fault_of_content(file, store, count)
    except FileNotFoundError:
        return Finding.Kind.MISSING, _("The store has nothing under this name.")
    except (Interrupted, MissingExtra, StoreUnavailable):
        raise
    except (OSError, DeliveryStoreError) as error:
        return Finding.Kind.UNREADABLE, str(error)
    except Exception as error:
        # A strange storage must not keep the other files from being checked.
        logger.exception("File %s cannot be read.", file.pk)
        return Finding.Kind.UNREADABLE, repr(error)


def confirmed(
    suspects: Iterable[tuple[FileMeta, Fault]],
    store: DeliveryStoreInterface,
    look: Callable[[FileMeta], Fault | None],
) -> list[Finding]:
    """Return findings for those whose rows are still there.

    Bytes go only after their row: who still has a row should still have bytes. A
    row that names other bytes by now is looked at again, and so is what could not be
    read: perhaps it was only for a moment.
    """
    before = {file.pk: (file, fault) for file, fault in suspects}
    findings = []
    for file in FileMeta.objects.filter(pk__in=before).only(*_FIELDS):
        old, fault = before[file.pk]
        is_sure = fault[0] is not Finding.Kind.UNREADABLE
        current = fault if is_sure and file.stored_as == old.stored_as else look(file)
        if current is not None:
            findings.append(_finding(file, store, *current))
    return findings


def digest_of(
    store: DeliveryStoreInterface, file: str | FileMeta, algorithm: str, count: Count
) -> tuple[str, int]:
    """Read all bytes under a name; return their digest and how many there are."""
    size = 0
    with store.read_open(file) as opened, Digester(algorithm) as digester:
        for chunk in _chunks(opened.read):
            digester.update(chunk)
            size += len(chunk)
            count(len(chunk))
        return digester.digest(), size


def in_bytes(size: int) -> str:
    """Return a number of bytes in words."""
    return ngettext("%(size)s byte", "%(size)s bytes", size) % {"size": f"{size:,}"}


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    return iter(partial(read, CHUNK_SIZE), b"")


def _fault_of_delivery(delivery: Delivery, files: Sequence[FileMeta]) -> str:
    count, size = len(files), sum(file.size for file in files)
    if (count, size) != (delivery.file_count, delivery.size):
        words = {
            "found": _how_much(count, size),
            "expected": _how_much(delivery.file_count, delivery.size),
        }
        return _("%(found)s; handed in were %(expected)s.") % words
    if manifest_digest(files) != delivery.manifest_digest:
        return _("Names, sizes or digests of its files are not those handed in.")
    return ""


def _fault_of_content(
    file: FileMeta, store: DeliveryStoreInterface, count: Count
) -> Fault | None:
    digest, size = digest_of(store, file, algorithm_of(file.digest), count)
    if size != file.size:
        return _wrong_size(file, size)
    if digest != file.digest:
        words = {"found": digest, "digest": file.digest}
        text = _("The digest is %(found)s instead of %(digest)s.") % words
        return Finding.Kind.WRONG_DIGEST, text
    return None


def _fault_of_size(file: FileMeta, store: DeliveryStoreInterface) -> Fault | None:
    name = store.name_of(file)
    try:
        size = store.size(name)
    except NotImplementedError:
        if store.exists(name):
            return None
        raise FileNotFoundError(name) from None
    return None if size == file.size else _wrong_size(file, size)


def _wrong_size(file: FileMeta, size: int) -> Fault:
    words = {"size": in_bytes(size), "expected": f"{file.size:,}"}
    return Finding.Kind.WRONG_SIZE, _("%(size)s instead of %(expected)s.") % words


def _how_much(count: int, size: int) -> str:
    files = ngettext("%(count)s file", "%(count)s files", count)
    return f"{files % {'count': f'{count:,}'}}, {in_bytes(size)}"


def _finding(
    file: FileMeta, store: DeliveryStoreInterface, kind: Finding.Kind, detail: str
) -> Finding:
    return Finding(
        kind=kind,
        delivery_id=file.delivery_id,
        filemeta_id=file.pk,
        name=store.name_of(file),
        detail=f"{file.filename!r}: {detail}",
    )
