"""What was found, put right where that is safe.

Nothing is deleted that has no copy but damaged bytes for which there is no quarantine:
those are replaced by the right ones.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q
from django.utils.translation import gettext as _

from deliverystore.backends import DeliveryStoreInterface
from deliverystore.backends.fallback import without_fallback
from deliverystore.checking.budget import Budget, Interrupted
from deliverystore.checking.looking import Fault, digest_of, fault_of_file
from deliverystore.checking.names import id_in, without_row
from deliverystore.checking.outage import share_there
from deliverystore.exceptions import (
    DeliveryStoreError,
    FileDamaged,
    FileNotFound,
    InvalidName,
)
from deliverystore.models import Check, FileMeta, Finding
from deliverystore.models.check import FindingQuerySet

logger = logging.getLogger(__name__)

_BATCH = 500
_ALGORITHM = "sha256"
# If fewer files are where their rows say, rows and store do not belong together.
_SHARE_THERE = 0.1
_OF_A_FILE = (
    Finding.Kind.MISSING,
    Finding.Kind.WRONG_SIZE,
    Finding.Kind.WRONG_DIGEST,
    Finding.Kind.UNREADABLE,
)


@dataclass(frozen=True, kw_only=True)
class Repairing:
    """What was done about a finding, or would be; or why nothing was."""

    finding: Finding
    done: Finding.Repaired
    reason: str = ""


class _Refused(Exception):
    """Why nothing is done about a finding."""


@dataclass(frozen=True, kw_only=True)
class Repairer:
    """Puts right what a check has found, with the help of other stores.

    restore_from has the right bytes of missing and damaged files. quarantine takes
    what has no row and, before they are replaced, damaged bytes: below a folder with
    the check's id. dry_run changes nothing.
    """

    budget: Budget
    restore_from: DeliveryStoreInterface | None = None
    quarantine: DeliveryStoreInterface | None = None
    dry_run: bool = False

    def repair(self, findings: FindingQuerySet) -> Iterator[Repairing]:
        """Look again at each finding, put it right, and say so."""
        rows = findings.unrepaired().filter(self._repairable).order_by("pk")
        last = 0
        while batch := list(rows.filter(pk__gt=last)[:_BATCH]):
            last = batch[-1].pk
            for finding in batch:
                if self.budget.ending() == Check.Ending.INTERRUPTED:
                    return
                try:
                    yield self._repair(finding)
                except Interrupted:
                    return

    def _repair(self, finding: Finding) -> Repairing:
        done, reason = Finding.Repaired.NO, ""
        try:
            if finding.kind == Finding.Kind.STRAY and self.quarantine is not None:
                done = self._move(finding, self.quarantine)
            elif self.restore_from is not None:
                done = self._restore(finding, self.restore_from)
        except Interrupted:
            raise
        except (_Refused, OSError, DeliveryStoreError) as error:
            reason = str(error)
        except Exception as error:
            # A strange storage must not keep the rest from being repaired.
            logger.exception("%s is not repaired.", finding)
            reason = repr(error)
        if done and not self.dry_run:
            finding.note(done)
        return Repairing(finding=finding, done=done, reason=reason)

    def _restore(
        self, finding: Finding, other: DeliveryStoreInterface
    ) -> Finding.Repaired:
        files = FileMeta.objects.exclude(completed=None)
        file = files.filter(pk=finding.filemeta_id or 0).first()
        if file is None:
            raise _Refused(_("Its row is gone by now."))
        store = file.deliverystore
        fault = self._fault(file, store)
        if fault is None:
            return Finding.Repaired.INTACT
        if wrong := self._fault(file, other):
            raise _Refused(_("The other store has not got it: %s") % wrong[1])
        if not self.dry_run:
            if self.quarantine is not None and fault[0] != Finding.Kind.MISSING:
                place = self._place_of(finding)
                self._copy(store.name_of(file), place, store, self.quarantine)
            file.restore_from(other)
            self._take_back_if_deleted(file, store)
            if wrong := self._fault(file, store):
                raise _Refused(wrong[1])
        return Finding.Repaired.RESTORED

    def _take_back_if_deleted(
        self, file: FileMeta, store: DeliveryStoreInterface
    ) -> None:
        # Bytes go after their row: who deletes it from now on finds these there.
        if not FileMeta.objects.filter(pk=file.pk).exists():
            with contextlib.suppress(FileNotFound):
                store.remove(file)
            raise _Refused(_("Its row is gone by now."))

    def _move(
        self, finding: Finding, quarantine: DeliveryStoreInterface
    ) -> Finding.Repaired:
        store = without_fallback(FileMeta.deliverystore)
        name, place = finding.name, self._place_of(finding)
        if without_row([name], store):
            self._refuse_what_may_be_known(name, store)
            if not self.dry_run:
                self._copy(name, place, store, quarantine)
                store.remove(name)
        elif store.exists(name) or not quarantine.exists(place):
            raise _Refused(_("By now it is gone, or a row names it."))
        # Else a process was killed that had just moved it.
        return Finding.Repaired.QUARANTINED

    def _refuse_what_may_be_known(
        self, name: str, store: DeliveryStoreInterface
    ) -> None:
        """Raise _Refused if a stray may be the bytes of a row under another name."""
        if self._share_there is None or self._share_there < _SHARE_THERE:
            raise _Refused(
                _(
                    "Hardly any file is where its row says. Does this database belong "
                    "to this store, and has the store's layout changed?"
                )
            )
        row = FileMeta.objects.filter(pk=id_in(name) or 0).first()
        if row is not None:
            words = {"id": row.pk, "name": store.name_of(row)}
            raise _Refused(
                _(
                    "Row %(id)s exists and calls its bytes %(name)s. Has the store's "
                    "layout changed?"
                )
                % words
            )

    @cached_property
    def _share_there(self) -> float | None:
        return share_there(without_fallback(FileMeta.deliverystore))

    def _copy(
        self,
        name: str,
        place: str,
        store: DeliveryStoreInterface,
        quarantine: DeliveryStoreInterface,
    ) -> None:
        """Copy bytes into quarantine and compare; raise OSError if that fails."""
        with store.open(name) as source:
            saved = quarantine.save(place, source)
        if store.exists(saved):
            quarantine.delete(saved)
            raise InvalidName(_("The quarantine is the store itself."))
        count = self.budget.read
        if digest_of(store, name, _ALGORITHM, count) != digest_of(
            quarantine, saved, _ALGORITHM, count
        ):
            raise FileDamaged(_("The copy in quarantine is not the same."))

    @property
    def _repairable(self) -> Q:
        files = Q(kind__in=_OF_A_FILE, filemeta_id__isnull=False)
        strays = Q(kind=Finding.Kind.STRAY)
        nothing = Q(pk__in=())
        return (nothing if self.restore_from is None else files) | (
            nothing if self.quarantine is None else strays
        )

    def _place_of(self, finding: Finding) -> str:
        return f"check-{finding.found_in_id}/{finding.name}"

    def _fault(self, file: FileMeta, store: DeliveryStoreInterface) -> Fault | None:
        return fault_of_file(file, store, quick=False, count=self.budget.read)
