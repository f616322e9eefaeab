"""Keys of key-value stores with their metadata, and where their data is."""

from __future__ import annotations

import logging
from collections.abc import Generator
from functools import cache
from itertools import islice

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deliverystore.backends import DeliveryStoreInterface, DjangoStorageDeliveryStore
from deliverystore.exceptions import FileNotFound
from deliverystore.models.removal import untouched_since

logger = logging.getLogger(__name__)

_BATCH = 500
# So many values are looked for to see whether a storage is the right one.
_SOME = 5
# A longer key does not fit into the index of every database.
KEY_START_LENGTH = 100


def stored_key(key: str) -> str:
    """Return a key without NUL, which PostgreSQL does not take."""
    return key.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")


def plain_key(stored: str) -> str:
    """Return the key that stored_key() was given."""
    if "\x01" not in stored:
        return stored
    return stored.replace("\x01\x01", "\x00").replace("\x01\x02", "\x01")


class StoredValue(models.Model):
    """One key of a store: its metadata, and where its data is.

    Databases differ in what they take: key has NUL replaced, and is found by a digest
    of it. stored_as is empty if the data is.
    """

    store = models.CharField(_("store"), max_length=100)
    key = models.TextField(_("key"))
    key_digest = models.CharField(max_length=64, editable=False)
    key_start = models.CharField(
        max_length=KEY_START_LENGTH, editable=False, db_index=True
    )
    metadata = models.JSONField(_("metadata"), default=dict)
    size = models.BigIntegerField(_("size"), default=0)
    storage = models.CharField(_("storage"), max_length=100)
    stored_as = models.CharField(_("stored as"), max_length=1024, blank=True)
    created = models.DateTimeField(_("created"), default=timezone.now)
    modified = models.DateTimeField(_("modified"), default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        permissions = [("download_storedvalue", "Can download data")]
        verbose_name = _("stored value")
        verbose_name_plural = _("stored values")
        indexes = [
            models.Index(fields=["store", "id"], name="deliverystore_value_by_store"),
            models.Index(
                fields=["stored_as"],
                condition=~models.Q(stored_as=""),
                name="deliverystore_value_stored_as",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["store", "key_digest"], name="deliverystore_key_once"
            ),
        ]

    def __str__(self) -> str:
        part = self.plain_key[:KEY_START_LENGTH]
        return "".join(one if one.isprintable() else "\ufffd" for one in part)

    @property
    def plain_key(self) -> str:
        """The key as it was set."""
        return plain_key(self.key)


class StoredTerm(models.Model):
    """A number that stands for a name and a value in the metadata of a key.

    It is a digest of store, name and value: few numbers are wrong hits, none is missed.
    """

    value = models.ForeignKey(
        StoredValue, on_delete=models.CASCADE, related_name="terms"
    )
    term = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["term", "value"], name="deliverystore_value_by_term"),
        ]

    def __str__(self) -> str:
        return str(self.term)


class StoredRemovalQuerySet(models.QuerySet["StoredRemoval"]):
    """Removals of data, and how they are carried out."""

    def due(self) -> StoredRemovalQuerySet:
        """Return those that have waited for the grace period, an hour at least."""
        return self.filter(removed_at__lte=untouched_since())

    def carry_out_each(self) -> Generator[bool, None, None]:
        """Remove the data, and yield of each whether it is gone for good."""
        last = 0
        ordered = self.order_by("pk")
        while batch := list(islice(ordered.filter(pk__gt=last), _BATCH)):
            last = batch[-1].pk
            for removal in batch:
                try:
                    yield removal.carry_out()
                except (OSError, ImproperlyConfigured, TypeError):
                    logger.exception("%s stays for now.", removal)
                    yield False


class StoredRemoval(models.Model):
    """Data that no key has any more, or perhaps never had.

    It is written before the data is, and deleted in the transaction in which the key
    gets it; so a killed process leaves nothing that is not found.
    """

    storage = models.CharField(max_length=100)
    stored_as = models.CharField(max_length=1024, db_index=True)
    removed_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = StoredRemovalQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"The data {self.stored_as!r} in {self.storage!r}"

    def carry_out(self) -> bool:
        """Remove the data unless a key has it; the row goes with it.

        Who is about to give it to a key deletes the row, too: one of both finds it.
        """
        with transaction.atomic():
            rows = StoredRemoval.objects.filter(pk=self.pk)
            if rows.delete()[0] and not self._is_used() and not self._remove():
                transaction.set_rollback(True)
                return False
        return True

    def _remove(self) -> bool:
        """Remove the data; tell whether it is gone for good."""
        try:
            storage_of(self.storage).remove(self.stored_as)
        except FileNotFound:
            # It was never written, or else the storage is not the right one: a folder
            # that is not mounted has not got it either.
            return _has_any(self.storage)
        return True

    def _is_used(self) -> bool:
        # Under whatever alias: two may mean one place, and no name is given twice.
        return StoredValue.objects.filter(stored_as=self.stored_as).exists()


@cache
def _wrapped(alias: str) -> DeliveryStoreInterface:
    return DjangoStorageDeliveryStore(root="", storage=alias)


def storage_of(alias: str) -> DeliveryStoreInterface:
    """Return the storage of an alias in STORAGES, with the methods of ours."""
    storage = storages[alias]
    if isinstance(storage, DeliveryStoreInterface):
        return storage
    return _wrapped(alias)


def _has_any(alias: str) -> bool:
    """Tell if a storage is the right one, as far as the values in it show it."""
    rows = StoredValue.objects.filter(storage=alias).exclude(stored_as="")
    names = list(rows.order_by("-pk").values_list("stored_as", flat=True)[:_SOME])
    if not names or any(map(storage_of(alias).exists, names)):
        return True
    text = "Data that %r has not got is looked for again: it has no other either."
    logger.error(text, alias)
    return False
