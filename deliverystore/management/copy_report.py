"""What has become of the files that were to be copied, for people or for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.management.base import OutputWrapper
from django.template.defaultfilters import filesizeformat

from deliverystore.copying import GOOD, Copied, Copier, Outcome

_EXPLAINED = {
    Outcome.REMOVED: "deleted while it was copied; no copy is left",
    Outcome.MISSING: "the source has no bytes; see: manage.py check_deliveries",
    Outcome.DAMAGED: "the source has other bytes than were handed in; see: manage.py "
    "check_deliveries",
    Outcome.DIFFERENT: "the target has other bytes under this name; --replace "
    "replaces them",
    Outcome.FAILED: "the same command tries once more",
}


@dataclass
class Tally:
    """How many files and bytes there were of each outcome."""

    files: Counter[Outcome] = field(default_factory=Counter)
    bytes: Counter[Outcome] = field(default_factory=Counter)

    def add(self, copied: Copied) -> None:
        """Count a file."""
        self.files[copied.outcome] += 1
        self.bytes[copied.outcome] += copied.file.size

    @property
    def problems(self) -> int:
        """How many files are not in the target."""
        return sum(self.files[outcome] for outcome in set(Outcome) - GOOD)


class TextReport:
    """A line for each problem, and a few at the end."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out

    def problem(self, copied: Copied) -> None:
        """Say which file is not in the target, and why."""
        file = copied.file
        which = f"delivery {file.delivery_id}, file {file.pk} {file.filename!r}"
        reason = f": {copied.reason}" if copied.reason else ""
        self._out.write(f"{copied.outcome}: {which}{reason}")

    def end(self, tally: Tally, copier: Copier) -> None:
        """Say how much was copied, and what to do next."""
        self._out.write("\n".join(_summary(tally, copier)))


class JsonReport:
    """One document, written piece by piece: there may be a million problems."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._separator = '{"problems": ['

    def problem(self, copied: Copied) -> None:
        """Write which file is not in the target, and why."""
        document = {
            "outcome": copied.outcome,
            "delivery_id": copied.file.delivery_id,
            "filemeta_id": copied.file.pk,
            "filename": copied.file.filename,
            "reason": copied.reason,
        }
        self._out.write(self._separator + json.dumps(document), ending="")
        self._separator = ", "

    def end(self, tally: Tally, copier: Copier) -> None:
        """Write the rest of the document."""
        if not tally.problems:
            self._out.write(self._separator, ending="")
        document = {
            "dry_run": copier.dry_run,
            "stopped": copier.is_stopped,
            "files": {outcome: tally.files[outcome] for outcome in Outcome},
            "bytes": {outcome: tally.bytes[outcome] for outcome in Outcome},
        }
        self._out.write(f"], {json.dumps(document).removeprefix('{')}")


def _summary(tally: Tally, copier: Copier) -> Iterator[str]:
    size = filesizeformat(tally.bytes[Outcome.COPIED])
    copied = "to copy" if copier.dry_run else "copied"
    yield _line(tally.files[Outcome.COPIED], copied, size)
    if present := tally.files[Outcome.PRESENT]:
        what = "content" if copier.verify else "size"
        yield _line(present, Outcome.PRESENT, f"with the right {what}")
    for outcome, explained in _EXPLAINED.items():
        if count := tally.files[outcome]:
            yield _line(count, outcome, explained)
    if copier.is_stopped:
        yield "Stopped before the end. The same command goes on there."


def _line(count: int, outcome: str, text: str) -> str:
    return f"{count:>11,} {outcome:<9}  {text}"
