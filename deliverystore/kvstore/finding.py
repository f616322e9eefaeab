"""Finding keys in the database, however many there are."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping

from django.db.models import Exists, F, OuterRef, QuerySet

from deliverystore.kvstore.metadata import Matcher, Metadata, canonical
from deliverystore.models.kvstore import (
    KEY_START_LENGTH,
    StoredTerm,
    StoredValue,
    plain_key,
    stored_key,
)
from deliverystore.models.search import BeginsWith

# So many rows are in memory at once.
_BATCH = 500
# Up to so many hits are counted, to begin with the rarest condition.
_COUNTED = 1000
_SPECIAL = re.compile(r"[*?\[]")


def digest_of(key: str) -> str:
    """Return what a key is found by, since it may be too long for an index."""
    return hashlib.sha256(key.encode()).hexdigest()


def term_of(store: str, name: str, value: object) -> int:
    """Return the number that stands for a name and a value in the metadata."""
    text = canonical([store, name, value])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def by_key(store: str, key: str) -> QuerySet[StoredValue]:
    """Return the row of a key, if there is one."""
    return StoredValue.objects.filter(store=store, key_digest=digest_of(key))


def found(store: str, matcher: Matcher) -> Iterator[tuple[str, Metadata]]:
    """Yield keys and metadata that the matcher accepts."""
    if not matcher:
        rows = StoredValue.objects.filter(store=store)
        for _, key, metadata in _in_batches(rows, "pk", "key", "metadata"):
            yield plain_key(key), metadata
        return
    terms = with_terms(store, matcher.wanted)
    for _, key, metadata in _in_batches(
        terms, "value_id", "value__key", "value__metadata"
    ):
        # Two values may have the same number.
        if matcher(metadata):
            yield plain_key(key), metadata


def keys(store: str) -> Iterator[str]:
    """Yield all keys."""
    rows = StoredValue.objects.filter(store=store)
    return (plain_key(key) for _, key in _in_batches(rows, "pk", "key"))


def matching(store: str, pattern: str) -> Iterator[str]:
    """Yield the keys that match a pattern of the shell, by its beginning."""
    matches = re.compile(fnmatch.translate(pattern)).match
    start = stored_key(_SPECIAL.split(pattern, maxsplit=1)[0])[:KEY_START_LENGTH]
    rows = StoredValue.objects.filter(store=store)
    if start:
        rows = rows.filter(BeginsWith(F("key_start"), start))
    found = (plain_key(key) for _, key in _in_batches(rows, "pk", "key"))
    return filter(matches, found)


def with_terms(store: str, wanted: Mapping[str, object]) -> QuerySet[StoredTerm]:
    """Return the rows of the rarest term of those that have all of them."""
    numbers = [term_of(store, name, value) for name, value in wanted.items()]
    if len(numbers) > 1:
        numbers.sort(key=_count)
    rarest, *others = numbers
    terms = StoredTerm.objects.filter(term=rarest)
    for number in others:
        same = StoredTerm.objects.filter(term=number, value=OuterRef("value"))
        terms = terms.filter(Exists(same))
    return terms


def _count(term: int) -> int:
    return StoredTerm.objects.filter(term=term)[:_COUNTED].count()


def _in_batches(rows: QuerySet, first: str, *fields: str) -> Iterator[tuple]:
    """Yield fields of rows by the first, which is a number, going on after the last."""
    ordered = rows.order_by(first).values_list(first, *fields)
    batch = list(ordered[:_BATCH])
    yield from batch
    while len(batch) == _BATCH:
        batch = list(ordered.filter(**{f"{first}__gt": batch[-1][0]})[:_BATCH])
        yield from batch


def stores() -> Iterator[str]:
    """Yield the names of the stores that have keys, each looked up in an index."""
    last = StoredValue.objects.order_by("store").values_list("store", flat=True)
    name = last.first()
    while name is not None:
        yield name
        name = last.filter(store__gt=name).first()


def ids_with(name: str, values: Iterable[object]) -> QuerySet[StoredTerm, int]:
    """Return the ids of the rows, of all stores, with one of these values in a name."""
    terms = [term_of(store, name, value) for store in stores() for value in values]
    rows = StoredTerm.objects.filter(term__in=terms).order_by("-value_id")
    return rows.values_list("value_id", flat=True)


def beginning_with(start: str) -> QuerySet[StoredValue]:
    """Return the rows whose key begins so."""
    text = stored_key(start)
    rows = StoredValue.objects.filter(
        BeginsWith(F("key_start"), text[:KEY_START_LENGTH])
    )
    if len(text) > KEY_START_LENGTH:
        rows = rows.filter(BeginsWith(F("key"), text))
    return rows
