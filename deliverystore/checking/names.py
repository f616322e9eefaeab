"""Which row a name in the store belongs to: the way back from names to rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from deliverystore.backends import DeliveryStoreInterface, StoredEntry
from deliverystore.backends.probing import PROBE
from deliverystore.checking.looking import in_bytes
from deliverystore.exceptions import InvalidName, SettingInvalid
from deliverystore.models import FileMeta, Finding, Removal
from deliverystore.models.removal import Address, untouched_since
from deliverystore.paths import clean_name

# More digits than any id has.
_DIGITS = 19


def check_names(store: DeliveryStoreInterface) -> None:
    """Raise SettingInvalid if the names of a store do not end in the file's id."""
    name = store.name_of(PROBE)
    if id_in(name) != PROBE.pk:
        raise SettingInvalid(
            f"{type(store).__name__} gives file {PROBE.pk} the name {name!r}. Only "
            "where names end in the id of the file can a check say whose bytes they "
            "are: let get_name() end in it."
        )


def strays(
    entries: Iterable[StoredEntry], store: DeliveryStoreInterface
) -> list[Finding]:
    """Return a finding for each entry that is old enough and that no row names."""
    before = untouched_since()
    old = [entry for entry in entries if entry.modified < before]
    unknown = without_row({entry.name for entry in old}, store)
    return [_stray(entry) for entry in old if entry.name in unknown]


def without_row(names: Collection[str], store: DeliveryStoreInterface) -> set[str]:
    """Return the names under which there are bytes, but which belong to no row.

    Rows of files that are still received, and of bytes that wait for the sweep,
    count as well.
    """
    usable = {name for name in names if is_usable(name)}
    # The bytes of a row that is deleted meanwhile become those of a removal, and
    # those of a removal that is carried out are gone: so ask in this order.
    files = _known(FileMeta.objects.order_by(), "pk", usable, store)
    gone = _known(Removal.objects.order_by(), "filemeta_id", usable - files, store)
    there = {name for name in usable - files - gone if store.exists(name)}
    return there | (set(names) - usable)


def is_usable(name: str) -> bool:
    """Tell whether a name that was found in a store can be asked for there."""
    try:
        name.encode()
        return clean_name(name) == name
    except (UnicodeEncodeError, InvalidName):
        return False


def printable(name: str) -> str:
    """Return a name that was found in a store in a form that a database takes."""
    return name.encode(errors="backslashreplace").decode()


def id_in(name: str) -> int | None:
    """Return the id in which a name ends, if it does."""
    last = name.rpartition("/")[2]
    if last.isascii() and last.isdecimal() and len(last) < _DIGITS:
        return int(last)
    return None


def _known(
    rows: QuerySet, key: str, names: set[str], store: DeliveryStoreInterface
) -> set[str]:
    """Return those of the names that are the names of rows, with two queries."""
    ids = {found for name in names if (found := id_in(name)) is not None}
    fields = (key, "delivery_id", "stored_as")
    by_id = rows.filter(**{f"{key}__in": ids}).values_list(*fields)
    # In the words of the index.
    named = rows.exclude(stored_as="").filter(stored_as__in=names)
    matches = [*by_id, *named.values_list(*fields)]
    return names & {
        store.name_of(Address(pk=pk, delivery_id=delivery_id, stored_as=stored_as))
        for pk, delivery_id, stored_as in matches
    }


def _stray(entry: StoredEntry) -> Finding:
    words = {"size": in_bytes(entry.size), "time": f"{entry.modified:%Y-%m-%d %H:%M}"}
    detail = _("%(size)s, last changed %(time)s UTC.") % words
    if not is_usable(entry.name):
        detail = f"{detail} {_('The name is none that the app can use.')}"
    return Finding(kind=Finding.Kind.STRAY, name=printable(entry.name), detail=detail)
