"""Cells that name other objects: foreign keys, and lists of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from django.core.exceptions import (
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    ValidationError,
)
from django.db.models import F, ForeignKey, ManyToManyField, Q
from django.utils.translation import gettext as _

from deliverystore.datacenter.rows.cells import Cell, Mark, required_error
from deliverystore.datacenter.rows.escapes import joined, separated

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

    from deliverystore.datacenter.rows.modelcells import ModelCell
    from deliverystore.datacenter.rows.quick import Convert

Key = tuple[object, ...]
# Several objects have the key.
_SEVERAL = object()


class Keyed:
    """Converts texts to keys, each of several equal ones once."""

    def __init__(self, convert: Callable[[str], Key]) -> None:
        self._convert = convert

    def __call__(self, text: str) -> Key:
        """Return the key of a text. Raise ValidationError."""
        return self._convert(text)

    def all(self, texts: list[str]) -> list:
        """Return the keys of texts. Raise ValueError if one has to be looked at."""
        try:
            keys = {text: self._convert(text) for text in set(texts)}
        except ValidationError as error:
            raise ValueError from error
        return list(map(keys.__getitem__, texts))


class RelatedCell(Cell):
    """A cell whose text names another object by the fields of a lookup.

    parts has a cell for each field of the lookup: two of them are in one cell with the
    separator between. Without parts the manager's get_by_natural_key() is asked once
    for each text that is not known yet.
    """

    separator = "/"

    def __init__(
        self, field: ForeignKey, names: Sequence[str], parts: Sequence[ModelCell]
    ) -> None:
        self.name = field.name
        self.label = str(field.verbose_name)[:1].upper() + str(field.verbose_name)[1:]
        self.help_text = str(field.help_text)
        self.field = field
        self.model = field.related_model
        self.names, self.parts = tuple(names), tuple(parts)
        by = self.separator.join(str(part.label) for part in parts)
        what = str(self.model._meta.verbose_name).capitalize()
        self.type = _("%(what)s, by %(by)s") % {"what": what, "by": by} if by else what
        self.required = self._is_required()

    def compile(self) -> Convert:
        """Return what converts a text to a key: what find() looks for."""
        return Keyed(self._converter())

    def _converter(self) -> Callable[[str], Key]:
        if not self.parts:
            return lambda text: tuple(separated(text, self.separator))
        converts = [part.compile() for part in self.parts]
        if len(converts) == 1:
            convert = converts[0]
            return lambda text: (convert(text),)

        def key(text: str) -> Key:
            pieces = separated(text, self.separator)
            if len(pieces) != len(converts):
                raise self.error(text, "invalid")
            return tuple(
                convert(piece.strip())
                for convert, piece in zip(converts, pieces, strict=True)
            )

        return key

    def find(self, keys: Iterable[Key]) -> dict[Key, Model | None]:
        """Return the object of each key that there is; None where there are several."""
        wanted = set(keys)
        if not wanted:
            return {}
        if not self.names:
            return self._natural(wanted)
        found: dict[Key, Model | None] = {}
        several = len(self.names) > 1
        for one in self._asked(wanted):
            key = tuple(one.__dict__.pop(f"_key{at}") for at in range(len(self.names)))
            if several and key not in wanted:
                continue
            known = found.setdefault(key, one)
            if known is not one and (known is None or known.pk != one.pk):
                found[key] = None
        return found

    def pks(self, keys: Iterable[Key]) -> dict[Key, object]:
        """Return what a foreign key's column holds for each key, as find() does."""
        wanted = set(keys)
        if not self.names:
            return {key: self.value(one) for key, one in self.find(wanted).items()}
        if not wanted:
            return {}
        found: dict[Key, object] = {}
        for pk, *parts in self._query(wanted).values_list(self._target, *self.names):
            if found.setdefault(tuple(parts), pk) != pk:
                found[tuple(parts)] = None
        return found

    def value(self, one: Model | None) -> object:
        """Return what a foreign key's column holds for an object."""
        return None if one is None else getattr(one, self._target)

    def texts(self, values: Iterable[object]) -> dict[object, str]:
        """Return the text that names the object, for each value of the column."""
        wanted = {value for value in values if value is not None}
        if not wanted:
            return {}
        objects = self.model._base_manager.filter(**{f"{self._target}__in": wanted})
        if not self.names:
            # Its parts may be those of another object.
            if followed := list(_required(self.model)):
                objects = objects.select_related(*followed)
            return {self.value(one): self._natural_text(one) for one in objects}
        return {
            value: self._joined(
                part.text(one) for part, one in zip(self.parts, key, strict=True)
            )
            for value, *key in objects.values_list(self._target, *self.names)
        }

    def default(self) -> object:
        if self.required:
            raise required_error()
        return Mark.OMIT

    def cleared(self) -> object:
        if self.field.null and self.field.blank:
            return None
        raise required_error()

    def error(self, text: str, code: str = "missing") -> ValidationError:
        """Return the error of a text that names no object, or more than one."""
        message = {
            "missing": _("There is no %(what)s “%(value)s”."),
            "ambiguous": _("There are several %(what)s “%(value)s”."),
            "invalid": _("“%(value)s” should have %(count)d parts, as in %(example)s."),
        }[code]
        labels = [str(part.label) for part in self.parts]
        params = {
            "what": self.model._meta.verbose_name,
            "value": text,
            "count": len(labels),
            "example": self.separator.join(labels),
        }
        return ValidationError(message, code=code, params=params)

    def queryset(self) -> QuerySet[Model]:
        """Return the objects that may be named."""
        limit = self.field.get_limit_choices_to()
        objects: QuerySet[Model] = self.model._default_manager.all()
        return (
            objects.filter(limit) if isinstance(limit, Q) else objects.filter(**limit)
        )

    @property
    def _target(self) -> str:
        return str(self.field.target_field.attname)

    def _query(self, wanted: set[Key]) -> QuerySet[Model]:
        parts = zip(self.names, zip(*wanted, strict=True), strict=True)
        return self.queryset().filter(
            **{f"{name}__in": set(values) for name, values in parts}
        )

    def _asked(self, wanted: set[Key]) -> QuerySet[Model]:
        keys = {f"_key{at}": F(name) for at, name in enumerate(self.names)}
        found: QuerySet[Model] = self._query(wanted).annotate(**keys)
        return found

    def _natural_text(self, one: Model) -> str:
        """Return the natural key of an object; its pk if it does not tell it."""
        if not hasattr(one, "natural_key"):
            return str(one.pk)
        return self._joined(map(str, one.natural_key()))

    def _joined(self, texts: Iterable[str]) -> str:
        """Return the texts of all parts as one; that of the only part as it is."""
        texts = list(texts)
        if len(self.parts) == 1:
            return texts[0]
        return joined(texts, self.separator)

    def _natural(self, wanted: set[Key]) -> dict[Key, Model | None]:
        found: dict[Key, Model | None] = {}
        manager = self.model._default_manager
        for key in wanted:
            try:
                found[key] = manager.get_by_natural_key(*key)  # type: ignore[attr-defined]
            except MultipleObjectsReturned:
                found[key] = None
            except (ObjectDoesNotExist, TypeError, ValueError, ValidationError):
                continue
        return found

    def _is_required(self) -> bool:
        field = self.field
        if field.has_default() or field.has_db_default():
            return False
        return not (field.blank and field.null)


