"""Names that one process has for itself, by means of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import router, transaction

from deliverystore.models import DataNameLock

_MAX_LENGTH = 255


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Keep out all others who ask for this name so, until the transaction ends.

    They wait. Whoever is killed keeps nothing.
    """
    name = name[:_MAX_LENGTH]
    using = router.db_for_write(DataNameLock)
    locks = DataNameLock.objects.using(using)
    with transaction.atomic(using=using):
        # A unique value can be written by one transaction at a time, though it is
        # deleted again. The name may be ours already.
        locks.bulk_create([DataNameLock(name=name)], ignore_conflicts=True)
        yield
        locks.filter(name=name).delete()
