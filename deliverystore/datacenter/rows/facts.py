"""What a run in bulk has to know of a processor and its model, found out once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models.expressions import BaseExpression, Col, Combinable
from django.db.models.sql import Query

from deliverystore.datacenter.rows.modelcells import is_automatic
from deliverystore.datacenter.rows.obstacles import unique_checks
from deliverystore.datacenter.rows.related import ManyCell
from deliverystore.datacenter.rows.states import (
    State,
    attname,
    column_value,
    stored,
)
from deliverystore.datacenter.rows.writing import Writer

if TYPE_CHECKING:
    from deliverystore.datacenter.modelprocessor import ModelProcessor
    from deliverystore.datacenter.rows.columns import Values
    from deliverystore.datacenter.rows.indexes import Entry

_HOOKS = ("clean_row", "parents_exist", "check_create", "check_update", "check_remove")


@dataclass(frozen=True)
class Unique:
    """Fields which no two objects may share the values of."""

    model: type[models.Model]
    names: tuple[str, ...]
    attnames: tuple[str, ...]
    # The error, and the field (or all) under which Django reports it.
    error: ValidationError
    where: str
    is_constraint: bool


class Facts:
    """What a run in bulk has to know; base has the hooks that do nothing."""

    def __init__(self, processor: ModelProcessor, base: type[ModelProcessor]) -> None:
        self.processor = processor
        self.model = model = processor.model
        self.using = processor.using
        self.cells = processor.get_cells()
        self.hooks = {
            name
            for name in _HOOKS
            if getattr(type(processor), name) is not getattr(base, name)
        }
        self.names_all = type(processor).get_queryset is base.get_queryset
        self.cleans = model.clean is not models.Model.clean
        self.needs_objects = self.cleans or bool(self.hooks)
        self.many = [
            name for name, cell in self.cells.items() if isinstance(cell, ManyCell)
        ]
        self.attnames = {
            name: name if name in self.many else attname(model, name)
            for name in self.cells
        }
        self.same_names = all(
            name == attname for name, attname in self.attnames.items()
        )
        self.keyed = {name for name, one in self.attnames.items() if name != one}
        self.uniques = list(_uniques(model, self.cells.keys()))
        self.keys = [(key, self._attnames(key)) for key in processor.keys]
        self.guarded = list({unique.attnames for unique in self.uniques})
        self.loaded = self._loaded()
        self.constants, self.callables = self._defaults()
        self.database_rules = list(_database_rules(model))
        self.writer = Writer(model, self.using)
        self.pk = self.writer.automatic.attname

    @property
    def is_plain(self) -> bool:
        """Whether a new object can be made without a look at anything else.

        Then the database refuses a second one with the same key.
        """
        if self.needs_objects or self.many or not self.model._meta.managed:
            return False
        return all(attnames in self.guarded for _key, attnames in self.keys)

    def needs_order(self, entry: Entry, news: State) -> bool:
        """Tell whether only the database can judge a change, and only in its turn.

        At the end of the batch it might find nothing wrong, since a later row has made
        good what an earlier one did.
        """
        again = entry.is_new or bool(entry.changed)
        return any(
            again or not (columns is None or columns.isdisjoint(news))
            for columns in self.database_rules
        )

    def compares(self, names: Collection[str]) -> bool:
        """Tell whether columns (attname) are compared with those of other objects."""
        compared = (
            *(unique.attnames for unique in self.uniques),
            *(columns or () for columns in self.database_rules),
        )
        return any(name in columns for columns in compared for name in names)

    def state(self, values: Values) -> State:
        """Return what is stored for the values of a row."""
        if self.same_names and not self.needs_objects and not self.many:
            return values
        if self.needs_objects or self.many:
            return {
                self.attnames[name]: column_value(self.cells[name], value)
                for name, value in values.items()
            }
        state = dict(values)
        for name in self.keyed & state.keys():
            state[self.attnames[name]] = state.pop(name)
        return state

    def new_state(self, state: State) -> State:
        """Return the state of a new object, with the defaults of other fields."""
        if self.callables:
            made = {
                name: make()
                for name, make in self.callables.items()
                if name not in state
            }
            return {**self.constants, **made, **state}
        return {**self.constants, **state}

    def instance(self, state: State, pk: object) -> models.Model:
        """Return the object with a state that was loaded as a whole."""
        # What a state has not is the pk, also under the name of a link to a parent.
        values = [state.get(name, pk) for name in self._all]
        return self.model.from_db(self.using, self._all, values)

    def made(self, values: Values, entry: models.Model | None = None) -> models.Model:
        """Return an object, a new one by default, with the values of a row."""
        entry = self.model() if entry is None else entry
        for name, value in values.items():
            if name not in self.many:
                setattr(entry, name, value)
        return entry

    def clean(
        self, entry: models.Model, state: State
    ) -> dict[str, list[ValidationError]]:
        """Let the model clean an object; take over changes, and return errors."""
        errors: dict[str, list[ValidationError]] = {}
        try:
            entry.clean()
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        for name in self._all:
            if name in state:
                state[name] = stored(getattr(entry, name))
        return errors

    # -- Private ---------------------------------------------------------------------

    @property
    def _all(self) -> list[str]:
        return [
            field.attname
            for field in self.model._meta.concrete_fields
            if not field.generated
        ]

    def _attnames(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.attnames[name] for name in names)

    def _loaded(self) -> list[str]:
        """Return the columns of existing objects that have to be known."""
        if self.needs_objects:
            return self._all
        names = {
            *(self.attnames[name] for name in self.cells if name not in self.many),
            *(name for unique in self.uniques for name in unique.attnames),
        }
        return [name for name in self._all if name in names]

    def _defaults(self) -> tuple[State, dict[str, Callable[[], object]]]:
        constants: State = dict.fromkeys(self.many, frozenset())
        callables: dict[str, Callable[[], object]] = {}
        for field in self.model._meta.concrete_fields:
            if field.generated or is_automatic(field) or _is_parent(field):
                continue
            if callable(field.default) and field.has_default():
                callables[field.attname] = field.get_default
            elif field.has_default() or not field.has_db_default():
                constants[field.attname] = field.get_default()
        return constants, callables


def _is_parent(field: models.Field) -> bool:
    return bool(
        field.remote_field and getattr(field.remote_field, "parent_link", False)
    )


def _database_rules(model: type[models.Model]) -> Iterator[set[str] | None]:
    """Yield, for each constraint that only the database judges, what it compares.

    These are the columns (attname) which it compares with other objects' columns; None
    if it looks at each object by itself.
    """
    for owner, constraints in model().get_constraints():
        for constraint in constraints:
            if isinstance(constraint, models.CheckConstraint):
                yield None
            elif not isinstance(constraint, models.UniqueConstraint):
                yield {field.attname for field in owner._meta.concrete_fields}
            elif not _is_total(constraint):
                names = {attname(owner, one) for one in constraint.fields}
                parts = [*constraint.expressions, constraint.condition]
                yield names.union(*(_columns(owner, part) for part in parts if part))


def _columns(
    model: type[models.Model], expression: BaseExpression | Combinable | models.Q
) -> set[str]:
    """Return the columns (attname) that an expression reads."""
    todo = [expression.resolve_expression(Query(model))]  # type: ignore[union-attr]
    found: set[str] = set()
    while todo:
        one = todo.pop()
        if isinstance(one, Col):
            found.add(one.target.attname)
        elif hasattr(one, "get_source_expressions"):
            todo += one.get_source_expressions()
    return found


def _uniques(model: type[models.Model], names: Collection[str]) -> list[Unique]:
    """Return what must be unique and may be changed by one of the named fields."""
    blank = model()
    found: list[Unique] = []
    checks, _by_date = unique_checks(blank)
    for owner, fields in checks:
        error = blank.unique_error_message(owner, fields)
        where = fields[0] if len(fields) == 1 else NON_FIELD_ERRORS
        found.append(_unique(owner, fields, error, where, is_constraint=False))
    found += [
        _of_constraint(blank, owner, constraint)
        for owner, constraints in blank.get_constraints()
        for constraint in constraints
        if isinstance(constraint, models.UniqueConstraint) and _is_total(constraint)
    ]
    return [one for one in found if any(name in names for name in one.names)]


def _is_total(constraint: models.UniqueConstraint) -> bool:
    """Tell whether it is about all objects, and plain fields; others are rarer.

    Those the database itself refuses, and then the row is looked at by itself.
    """
    return (
        bool(constraint.fields)
        and constraint.condition is None
        and constraint.nulls_distinct is not False
    )


def _of_constraint(
    blank: models.Model, owner: type[models.Model], constraint: models.UniqueConstraint
) -> Unique:
    """Word the error as UniqueConstraint.validate() and Model's caller of it do."""
    fields = tuple(constraint.fields)
    default = constraint.default_violation_error_message
    if constraint.violation_error_message == default:
        error = blank.unique_error_message(owner, fields)
    else:
        error = ValidationError(
            constraint.get_violation_error_message(),
            code=constraint.violation_error_code,
        )
    single = error.code == "unique" and len(fields) == 1
    where = fields[0] if single else NON_FIELD_ERRORS
    return _unique(owner, fields, error, where, is_constraint=True)


def _unique(
    owner: type[models.Model],
    names: tuple[str, ...],
    error: ValidationError,
    where: str,
    *,
    is_constraint: bool,
) -> Unique:
    attnames = tuple(attname(owner, name) for name in names)
    return Unique(owner, tuple(names), attnames, error, where, is_constraint)
