"""Where the files of a run go when it has ended."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deliverystore import fsops
from deliverystore.datacenter import journal, naming
from deliverystore.datacenter.journal import (
    Action,
    Distribution,
    Journal,
    Step,
    staged_name,
    stamp,
)
from deliverystore.datacenter.locks import locked
from deliverystore.datacenter.merging import merged
from deliverystore.datacenter.naming import FINISHED, UNFINISHED, Kind
from deliverystore.datacenter.places import Place
from deliverystore.exceptions import DeliveryStoreError, FileNotFound
from deliverystore.streams import CHUNK_SIZE

RESULTS_PREFIX = "deliverystore-results-"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a run has written: where, in which mode, and of which source.

    successful says that no row failed; then pending_file is not looked at. With
    append, what is in finished_file comes behind what earlier runs have finished;
    without it, it is in its place. With move_orig, the source is moved too.
    """

    source: str
    mode: str
    successful: bool
    finished_file: Path
    pending_file: Path | None
    move_orig: bool = True
    append: bool = True

    def __post_init__(self) -> None:
        if not self.successful and self.pending_file is None:
            raise ValueError(f"Rows of {self.source} failed: give the file with them.")

    @property
    def files(self) -> list[Path]:
        """The local files, which are gone once they are distributed."""
        if self.successful or self.pending_file is None:
            return [self.finished_file]
        return [self.finished_file, self.pending_file]


def make_results_folder() -> Path:
    """Make a temporary folder for results; distributing them removes it."""
    return Path(tempfile.mkdtemp(prefix=RESULTS_PREFIX))


def distribute(place: Place, results: Results) -> Distribution | None:
    """Put the files of a run where they belong; killed, it can be done again.

    Return where they are, or None if an earlier call had ended already. One family is
    distributed at a time; others wait. Raise FileNotFound if there is no source or no
    result, InvalidName if a result would have too long a name.
    """
    family = _family_of(results.source)
    with locked(journal.journal_name(family)):
        done = _resume(place, family)
        if results.finished_file.exists():
            _plan(place, results).write(place, journal.journal_name(family))
            done = _resume(place, family)
        elif done is None and not _is_emptied(results.finished_file.parent):
            raise FileNotFound(f"There is no {results.finished_file}.")
    for folder in {file.parent for file in results.files}:
        _remove_results_folder(folder)
    return done


def finish(place: Place, source: str) -> Distribution | None:
    """Do what is left of a distribution, if it was interrupted; say what it did."""
    family = _family_of(source)
    with locked(journal.journal_name(family)):
        return _resume(place, family)


def finish_all(place: Place) -> int:
    """Do what is left of all distributions; return how many there were.

    One that cannot be ended does not stop the others; the first such error is raised
    when they are done.
    """
    families = list(journal.left(place))
    errors = []
    for family in families:
        try:
            finish(place, family)
        except (DeliveryStoreError, OSError) as error:
            logger.warning("The distribution of %r cannot be ended: %s", family, error)
            errors.append(error)
    journal.remove_litter(place)
    if errors:
        raise errors[0]
    return len(families)


def _resume(place: Place, family: str) -> Distribution | None:
    """Carry out a journal, if there is one; return where the files are."""
    name = journal.journal_name(family)
    try:
        found = journal.read(place, name)
    except FileNotFound:
        return None
    # Only now, since all is stored: without them, nobody begins again.
    for file, digest in found.inputs.items():
        _remove_input(Path(file), digest)
    found.carry_out(place)
    place.delete(name)
    return found.result


def _plan(place: Place, results: Results) -> Journal:
    """Stage the results, and say which steps put everything in its place."""
    naming.check_results(results.source, results.mode)
    source = place.entry(results.source)
    again = naming.parse(results.source).kind is Kind.PENDING
    family = _family_of(results.source) if again else _free_family(place, source.name)
    finished = _finish(place, results, family)
    pending = _keep_pending(place, results, family)
    original = _settle_original(place, results, family, again=again)
    steps = [finished, pending, original]
    if again and not (pending and pending.new_name == source.name):
        steps.append(Step(action=Action.REMOVE, name=source.name, stamp=stamp(source)))
    return Journal(
        steps=list(filter(None, steps)),
        result=Distribution(
            finished=finished.new_name,
            pending=pending.new_name if pending else None,
            original=original.new_name if original else None,
        ),
        inputs={str(file): _digest(file) for file in results.files},
    )


