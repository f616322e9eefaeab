"""One batch: looked up together, judged in the order of its rows, written together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DatabaseError, InterfaceError

from deliverystore.datacenter.rows import many
from deliverystore.datacenter.rows.cells import Mark
from deliverystore.datacenter.rows.columns import Values
from deliverystore.datacenter.rows.facts import Facts
from deliverystore.datacenter.rows.indexes import Entry, Index, Key
from deliverystore.datacenter.rows.outcomes import Action, Mode, Outcome, Row
from deliverystore.datacenter.rows.plans import (
    Plan,
    exists_error,
    missing_error,
    parents_error,
    several_error,
)
from deliverystore.datacenter.rows.states import State, differs
from deliverystore.datacenter.rows.tasks import OrderMatters, Task

Errors = dict[str, list[ValidationError]]


class Batch:
    """Some rows whose cells are converted, each with its values."""

    def __init__(
        self, plan: Plan, facts: Facts, rows: Sequence[tuple[Row, Values]]
    ) -> None:
        self._plan = plan
        self._mode = plan.mode
        self._facts = facts
        self._processor = facts.processor
        self._entries: dict[object, Entry] = {}
        self._new: list[Entry] = []
        self._gone: list[Entry] = []
        self._make_indexes()
        self._tasks = [Task(row, values) for row, values in rows]

    def run(self) -> list[Outcome]:
        """Do what the rows say, and return the outcomes in their order."""
        if "clean_row" in self._facts.hooks:
            for task in self._tasks:
                self._guarded(self._clean, task)
        self._look_up([task for task in self._tasks if task.outcome is None])
        judge = {
            Mode.CREATE: self._judge_create,
            Mode.REMOVE: self._judge_remove,
        }.get(self._mode, self._judge_change)
        for task in self._tasks:
            if task.outcome is None:
                self._guarded(judge, task)
        self._write()
        return self._outcomes()

    def _guarded(self, step: Callable[[Task], None], task: Task) -> None:
        try:
            step(task)
        except (DatabaseError, InterfaceError, OrderMatters):
            # The transaction may be broken by it: the batch is tried in halves.
            raise
        except Exception as error:  # noqa: BLE001
            task.outcome = self._plan.blamed(task.row, error)

    def _clean(self, task: Task) -> None:
        # A copy: a batch that is refused is tried again.
        task.values = self._processor.clean_row(dict(task.values), self._mode)

    # -- Look up ---------------------------------------------------------------------

    def _make_indexes(self) -> None:
        """Make an index for each key, and for all that must be unique."""
        facts = self._facts
        objects = facts.processor.get_queryset().using(facts.using)
        self._keys = {key: Index(objects, names) for key, names in facts.keys}
        self._uniques = []
        for unique in facts.uniques:
            # If rows may name all objects, what is unique is looked up with the key.
            index = next(
                (
                    index
                    for index in self._keys.values()
                    if facts.names_all
                    and (facts.model, index.attnames) == (unique.model, unique.attnames)
                ),
                None,
            )
            if index is None:
                others = unique.model._default_manager.using(facts.using)
                index = Index(others, unique.attnames)
            self._uniques.append((unique, index))
        unshared = [index for _unique, index in self._uniques]
        self._indexes = list(dict.fromkeys([*self._keys.values(), *unshared]))
        self._indexed = {name for index in self._indexes for name in index.attnames}

    def _look_up(self, tasks: list[Task]) -> None:
        """Find out who has the keys, and other values that must be unique."""
        for task in tasks:
            self._find_key(task)
        for index in self._keys.values():
            keys = [task.key for task in tasks if task.index is index]
            if self._mode is Mode.CREATE:
                index.load(keys, self._entries)
            else:
                self._load_entries(index, keys)
        if self._mode is Mode.REMOVE:
            return
        many.load(self._facts, self._entries)
        states = [self._prospect(task) for task in tasks]
        for _unique, index in self._uniques:
            index.load(map(index.key, states), self._entries)

    def _find_key(self, task: Task) -> None:
        values = task.values
        if self._mode is Mode.UPSERT:
            empty = Mark.EMPTY
            values = {name: one for name, one in values.items() if one is not empty}
        task.state = state = self._facts.state(values)
        key = self._processor.key_of(values)
        if key is not None:
            task.index = self._keys[key]
            task.key = task.index.key(state)

    def _prospect(self, task: Task) -> State:
        """Return what a row's object will have, as far as it is known before."""
        if self._mode is Mode.CREATE:
            base = self._facts.constants
        else:
            found = task.index.owners.get(task.key) if task.index else None
            base = self._entries[found].state if found in self._entries else {}
        return {**base, **task.state}

    def _load_entries(self, index: Index, keys: list[Key]) -> None:
        names = self._facts.loaded
        for pk, *values in index.locked(keys).values_list("pk", *names):
            if pk in self._entries:
                continue
            state = dict(zip(names, values, strict=True))
            entry = self._entries[pk] = Entry(pk, state, is_new=False)
            for each in self._indexes:
                each.add(entry)
            for _unique, each in self._uniques:
                each.know(entry)

    # -- Judge -----------------------------------------------------------------------

    def _judge_create(self, task: Task) -> None:
        if task.index is not None and task.key in task.index.owners:
            raise exists_error(self._processor, task.values)
        self._create(task)

    def _judge_remove(self, task: Task) -> None:
        entry = self._found(task)
        if entry is None:
            raise missing_error(self._processor, task.values)
        if "check_remove" in self._facts.hooks:
            instance = self._facts.instance(entry.state, entry.pk)
            self._processor.check_remove(instance, task.values)
        for index in self._indexes:
            index.remove(entry)
        self._gone.append(entry)
        task.entry, task.action = entry, Action.REMOVED

    def _judge_change(self, task: Task) -> None:
        entry = self._found(task)
        if entry is None and self._mode is Mode.UPDATE:
            raise missing_error(self._processor, task.values)
        if self._mode is Mode.UPSERT:
            mode = Mode.CREATE if entry is None else Mode.UPDATE
            filled = self._plan.filled(task.values, mode)
            if filled is not task.values:
                task.values, task.state = filled, self._facts.state(filled)
        if entry is None:
            self._create(task)
        else:
            self._update(task, entry)

    def _found(self, task: Task) -> Entry | None:
        owner = task.index.owners.get(task.key) if task.index else None
        if owner is None or isinstance(owner, Entry):
            return owner
        if isinstance(owner, frozenset):
            raise several_error(self._processor, task.values)
        return self._entries[owner]

    def _create(self, task: Task) -> None:
        facts, values = self._facts, task.values
        if facts.hooks:
            if not self._processor.parents_exist(values):
                raise parents_error()
            self._processor.check_create(values)
        state = facts.new_state(task.state)
        errors = facts.clean(facts.made(values), state) if facts.cleans else {}
        entry = Entry(state.get(facts.pk), state, is_new=True)
        self._validate(entry, state, None, errors)
        for index in self._indexes:
            index.add(entry)
        self._new.append(entry)
        task.entry = entry
        if self._plan.with_changes:
            task.changed = [(name, None, value) for name, value in values.items()]

    def _update(self, task: Task, entry: Entry) -> None:
        facts = self._facts
        if "check_update" in facts.hooks:
            instance = facts.instance(entry.state, entry.pk)
            self._processor.check_update(instance, task.values)
        task.entry, task.action = entry, Action.UNCHANGED
        old, names = entry.state, facts.attnames
        news = {
            name: value
            for name, value in task.state.items()
            if differs(old[name], value)
        }
        if not news:
            return
        task.action = Action.UPDATED
        task.changed = [
            (name, old[names[name]], news[names[name]])
            for name in task.values
            if names[name] in news
        ]
        state = {**old, **news}
        errors: Errors = {}
        if facts.cleans:
            instance = facts.instance(old, entry.pk)
            values = {name: task.values[name] for name, _old, _new in task.changed}
            errors = facts.clean(facts.made(values, instance), state)
            news = {name: one for name, one in state.items() if one != old[name]}
        is_indexed = not self._indexed.isdisjoint(news)
        if is_indexed or errors:
            self._validate(entry, state, news, errors)
        if facts.needs_order(entry, news) and len(self._tasks) > 1:
            raise OrderMatters
        touched = [one for one in self._indexes if is_indexed and one.is_about(news)]
        for index in touched:
            index.remove(entry)
        entry.state = state
        entry.changed.update(news)
        for index in touched:
            index.add(entry)

    def _validate(
        self, entry: Entry, state: State, news: State | None, errors: Errors
    ) -> None:
        """Raise ValidationError for errors, and for values that others have.

        As Model.full_clean(): a field with an error is not looked at again.
        """
        wrong = errors.keys() - {NON_FIELD_ERRORS}
        is_constraint = False
        for unique, index in self._uniques:
            if news is not None and not index.is_about(news):
                continue
            if unique.is_constraint and not is_constraint:
                is_constraint, wrong = True, errors.keys() - {NON_FIELD_ERRORS}
            if wrong and not wrong.isdisjoint(unique.names):
                continue
            if index.has_others(index.key(state), entry.owner, self._entries):
                errors.setdefault(unique.where, []).append(unique.error)
        if errors:
            raise ValidationError(errors)

    # -- Write -----------------------------------------------------------------------

    def _write(self) -> None:
        facts, writer = self._facts, self._facts.writer
        if new := self._new:
            without = [entry for entry in new if entry.pk is None]
            pks = writer.pks(len(without)) if without else []
            for entry, pk in zip(without, pks, strict=True):
                entry.pk = pk
            writer.insert([entry.state for entry in new], [entry.pk for entry in new])
        changed = [entry for entry in self._entries.values() if entry.changed]
        if names := {name for entry in changed for name in entry.changed}:
            states = [entry.state for entry in changed]
            writer.update([entry.pk for entry in changed], states, names)
        many.write(facts, [*new, *changed])
        if self._gone:
            pks = [entry.pk for entry in self._gone]
            objects = facts.model._base_manager.using(facts.using)
            objects.filter(pk__in=pks).delete()

    def _outcomes(self) -> list[Outcome]:
        texts: dict[Task, tuple] = {}
        if self._plan.with_changes:
            done = [task for task in self._tasks if task.changed and not task.outcome]
            changes = self._processor.changes([task.changed for task in done])
            texts = dict(zip(done, changes, strict=True))
        return [task.outcome or self._outcome(task, texts) for task in self._tasks]

    def _outcome(self, task: Task, texts: dict[Task, tuple]) -> Outcome:
        number, cells = task.row
        names: tuple[str, ...] = ()
        if task.action is Action.UPDATED:
            names = tuple([name for name, _old, _new in task.changed])
        return Outcome(
            number,
            task.action,
            task.entry.pk if task.entry else None,
            self._plan.columns.label(cells),
            names,
            texts.get(task, ()) if texts else (),
        )
