"""Rows one after the other: what every processor can do, and what its hooks see."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError
from django.utils.translation import gettext as _

from deliverystore.datacenter.rows.cells import Mark
from deliverystore.datacenter.rows.columns import Columns, Values
from deliverystore.datacenter.rows.outcomes import Action, CellError, Mode, Outcome, Row
from deliverystore.exceptions import RowError

if TYPE_CHECKING:
    from deliverystore.datacenter.processors import BatchProcessor

# Not below the logger of the data center: a traceback may have values in it.
logger = logging.getLogger("deliverystore.processors")

# A field, its old value and its new one.
Changed = tuple[str, object, object]


class Plan:
    """One run's way from rows to changes. columns are those that are read.

    process() is called once for each batch, inside of the caller's transaction.
    """

    def __init__(
        self,
        processor: BatchProcessor,
        columns: Columns,
        mode: Mode,
        *,
        with_changes: bool,
    ) -> None:
        self.processor = processor
        self.columns = columns
        self.mode = mode
        self.with_changes = with_changes
        # Whether each row is asked what the database would otherwise refuse at the
        # commit, and then all of them. It is slow.
        self.judges_at_once = False

    def process(self, rows: Sequence[Row]) -> list[Outcome]:
        """Do what the rows say; return what became of each, in their order.

        Each row has as many cells as the file has columns; a blank one is not a row.
        A row that fails leaves nothing of itself. Errors of the database that no row
        is to blame for (such as a lost connection) are raised.
        """
        raise NotImplementedError

    # -- Parts of process() ----------------------------------------------------------

    def failed(self, row: Row, errors: Iterable[CellError]) -> Outcome:
        """Return the outcome of a row that fails."""
        number, cells = row
        label = self.columns.label(cells)
        return Outcome(number, Action.FAILED, label=label, errors=tuple(errors))

    def blamed(self, row: Row, error: Exception) -> Outcome:
        """Return the outcome of a row that raised something. Raise what is not its own.

        A mistake in a hook must not stop the file: it is logged with its traceback.
        """
        number, cells = row
        if isinstance(error, RowError | ValidationError):
            return self.failed(row, self.columns.errors(error, cells))
        if isinstance(error, IntegrityError | DataError):
            return self.failed(row, [_refused_by_database(error)])
        if isinstance(error, DatabaseError | InterfaceError):
            raise error
        logger.error("row %s: %s", number, self.processor.name, exc_info=error)
        told = type(error).__name__
        if not self.processor.sensitive:
            told = f"{told}: {error}"
        message = _("The processor failed: %(error)s") % {"error": told}
        return self.failed(row, [CellError(code="error", message=message)])

    def filled(self, values: Values, mode: Mode) -> Values:
        """Decide what empty cells mean, now that it is known what the row does.

        Raise ValidationError for those which must not be empty.
        """
        if self.mode is not Mode.UPSERT or Mark.EMPTY not in values.values():
            return values
        filled: Values = {}
        errors: dict[str, ValidationError] = {}
        for name, value in values.items():
            try:
                if value is Mark.EMPTY:
                    cell = self.columns.by_field[name].cell
                    value = self.processor.empty(cell, mode)
            except ValidationError as error:
                errors[name] = error
            if value is not Mark.OMIT:
                filled[name] = value
        if errors:
            raise ValidationError(errors)
        return filled


class RowPlan(Plan):
    """Does one row after the other: slow, plain, and right."""

    def process(self, rows: Sequence[Row]) -> list[Outcome]:
        return [self._process(row) for row in rows]

    def _process(self, row: Row) -> Outcome:
        read = self.columns.read([row], with_objects=True)
        if read.faults:
            return self.failed(row, read.faults[0])
        (values,) = read.rows()
        try:
            with self.processor.savepoint():
                outcome = self._apply(row, values)
                if self.judges_at_once:
                    self.processor.judge()
                return outcome
        except Exception as error:  # noqa: BLE001
            return self.blamed(row, error)

    def _apply(self, row: Row, values: Values) -> Outcome:
        processor = self.processor
        values = processor.clean_row(values, self.mode)
        if self.mode is Mode.CREATE:
            if processor.entry_exists(values):
                raise exists_error(processor, values)
            return self._create(row, values)
        entry = processor.get_entry(values)
        if entry is None:
            if self.mode is Mode.UPSERT:
                return self._create(row, self.filled(values, Mode.CREATE))
            raise missing_error(processor, values)
        if self.mode is Mode.REMOVE:
            return self._remove(row, entry, values)
        return self._update(row, entry, self.filled(values, Mode.UPDATE))

    def _create(self, row: Row, values: Values) -> Outcome:
        processor = self.processor
        if not processor.parents_exist(values):
            raise parents_error()
        processor.check_create(values)
        entry = processor.add_entry(values)
        changed = [(name, None, value) for name, value in values.items()]
        return self._outcome(row, Action.CREATED, entry, changed)

    def _update(self, row: Row, entry: object, values: Values) -> Outcome:
        self.processor.check_update(entry, values)
        changed = self.processor.update_entry(entry, values)
        action = Action.UPDATED if changed else Action.UNCHANGED
        return self._outcome(row, action, entry, changed)

    def _remove(self, row: Row, entry: object, values: Values) -> Outcome:
        self.processor.check_remove(entry, values)
        pk = getattr(entry, "pk", None)
        self.processor.remove_entry(entry, values)
        label = self.columns.label(row[1])
        return Outcome(row[0], Action.REMOVED, pk, label)

    def _outcome(
        self, row: Row, action: Action, entry: object, changed: Sequence[Changed]
    ) -> Outcome:
        number, cells = row
        names = tuple(name for name, _old, _new in changed)
        texts = self.processor.changes([changed])[0] if self.with_changes else ()
        return Outcome(
            number,
            action,
            getattr(entry, "pk", None),
            self.columns.label(cells),
            () if action is Action.CREATED else names,
            texts,
        )


def parents_error() -> Exception:
    """Return the error of a row whose object would belong to nothing."""
    return RowError(_("What this belongs to does not exist."), code="parents")


def exists_error(processor: BatchProcessor, values: Values) -> Exception:
    """Return the error of a row whose object is there already."""
    return _key_error(processor, values, "exists", _("This %(what)s exists already."))


def missing_error(processor: BatchProcessor, values: Values) -> Exception:
    """Return the error of a row whose object is not there."""
    key = processor.key_of(values)
    if key is None:
        names = _(" or ").join(" + ".join(key) for key in processor.keys)
        message = _("It is not said which one: fill %(names)s.") % {"names": names}
        return RowError(message, code="key")
    return _key_error(processor, values, "missing", _("There is no such %(what)s."))


def several_error(processor: BatchProcessor, values: Values) -> Exception:
    """Return the error of a row that may mean any of several objects."""
    return _key_error(processor, values, "ambiguous", _("There are several %(what)s."))


def _key_error(
    processor: BatchProcessor, values: Values, code: str, message: str
) -> Exception:
    key = processor.key_of(values) or ("",)
    field = key[0] if len(key) == 1 else ""
    return RowError(message % {"what": processor.what}, field=field, code=code)


def _refused_by_database(error: DatabaseError) -> CellError:
    diagnosis = getattr(error.__cause__, "diag", None)
    constraint = getattr(diagnosis, "constraint_name", None)
    code = "protected" if hasattr(error, "protected_objects") else "database"
    said = str(constraint or str(error.args[0] if error.args else error))
    message = _("The database refuses the row: %(reason)s")
    if code == "protected":
        message = _("Others need it: %(reason)s")
    return CellError(code=code, message=message % {"reason": said.partition("\n")[0]})
