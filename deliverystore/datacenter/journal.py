"""What a distribution is going to do, written down before its first step.

Once the journal is stored, everything that the steps need is in the data center. They
can be done again, from the first on, as often as they are interrupted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from django.core import signing
from django.utils import timezone

from deliverystore.backends import StoredEntry
from deliverystore.datacenter import naming
from deliverystore.datacenter.places import Place
from deliverystore.exceptions import FileDamaged, FileNotFound

_JOURNAL = ".journal."
_STAGED = ".staged."
# What was staged and has no journal by then never gets one.
_LEFT_AFTER = timedelta(days=1)


class Action(StrEnum):
    """What a step does with a file."""

    MOVE = "move"
    MOVE_OVER = "move over"
    REMOVE = "remove"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change; stamp says which file is meant, should its name have another one."""

    action: Action
    name: str
    stamp: str
    new_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Where the files of a run are, relative to the data center.

    original is None if it stayed where it was, pending if no row failed.
    """

    finished: str
    pending: str | None
    original: str | None


@dataclass(frozen=True, kw_only=True)
class Journal:
    """The steps of one distribution; inputs are the local files it was made from."""

    steps: list[Step]
    result: Distribution
    inputs: dict[str, str]

    def write(self, place: Place, name: str) -> None:
        """Store the journal; raise FileExists if there is one of this name."""
        place.create([name], [signing.dumps(asdict(self), salt=_JOURNAL).encode()])

    def carry_out(self, place: Place) -> None:
        """Do what is left of the steps."""
        for step in self.steps:
            # What is not there any more was dealt with before an interruption.
            with contextlib.suppress(FileNotFound):
                if stamp(place.entry(step.name)) == step.stamp:
                    _do(place, step)


def read(place: Place, name: str) -> Journal:
    """Return a journal; raise FileNotFound if there is none.

    Raise FileDamaged if it is not ours: who may drop files in may not have others
    removed by it.
    """
    text = b"".join(place.chunks(name)).decode(errors="replace")
    try:
        content = signing.loads(text, salt=_JOURNAL)
    except signing.BadSignature as error:
        raise FileDamaged(
            f"{name!r} was not written by this site, or with another SECRET_KEY; "
            "look what it is, and move it away."
        ) from error
    return Journal(
        steps=[
            Step(**{**step, "action": Action(step["action"])})
            for step in content["steps"]
        ],
        result=Distribution(**content["result"]),
        inputs=content["inputs"],
    )


def journal_name(family: str) -> str:
    """Return where the journal for the files of N.csv is kept."""
    return f"{naming.UNFINISHED}/{_JOURNAL}{family}"


def staged_name(token: str, kind: naming.Kind) -> str:
    """Return where a result waits until it gets its name."""
    return f"{naming.UNFINISHED}/{_STAGED}{token}.{kind}"


def stamp(entry: StoredEntry) -> str:
    """Return what tells a file from another one that gets its name."""
    return f"{entry.size} {entry.modified.isoformat()}"


def left(place: Place) -> Iterator[str]:
    """Yield the families whose distributions did not end."""
    for entry in place.entries(naming.UNFINISHED):
        name = PurePosixPath(entry.name).name
        if name.startswith(_JOURNAL):
            yield name.removeprefix(_JOURNAL)


def remove_litter(place: Place, now: datetime | None = None) -> None:
    """Remove results that were staged and then never written down."""
    before = (now or timezone.now()) - _LEFT_AFTER
    names = [
        entry.name
        for entry in place.entries(naming.UNFINISHED)
        if PurePosixPath(entry.name).name.startswith(_STAGED)
        and entry.modified < before
    ]
    for name in names:
        place.delete(name)


def _do(place: Place, step: Step) -> None:
    if step.action is Action.REMOVE:
        place.delete(step.name)
    elif step.action is Action.MOVE:
        place.move(step.name, step.new_name)
    else:
        place.move_over(step.name, step.new_name)