def _finish(place: Place, results: Results, family: str) -> Step:
    name = f"{FINISHED}/{naming.finished_name(family, results.mode)}"
    with contextlib.ExitStack() as stack:
        new = stack.enter_context(results.finished_file.open("rb"))
        chunks: Iterable[bytes] = iter(partial(new.read, CHUNK_SIZE), b"")
        if results.append and place.exists(name):
            chunks = merged(stack.enter_context(place.read_open(name)), new)
        return _staged(place, Action.MOVE_OVER, Kind.FINISHED, chunks, name)


def _keep_pending(place: Place, results: Results, family: str) -> Step | None:
    if results.successful or results.pending_file is None:
        return None
    name = naming.pending_name(family, results.mode)
    action = Action.MOVE_OVER
    if name != results.source:
        name = _first_free(place, name)
        action = Action.MOVE
    with results.pending_file.open("rb") as file:
        chunks = iter(partial(file.read, CHUNK_SIZE), b"")
        return _staged(place, action, Kind.PENDING, chunks, name)


def _settle_original(
    place: Place, results: Results, family: str, *, again: bool
) -> Step | None:
    """Move N.csv: out of the root, or on to finished when its last rows went in."""
    if not results.move_orig or (again and not results.successful):
        return None
    name = f"{UNFINISHED}/{family}" if again else results.source
    try:
        entry = place.entry(name)
    except FileNotFound:
        # Whoever took it away from unfinished may: the rows are what counts.
        return None
    folder = FINISHED if results.successful else UNFINISHED
    return Step(
        action=Action.MOVE,
        name=name,
        stamp=stamp(entry),
        new_name=_first_free(place, f"{folder}/{family}"),
    )


def _staged(
    place: Place, action: Action, kind: Kind, chunks: Iterable[bytes], name: str
) -> Step:
    staged = staged_name(secrets.token_hex(8), kind)
    place.replace(staged, chunks)
    return Step(
        action=action, name=staged, stamp=stamp(place.entry(staged)), new_name=name
    )


def _family_of(source: str) -> str:
    parsed = naming.parse(source)
    return parsed.source if parsed.kind is Kind.PENDING else source


def _free_family(place: Place, source: str) -> str:
    """Return N.csv, or N_2.csv and so on if files of an earlier N.csv are there."""
    candidates = naming.alternatives(source)
    if not any(place.exists(n) for n in naming.family(source) if n != source):
        return source
    return next(
        candidate
        for candidate in candidates
        if not any(map(place.exists, naming.family(candidate)))
    )


def _first_free(place: Place, path: str) -> str:
    return next(n for n in naming.alternatives(path) if not place.exists(n))


# -- The local files ---------------------------------------------------------------


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _remove_input(file: Path, digest: str) -> None:
    # Another run may have written to the same path since.
    with contextlib.suppress(FileNotFoundError):
        if _digest(file) == digest:
            fsops.remove(file, _passing(file.parent))


def _is_emptied(folder: Path) -> bool:
    """Tell whether this folder was made for results, which have gone already."""
    is_ours = folder.name.startswith(RESULTS_PREFIX)
    return is_ours and (not folder.exists() or not any(folder.iterdir()))


def _remove_results_folder(folder: Path) -> None:
    """Remove a folder if it was made for results, and no other one."""
    if not folder.name.startswith(RESULTS_PREFIX):
        return
    # A folder that somebody has put into it, and what is in there, stays.
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            fsops.remove(file, _passing(folder))
        fsops.remove_folder(folder, _passing(folder))


def _passing(folder: Path) -> fsops.Policy:
    """Return how files are removed that nobody would miss after a power cut."""
    return fsops.Policy(root=folder, durability=fsops.Durability.NONE)
