"""Values as cells, a column at a time: what the import makes these values of again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from django.db import models

from deliverystore.datacenter.rows.cells import Cell
from deliverystore.datacenter.rows.escapes import as_it_stands, joined
from deliverystore.datacenter.rows.modelcells import ModelCell
from deliverystore.datacenter.rows.related import ManyCell, RelatedCell, through_of
from deliverystore.datacenter.rows.states import attname

_THEIR_OWN_TEXT = {str, int}
# Their texts need no look: they are never taken for anything else.
_NUMBERS = (models.IntegerField, models.FloatField, models.DecimalField)


class Column(ABC):
    """One field of the objects, as cells."""

    def __init__(self, cell: Cell, clear_token: str) -> None:
        self.name = cell.name
        self._clear_token = clear_token

    # The name (attname) of the value to be loaded with the objects, if there is one.
    attname: str | None = None
    # Whether the cells are numbers, for people who add them up.
    is_number = False

    @abstractmethod
    def cells(self, pks: Sequence[object], values: Sequence[object]) -> list[str]:
        """Return the cells of some objects; values are those of the attname."""

    def _as_they_stand(self, texts: Iterable[str]) -> list[str]:
        """Return texts as cells that are read as nothing but these texts."""
        token = self._clear_token
        return [
            as_it_stands(text, token) if "'" in text or token in text else text
            for text in texts
        ]


class PlainColumn(Column):
    """A field without a relation."""

    def __init__(self, cell: ModelCell, clear_token: str) -> None:
        super().__init__(cell, clear_token)
        field = cell.field
        self.attname = field.attname
        self.is_number = isinstance(field, _NUMBERS) and not cell.choices
        self._cell = cell
        self._is_simple = type(field).value_to_string is models.Field.value_to_string
        # What the field itself refuses to take; an empty cell keeps it.
        self._refused = [] if field.blank else list(field.empty_values)

    def cells(self, pks: Sequence[object], values: Sequence[object]) -> list[str]:
        texts = list(map(self._text, values))
        return texts if self.is_number else self._as_they_stand(texts)

    def _text(self, value: object) -> str:
        if value is None:
            return ""
        if self._is_simple and type(value) in _THEIR_OWN_TEXT:
            return str(value)
        return "" if value in self._refused else self._cell.text(value)


class RelatedColumn(Column):
    """A foreign key: a cell has the name of the other object."""

    def __init__(self, cell: RelatedCell, clear_token: str) -> None:
        super().__init__(cell, clear_token)
        self.attname = cell.field.attname
        self._cell = cell

    def cells(self, pks: Sequence[object], values: Sequence[object]) -> list[str]:
        texts = self._cell.texts(values)
        # What has no name is nevertheless something: the import will not find it.
        return self._as_they_stand(
            "" if value is None else texts.get(value, str(value)) for value in values
        )


class ManyColumn(Column):
    """A list of many: a cell has the names of the other objects."""

    def __init__(self, cell: ManyCell, clear_token: str, using: str) -> None:
        super().__init__(cell, clear_token)
        self._cell = cell
        self._using = using
        through, field = through_of(cell.many), cell.many
        self._owner = attname(through, field.m2m_field_name())
        self._other = attname(through, field.m2m_reverse_field_name())
        self._links = through._default_manager.using(using)

    def cells(self, pks: Sequence[object], values: Sequence[object]) -> list[str]:
        links = self._links.filter(**{f"{self._owner}__in": pks})
        others: dict[object, list[object]] = {pk: [] for pk in pks}
        for owner, other in links.values_list(self._owner, self._other):
            others[owner].append(other)
        texts = self._cell.texts(one for those in others.values() for one in those)
        return self._as_they_stand(
            self._list([texts.get(one, str(one)) for one in others[pk]]) for pk in pks
        )

    def _list(self, texts: list[str]) -> str:
        if not all(map(str.strip, texts)):
            # One has no name, so a list would leave it out; an empty cell keeps it.
            return ""
        return joined(sorted(texts), self._cell.list_separator)
