"""Who has which values, in the database and in the rows before."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db.models import QuerySet

from deliverystore.datacenter.rows.anyof import among
from deliverystore.datacenter.rows.states import State

# The value of one column, or the values of several.
Key = object
# An object is known by its pk, a new one by the Entry itself; several by a frozenset.
Owner = object


class Entry:
    """An object that rows of the batch make or change."""

    __slots__ = ("changed", "is_new", "many", "pk", "state")

    def __init__(self, pk: object, state: State, *, is_new: bool) -> None:
        self.pk = pk
        self.state = state
        self.is_new = is_new
        # The names (attname) of what rows changed.
        self.changed: set[str] = set()
        # Lists of many as they are in the database.
        self.many: dict[str, frozenset] = {}

    @property
    def owner(self) -> Owner:
        return self if self.is_new else self.pk


class Index:
    """The owners of the values of some columns.

    key() gives the values of a state, None if one of them is null: then they are equal
    to nothing.
    """

    def __init__(self, objects: QuerySet, attnames: tuple[str, ...]) -> None:
        self._objects = objects
        self.attnames = attnames
        self.key = _key(attnames)
        self.owners: dict[Key, Owner] = {}
        self._known: set[Key] = set()

    def load(self, keys: Iterable[Key], entries: dict[object, Entry]) -> None:
        """Look up who has these values, with one query.

        Entries know better than the database what they have: they are added.
        """
        if not (wanted := self._unknown(keys)):
            return
        several = len(self.attnames) > 1
        for pk, *values in self._query(wanted).values_list("pk", *self.attnames):
            key = tuple(values) if several else values[0]
            if pk not in entries and (not several or key in wanted):
                self._add(key, pk)

    def locked(self, keys: Iterable[Key]) -> QuerySet:
        """Return the objects with these values, locked, so that they stay."""
        if not (wanted := self._unknown(keys)):
            return self._objects.none()
        objects = self._query(wanted).select_related(None).order_by("pk")
        return objects.select_for_update()

    def is_about(self, news: State) -> bool:
        """Tell whether one of the columns is among these."""
        return not news.keys().isdisjoint(self.attnames)

    def has_others(self, key: Key, owner: Owner, entries: dict[object, Entry]) -> bool:
        """Tell whether somebody but the owner has these values."""
        if key is None:
            return False
        if key not in self._known:
            self.load([key], entries)
        found = self.owners.get(key)
        return found is not None and found != owner

    def add(self, entry: Entry) -> None:
        """Take notice of what an entry has now."""
        if (key := self.key(entry.state)) is not None:
            self._add(key, entry.owner)

    def know(self, entry: Entry) -> None:
        """Take it that nobody else has in the database what an entry has there."""
        self._known.add(self.key(entry.state))

    def remove(self, entry: Entry) -> None:
        """Forget what an entry had."""
        key = self.key(entry.state)
        found = self.owners.pop(key, None)
        if isinstance(found, frozenset):
            rest = found - {entry.owner}
            self.owners[key] = rest if len(rest) > 1 else next(iter(rest))

    def _add(self, key: Key, owner: Owner) -> None:
        found = self.owners.setdefault(key, owner)
        if found != owner:
            others = found if isinstance(found, frozenset) else {found}
            self.owners[key] = frozenset({*others, owner})

    def _unknown(self, keys: Iterable[Key]) -> set[Key]:
        wanted = set(keys) - self._known
        wanted.discard(None)
        self._known |= wanted
        return wanted

    def _query(self, wanted: set[Key]) -> QuerySet:
        if len(self.attnames) == 1:
            return self._objects.filter(among(self._objects, self.attnames[0], wanted))
        found = self._objects
        for name, values in zip(self.attnames, zip(*wanted, strict=True), strict=True):
            found = found.filter(among(self._objects, name, set(values)))
        return found


def _key(attnames: tuple[str, ...]) -> Callable[[State], Key]:
    if len(attnames) == 1:
        name = attnames[0]
        return lambda state: state.get(name)

    def key(state: State) -> Key:
        values = tuple([state.get(name) for name in attnames])
        return None if None in values else values

    return key
