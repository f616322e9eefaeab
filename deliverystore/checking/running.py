"""The run of a check: phase by phase, each step written down with what it found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from zlib import crc32

from django.db import DatabaseError, models
from django.db.models import F

from deliverystore.backends.fallback import without_fallback
from deliverystore.backends.probing import ask
from deliverystore.checking import looking
from deliverystore.checking.budget import Budget, Interrupted
from deliverystore.checking.names import check_names, printable, strays
from deliverystore.checking.outage import IN_A_ROW, rule_out_outage
from deliverystore.exceptions import CheckBusy, StoreUnavailable
from deliverystore.models import Check, Delivery, FileMeta, Finding
from deliverystore.models.removal import untouched_since

if TYPE_CHECKING:
    from deliverystore.backends import DeliveryStoreInterface

BATCH = 500
# What took longer is written down before more is begun, so that little is done twice.
_SECONDS_A_STEP = 5

_UNSEEN = {Finding.Kind.MISSING, Finding.Kind.UNREADABLE}

_Row = TypeVar("_Row", bound=models.Model)
_T = TypeVar("_T")


def run(
    check: Check,
    budget: Budget,
    advance: Callable[[int], object] = lambda count: None,
) -> None:
    """Go on with a check until it is complete or the budget is spent.

    advance is told how many more bytes were read or, in a quick check, how many more
    files were looked at. Raise SettingInvalid if the store's names do not lead to
    rows, StoreUnavailable if it does not answer, CheckBusy if another process goes on
    with this check.
    """
    store = FileMeta.deliverystore
    try:
        check_names(store)
        ask(store)
        ending = _Run(check, budget, store, advance).run()
    except CheckBusy:
        raise
    except BaseException:
        # The error that led here is the one to report.
        with suppress(DatabaseError):
            check.end(Check.Ending.FAILED)
        raise
    check.end(ending)
    if ending == Check.Ending.COMPLETE:
        Check.objects.prune()


@dataclass(frozen=True, kw_only=True)
class _Look:
    """A file that was looked at, what is wrong with it, and how much was read."""

    file: FileMeta
    fault: looking.Fault | None
    bytes: int

    @property
    def was_seen(self) -> bool:
        return self.fault is None or self.fault[0] not in _UNSEEN


class _Run:
    """One call: its limits, and the steps of each phase."""

    def __init__(
        self,
        check: Check,
        budget: Budget,
        store: DeliveryStoreInterface,
        advance: Callable[[int], object],
    ) -> None:
        self._check = check
        self._budget = budget
        self._store = store
        self._advance = advance
        self._witness: FileMeta | None = None
        # Findings of folders, to be written down with the next step.
        self._unlisted: list[Finding] = []

    def run(self) -> Check.Ending:
        """Go through the phases that are left; return how it ended."""
        actions = {
            Check.Phase.DELIVERIES: self._check_deliveries,
            Check.Phase.FILES: self._check_files,
            Check.Phase.STORE: self._check_store,
            Check.Phase.TEMPORARY: self._check_temporary,
        }
        phases = list(actions)
        left = phases[phases.index(Check.Phase(self._check.phase)) :]
        for phase in left:
            if phase != self._check.phase:
                self._check.advance(phase, json.dumps(None))
            try:
                actions[phase]()
            except Interrupted:
                return self._budget.ending() or Check.Ending.INTERRUPTED
        return Check.Ending.COMPLETE

    # -- The phases: each raises Interrupted when the budget is spent ---------------

    def _check_deliveries(self) -> None:
        # All of them: asked for finished ones, SQLite would sort them all each time.
        while batch := self._next_rows(Delivery.objects.all()):
            self._budget.check()
            finished = [one for one in batch if one.state == one.State.FINISHED]
            found = looking.changed(finished)
            self._write(batch[-1].pk, found, deliveries=len(finished))

    def _check_files(self) -> None:
        while batch := self._next_rows(FileMeta.objects.exclude(completed=None)):
            self._look_at(batch)

    def _check_store(self) -> None:
        # What another store has, in which files are looked for too, is its own affair.
        store = without_fallback(self._store)
        try:
            entries = store.walk(str(self._position or ""), visit=self._visit)
            for batch in self._batches(entries):
                mine = [entry for entry in batch if self._has(entry.name)]
                found = strays(mine, store) + self._new(self._unlisted)
                self._write(batch[-1].name, found, names=len(mine))
                self._unlisted = []
        except NotImplementedError:
            Check.objects.filter(pk=self._check.pk).update(names=None)
        if self._unlisted:
            self._write(self._position, self._new(self._unlisted))

    def _check_temporary(self) -> None:
        names = self._store.leftovers(untouched_since(), visit=self._pass)
        for batch in self._batches(names):
            # They come in no order: what was written down before stays as it is.
            found = [
                Finding(kind=Finding.Kind.TEMPORARY, name=printable(name))
                for name in batch
                if self._has(name)
            ]
            self._write(batch[-1], self._new(found))

    # -- The steps -----------------------------------------------------------------

    def _look_at(self, files: Sequence[FileMeta]) -> None:
        """Look at files until a step has taken long; write down how far it came."""
        looks: list[_Look] = []
        # How many of these say something of their files, and not of an outage.
        sure = 0
        until = time.monotonic() + _SECONDS_A_STEP
        try:
            for file in files:
                if sure == len(looks) and time.monotonic() > until:
                    break
                self._budget.check()
                looks.append(self._look(file))
                unseen = 0 if looks[-1].was_seen else len(looks) - sure
                if unseen == IN_A_ROW:
                    rule_out_outage(self._store, self._witness)
                if unseen in {0, IN_A_ROW}:
                    sure = len(looks)
        except StoreUnavailable:
            self._settle(looks[:sure])
            raise
        except Interrupted:
            self._settle(looks[:sure] or looks)
            raise
        # What was not seen at the end is looked at again, with what follows.
        self._settle(looks[:sure] or looks)

    def _look(self, file: FileMeta) -> _Look:
        before = self._budget.bytes_read
        fault = self._fault(file)
        if fault is None:
            self._witness = file
        return _Look(file=file, fault=fault, bytes=self._budget.bytes_read - before)

    def _fault(self, file: FileMeta) -> looking.Fault | None:
        quick = self._check.quick
        try:
            fault = looking.fault_of_file(
                file, self._store, quick=quick, count=self._count_bytes
            )
        except StoreUnavailable as error:
            ask(self._store)
            # It answers, so it is the file.
            fault = Finding.Kind.UNREADABLE, str(error)
        if quick:
            self._advance(1)
        return fault

    def _settle(self, looks: Sequence[_Look]) -> None:
        """Write down what was found, unless it is interrupted while it looks again."""
        if not looks:
            return
        suspects = [(look.file, look.fault) for look in looks if look.fault]
        with suppress(Interrupted):
            found = looking.confirmed(suspects, self._store, self._fault)
            size = sum(look.bytes for look in looks)
            self._write(looks[-1].file.pk, found, files=len(looks), bytes=size)

    def _batches(self, items: Iterator[_T]) -> Iterator[list[_T]]:
        """Yield items some at a time; raise Interrupted when the budget is spent."""
        batch: list[_T] = []
        try:
            for item in items:
                batch.append(item)
                if len(batch) >= BATCH:
                    yield batch
                    batch = []
                    self._budget.check()
        except Interrupted:
            if batch:
                yield batch
            raise
        if batch:
            yield batch

    def _visit(self, folder: str, error: OSError | None) -> None:
        """Note a folder of the store that cannot be looked into."""
        self._budget.check()
        if error is not None and self._has(folder):
            self._unlisted.append(
                Finding(
                    kind=Finding.Kind.UNREADABLE,
                    name=printable(folder),
                    detail=str(error),
                )
            )
            if len(self._unlisted) % IN_A_ROW == 0:
                rule_out_outage(self._store, self._witness)

    def _pass(self, folder: str, error: OSError | None) -> None:
        self._budget.check()

    def _count_bytes(self, count: int) -> None:
        self._budget.read(count)
        self._advance(count)

    def _next_rows(self, rows: models.QuerySet[_Row]) -> list[_Row]:
        parts = self._check.parts
        # Of 1/1, every id is a part.
        mine = rows.alias(part=F("pk") % parts).filter(
            part=self._check.part % parts, pk__gt=self._position or 0
        )
        return list(mine.order_by("pk")[:BATCH])

    def _has(self, name: str) -> bool:
        """Tell whether a name belongs to the part that is checked."""
        number = crc32(name.encode(errors="surrogateescape"))
        parts = self._check.parts
        return number % parts == self._check.part % parts

    def _new(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return those findings, of one kind, that have not been written down yet."""
        by_name = {finding.name: finding for finding in findings}
        kinds = {finding.kind for finding in by_name.values()}
        known = self._check.findings.filter(
            kind__in=kinds, name__in=by_name, filemeta_id=None
        )
        names = set(known.values_list("name", flat=True)) if by_name else set()
        return [found for name, found in by_name.items() if name not in names]

    @property
    def _position(self) -> object:
        return json.loads(self._check.position)

    def _write(
        self, position: object, findings: Sequence[Finding], **counts: int
    ) -> None:
        for finding in findings:
            finding.found_in = self._check
        phase = Check.Phase(self._check.phase)
        self._check.advance(phase, json.dumps(position), findings, **counts)
