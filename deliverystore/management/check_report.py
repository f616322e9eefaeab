"""What a check has found, for people or for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from django.core.management.base import OutputWrapper
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime

from deliverystore.checking import Repairing, advice
from deliverystore.models import Check, Finding
from deliverystore.models.check import FindingQuerySet

# More is read in the admin, or as JSON.
_SHOWN = 50
_COLUMNS = ("KIND", "DELIVERY", "FILE", "NAME IN THE STORE", "REPAIRED", "DETAIL")


class Report(Protocol):
    """Where the command says what it does: begun, then repairs, then the result.

    Without a check: repairs, then what is left of what others have found.
    """

    def begun(self, check: Check, given_up: Sequence[Check]) -> None: ...

    def repairs(self, repairs: Iterable[Repairing], *, dry_run: bool) -> None: ...

    def result(self, check: Check) -> None: ...

    def left(self, findings: FindingQuerySet) -> None: ...


class TextReport:
    """Sentences and a table."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out

    def begun(self, check: Check, given_up: Sequence[Check]) -> None:
        """Say whether the check is new or goes on, and which ones do not."""
        for one in given_up:
            self._out.write(f"Gives up check {one.pk}: it looked at another store.")
        if check.updated > check.started and check.files + check.deliveries:
            where = Check.Phase(check.phase).label
            self._out.write(
                f"Goes on with check {check.pk} of {_time(check)}, at: {where}."
            )

    def repairs(self, repairs: Iterable[Repairing], *, dry_run: bool) -> None:
        """Say what was repaired, one line each, and why something was not."""
        for repair in repairs:
            what = printable(repair.finding.name)
            if not repair.done:
                reason = printable(repair.reason)
                self._out.write(f"{what}: not repaired. {reason}")
            elif repair.done is Finding.Repaired.INTACT or not dry_run:
                self._out.write(f"{what}: {repair.done.label}")
            else:
                self._out.write(f"{what}: would be {repair.done.label}")

    def result(self, check: Check) -> None:
        """Say how much was checked, what was found, and what to do next."""
        self._out.write("\n".join(_summary(check)))
        self._list(check.findings.all(), check.found)
        self._out.write(f"\n{_outcome(check)}")

    def left(self, findings: FindingQuerySet) -> None:
        """Say what is not repaired, and what to do next."""
        if not (count := findings.count()):
            self._out.write("\nNothing is left to repair.")
            return
        self._list(findings, count)
        self._out.write(f"\nNot repaired: {count:,}.")

    def _list(self, findings: FindingQuerySet, count: int) -> None:
        if not (shown := list(findings.order_by("pk")[:_SHOWN])):
            return
        self._out.write("\n".join(["", *_table(shown)]))
        if (more := count - len(shown)) > 0:
            self._out.write(f"… and {more:,} more: see the admin, or --json.")
        advised = [f"{kind}: {text}." for kind, text in advice(findings)]
        self._out.write("\n".join(["", *advised]))


class JsonReport:
    """One document, written piece by piece: there may be a million findings."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._is_empty = True

    def begun(self, check: Check, given_up: Sequence[Check]) -> None:
        """Say nothing yet."""

    def repairs(self, repairs: Iterable[Repairing], *, dry_run: bool) -> None:
        """Write what was repaired, and why something was not."""
        self._out.write(f'{{"dry_run": {json.dumps(dry_run)}, ', ending="")
        self._is_empty = False
        self._write_list("repairs", map(_repair_as_json, repairs))

    def result(self, check: Check) -> None:
        """Write the rest of the document."""
        start = "{" if self._is_empty else ", "
        document = json.dumps(_check_as_json(check))[1:-1]
        self._out.write(f"{start}{document}", ending="")
        self.left(check.findings.all())

    def left(self, findings: FindingQuerySet) -> None:
        """Write the end of the document."""
        self._out.write(", ", ending="")
        rows = findings.order_by("pk").iterator()
        self._write_list("findings", map(_finding_as_json, rows))
        self._out.write("}")

    def _write_list(self, name: str, items: Iterable[dict[str, object]]) -> None:
        self._out.write(f'"{name}": [', ending="")
        separator = ""
        try:
            for item in items:
                self._out.write(separator + json.dumps(item), ending="")
                separator = ", "
        finally:
            # Half a document tells a program nothing.
            self._out.write("]", ending="")


def _summary(check: Check) -> Iterator[str]:
    part = f", part {check.subset}" if check.parts > 1 else ""
    yield f"Check {check.pk}{part}, begun {_time(check)}"
    read = "sizes only" if check.quick else f"{check.bytes:,} bytes read"
    yield f"  deliveries          {check.deliveries:>12,}"
    yield f"  files               {check.files:>12,}  ({read})"
    if check.names is None:
        yield "  names in the store    not checked: the store cannot list them"
    else:
        yield f"  names in the store  {check.names:>12,}"
    yield f"  findings            {check.found:>12,}  ({check.repaired:,} repaired)"


def _table(findings: Iterable[Finding]) -> Iterator[str]:
    rows = [_COLUMNS, *map(_cells, findings)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(cell.ljust(width) for cell, width in cells).rstrip()


def _cells(finding: Finding) -> tuple[str, ...]:
    ids = (finding.delivery_id, finding.filemeta_id)
    return (
        finding.kind,
        *("" if one is None else str(one) for one in ids),
        printable(finding.name),
        finding.repaired,
        printable(finding.detail),
    )


def printable(text: str) -> str:
    """Return a text that cannot do anything to a terminal: names may be anything."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode()
        for one in text
    )


def _outcome(check: Check) -> str:
    if check.ending != Check.Ending.COMPLETE:
        where = Check.Phase(check.phase).label
        how = Check.Ending(check.ending).label
        return f"{how.capitalize()} at: {where}. The same command goes on there."
    if not check.found:
        return f"Complete: {'. '.join(_proved(check))}."
    if check.repaired == check.found:
        return "Complete, and all that was found is repaired."
    return "Complete, with findings."


def _proved(check: Check) -> Iterator[str]:
    """Yield what a check without findings has shown, and what it has not."""
    part = f" in part {check.subset}" if check.parts > 1 else ""
    if check.quick:
        yield f"all sizes are right{part}; nothing was read"
    elif part:
        yield f"nothing found{part}"
    else:
        yield "everything is stored as it was handed in"
    if check.fallback:
        yield "Some of it may be in the fallback alone"
    if check.names is None:
        yield "What else is in the store, it cannot tell"


def _time(check: Check) -> str:
    started = check.started
    local = localtime(started) if is_aware(started) else started
    return date_format(local, "Y-m-d H:i")


def _check_as_json(check: Check) -> dict[str, object]:
    fields = ("deliveries", "files", "bytes", "names", "found", "repaired")
    return {
        "check": check.pk,
        "subset": check.subset,
        "quick": check.quick,
        "started": check.started.isoformat(),
        "updated": check.updated.isoformat(),
        "finished": check.finished and check.finished.isoformat(),
        "ending": check.ending,
        "phase": check.phase,
        **{name: getattr(check, name) for name in fields},
    }


def _finding_as_json(finding: Finding) -> dict[str, object]:
    fields = ("kind", "delivery_id", "filemeta_id", "name", "detail", "repaired")
    return {name: getattr(finding, name) for name in fields} | {
        "found_at": finding.found_at.isoformat()
    }


def _repair_as_json(repair: Repairing) -> dict[str, object]:
    return {
        "kind": repair.finding.kind,
        "name": repair.finding.name,
        "filemeta_id": repair.finding.filemeta_id,
        "done": repair.done.value,
        "reason": repair.reason,
    }