def _required(model: type[Model], depth: int = 5) -> Iterator[str]:
    """Yield the lookups of what an object always refers to, directly or by others.

    Five steps deep, as select_related() without arguments went before Django 6.1.
    """
    for field in model._meta.concrete_fields if depth else []:
        link = field.remote_field
        if link is None or field.null or getattr(link, "parent_link", False):
            continue
        yield field.name
        further = _required(cast("type[Model]", field.related_model), depth - 1)
        yield from (f"{field.name}__{rest}" for rest in further)


def through_of(field: ManyToManyField) -> type[Model]:
    """Return the model between the two sides of a list of many."""
    return cast("type[Model]", field.remote_field.through)


class ManyCell(RelatedCell):
    """A cell with a list of texts, each of which names another object."""

    list_separator = ";"

    def __init__(
        self, field: ManyToManyField, names: Sequence[str], parts: Sequence[ModelCell]
    ) -> None:
        super().__init__(cast("ForeignKey", field), names, parts)
        self.many = field
        self.type = _("list of: %(what)s") % {"what": self.type}

    def compile(self) -> Convert:
        """Return what converts a text to a tuple of keys."""
        key = self._converter()

        def keys(text: str) -> tuple[object, ...]:
            pieces = map(str.strip, separated(text, self.list_separator))
            return tuple(dict.fromkeys(key(piece) for piece in pieces if piece))

        return keys

    def cleared(self) -> object:
        if self.field.blank:
            return ()
        raise required_error()

    @property
    def _target(self) -> str:
        return "pk"

    def _is_required(self) -> bool:
        return not self.field.blank
