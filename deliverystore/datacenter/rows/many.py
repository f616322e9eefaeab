"""Lists of many, of all objects of a batch together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from deliverystore.datacenter.rows.related import through_of
from deliverystore.datacenter.rows.states import attname

if TYPE_CHECKING:
    from django.db.models import ManyToManyField, QuerySet

    from deliverystore.datacenter.rows.facts import Facts
    from deliverystore.datacenter.rows.indexes import Entry


def load(facts: Facts, entries: Mapping[object, Entry]) -> None:
    """Add to the states what the lists have in them, with a query for each list."""
    for name in facts.many if entries else ():
        found: dict[object, set[object]] = {pk: set() for pk in entries}
        for _pk, owner, other in _links(facts, name, entries):
            found[owner].add(other)
        for pk, others in found.items():
            entries[pk].state[name] = entries[pk].many[name] = frozenset(others)


def write(facts: Facts, entries: Sequence[Entry]) -> None:
    """Make the lists what the states say: a query, a removal, an insertion each."""
    for name in facts.many:
        changed = {
            entry.pk: cast("frozenset", entry.state[name])
            for entry in entries
            if entry.state[name] != entry.many.get(name, frozenset())
        }
        if not changed:
            continue
        field = _field(facts, name)
        through = through_of(field)
        present, surplus = set(), []
        for pk, owner, other in _links(facts, name, changed):
            if other in changed[owner]:
                present.add((owner, other))
            else:
                surplus.append(pk)
        objects = through._default_manager.using(facts.using)
        if surplus:
            objects.filter(pk__in=surplus).delete()
        owner_name, other_name = _names(field)
        objects.bulk_create(
            through(**{owner_name: owner, other_name: other})
            for owner, others in changed.items()
            for other in others
            if (owner, other) not in present
        )


def _links(facts: Facts, name: str, owners: Mapping[object, object]) -> QuerySet:
    """Return the pk, the owner and the other one of all links of some owners."""
    field = _field(facts, name)
    owner_name, other_name = _names(field)
    links = through_of(field)._default_manager.using(facts.using)
    found = links.filter(**{f"{owner_name}__in": list(owners)})
    return found.values_list("pk", owner_name, other_name)


def _field(facts: Facts, name: str) -> ManyToManyField:
    return cast("ManyToManyField", facts.model._meta.get_field(name))


def _names(field: ManyToManyField) -> tuple[str, str]:
    """Return the columns of the table between, of the owner and of the other one."""
    through = through_of(field)
    owner, other = field.m2m_field_name(), field.m2m_reverse_field_name()
    return attname(through, owner), attname(through, other)
