"""What is to be proved of an operation, and the proof: order, states, faults."""

from __future__ import annotations

import contextlib
import gc
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deliverystore.paths import TEMPORARY_PREFIX
from tests.durability import order
from tests.durability.calls import Call
from tests.durability.events import UPDATES, read_tree, write_tree
from tests.durability.powercut import LIMIT, Disk
from tests.durability.recording import Recorder
from tests.durability.report import Report
from tests.durability.tracing import Fate, Fault, Outcome, run

# What a store says when it is opened: of each name, what it holds.
View = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """An operation on what is below a folder, and how one sees what became of it.

    prepare makes what is there before. look opens the store anew and returns what
    each name holds; names it does not return hold nothing. Of each, the whole old or
    the whole new is to be found, and the new one once the operation has returned.
    broken, given such a view, may name what else is wrong with it. is_litter
    tells which files, of those that no name of a view means, may be left by
    a crash, to be found by a sweep.

    again are the names of the errors that a repetition may raise when the first try
    was done after all; None says that a repetition would do something else. in_place
    tells which files are written to where they are. A database is copyable if it
    lies below the folder; else prepare is called for each try, and steps_on_sockets
    counts what is said to its server. tidy says that an error leaves no litter.
    only_changes leaves out the steps that only read. meanwhile is what any name may
    hold between the old and the new, when the operation consists of several.
    removes_later says that bytes go after the answer: what fails there waits for a
    sweep. steps_vary says that a try may have fewer steps than the one before it: names
    are drawn, and a database has more or less to write for them.
    """

    name: str
    variant: str
    operation: Callable[[Path], object]
    look: Callable[[Path], View]
    prepare: Callable[[Path], object] = lambda root: None
    broken: Callable[[View], str | None] = lambda view: None
    is_litter: Callable[[str], bool] = lambda name: name.rpartition("/")[2].startswith(
        TEMPORARY_PREFIX
    )
    again: tuple[str, ...] | None = ()
    in_place: Callable[[str], bool] = lambda name: False
    fates: tuple[Fate, ...] = tuple(Fate)
    copyable: bool = True
    steps_on_sockets: bool = False
    tidy: bool = True
    only_changes: bool = False
    meanwhile: tuple[object, ...] = ()
    removes_later: bool = False
    steps_vary: bool = False


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Make a folder for one try."""
    with tempfile.TemporaryDirectory(prefix="durability-") as name:
        yield Path(name).resolve()


def prove(
    scenario: Scenario,
    *,
    limit: int = LIMIT,
    every: int = 1,
    states: bool = True,
) -> Report:
    """Try every state and fault, or every so-many-th fault; return what was found."""
    # Then no try searches for garbage in what is there already, which takes long.
    gc.collect()
    gc.freeze()
    report = Report(name=scenario.name, variant=scenario.variant)
    with folder() as scratch:
        trial = _Trial(scenario, scratch)
        recorder, done = trial.record()
        report.calls = len(done.calls)
        report.order_problems = order.problems(recorder, in_place=scenario.in_place)
        if states:
            trial.try_states(report, recorder, limit)
        report.order_problems += (f"{file} is left open" for file in done.leaked)
        trial.try_faults(report, done.calls, every)
    return report


class _Trial:
    """The tries of one scenario."""

    def __init__(self, scenario: Scenario, scratch: Path) -> None:
        self._scenario = scenario
        self._scratch = scratch
        self._numbers = iter(range(10**9))
        self._template = self._new_folder()
        scenario.prepare(self._template)
        self._before = dict(scenario.look(self._template))
        self._after: dict[str, object] = {}

    def record(self) -> tuple[Recorder, Outcome]:
        """Do the operation without any fault."""
        with self._copy() as root:
            recorder = Recorder(root)
            done = run(
                lambda: self._scenario.operation(root),
                watched=[root],
                seen=recorder.see,
                sockets=self._scenario.steps_on_sockets,
            )
            if not done.returned:
                raise RuntimeError(f"{self._scenario.name}: {done.error}")
            if recorder.tree() != read_tree(root):
                raise RuntimeError(f"{self._scenario.name}: a change was not recorded.")
            self._after = dict(self._scenario.look(root))
        return recorder, done

    def try_states(self, report: Report, recorder: Recorder, limit: int) -> None:
        """Look at what a power cut could leave, after each event and at the end."""
        disk, tried = Disk(recorder, limit), set()
        events = [event for _, event in recorder.events]
        for number in range(len(events) + 1):
            if number:
                disk.feed(events[number - 1])
            returned = number == len(events)
            for tree in disk.states():
                state = (returned, frozenset(tree.items()))
                if state in tried:
                    continue
                tried.add(state)
                when = "at the end" if returned else f"before {events[number]!r:.100}"
                with self._empty() as root:
                    write_tree(tree, root)
                    found = list(self._judge(root, returned=returned))
                report.broken_states += bool(found)
                report.state_problems += (f"power cut {when}: {p}" for p in found)
        report.states, report.sampled = len(tried), disk.sampled

    def try_faults(self, report: Report, calls: list[Call], every: int) -> None:
        """Let each step fail in each way, once."""
        faults = [
            Fault(step=call.number, name=call.name, fate=fate)
            for call in calls
            for fate in self._scenario.fates
            if fate in _faults(call, only_changes=self._scenario.only_changes)
        ]
        for fault in faults[::every]:
            with self._copy() as root:
                outcome = run(
                    lambda: self._scenario.operation(root),
                    watched=[root],
                    fault=fault,
                    sockets=self._scenario.steps_on_sockets,
                )
                found = list(self._judge_fault(root, fault, outcome))
            unclear = sum(problem.startswith(UNCLEAR) for problem in found)
            report.faults += 1
            report.broken_faults += len(found) > unclear
            report.unclear_faults += bool(unclear)
            report.fault_problems += (
                f"{fault.fate} at {outcome.failed}: {problem}" for problem in found
            )

    def _judge_fault(self, root: Path, fault: Fault, outcome: Outcome) -> Iterator[str]:
        if outcome.failed is None and not self._scenario.steps_vary:
            yield "the step was not reached"
        if outcome.leaked:
            yield f"left open: {outcome.leaked}"
        if fault.fate in ERRORS:
            yield from self._judge_error(root, fault, outcome)
        may_stay = not self._scenario.tidy or (
            outcome.ended == "died"
            or (not outcome.returned and _is_removal(outcome.failed))
        )
        yield from self._judge(root, returned=outcome.returned, may_stay=may_stay)
        if not outcome.returned and self._scenario.again is not None:
            yield from self._repeat(root, self._scenario.again)

    def _judge_error(self, root: Path, fault: Fault, outcome: Outcome) -> Iterator[str]:
        """Say what is wrong with how an error was reported."""
        failed = outcome.failed
        if failed is None:
            return
        # SQLite alone asks for fdatasync; of folders it takes it for advice.
        is_lost = failed.name in {"fsync", "syncfs"} and outcome.returned
        if is_lost and not self._scenario.removes_later:
            yield "a failed sync was taken for a success"
        if outcome.ended != "raised":
            return
        if "DatabaseError" in outcome.kind:
            return
        if not {"OSError", "DeliveryStoreError"} & set(outcome.kind):
            yield f"{UNCLEAR}: it raised {outcome.error}"
        elif str(root) not in outcome.error and failed.name not in _NAMELESS:
            yield f"{UNCLEAR}: no file is named in {outcome.error}"

    def _repeat(self, root: Path, allowed: tuple[str, ...]) -> Iterator[str]:
        """Say what is wrong with trying again."""
        try:
            self._scenario.operation(root)
        except Exception as error:  # noqa: BLE001 - it is what is looked for
            if type(error).__name__ not in allowed:
                yield f"trying again raised {type(error).__name__}: {error}"
        for problem in self._judge(root, returned=True):
            yield f"after trying again: {problem}"

    def _judge(
        self, root: Path, *, returned: bool, may_stay: bool = True
    ) -> Iterator[str]:
        """Say what is wrong with what is below a folder now."""
        try:
            found = dict(self._scenario.look(root))
        except Exception as error:  # noqa: BLE001 - it is what is looked for
            yield f"it cannot be opened: {type(error).__name__}: {error}"
            return
        yield from self._compare(found, returned=returned)
        if problem := self._scenario.broken(found):
            yield problem
        left = [name for name, data in read_tree(root).items() if data is not None]
        for name in left:
            if name not in found and not self._scenario.is_litter(name):
                yield f"{name} is left, and nobody knows"
            elif name not in found and not may_stay:
                yield f"{name} is left without need"

    def _compare(self, found: View, *, returned: bool) -> Iterator[str]:
        """Say which names hold neither the whole old nor the whole new content."""
        for name in sorted(self._before | self._after | dict(found)):
            old, new = self._before.get(name), self._after.get(name)
            value = found.get(name)
            allowed = (new,) if returned else (new, old, *self._scenario.meanwhile)
            if value not in allowed:
                when = "after the answer" if returned else "meanwhile"
                yield f"{name} holds {_word(value, old)} {when}"

    def _new_folder(self) -> Path:
        path = self._scratch / str(next(self._numbers))
        path.mkdir()
        return path

    @contextlib.contextmanager
    def _empty(self) -> Iterator[Path]:
        path = self._new_folder()
        yield path
        shutil.rmtree(path)

    @contextlib.contextmanager
    def _copy(self) -> Iterator[Path]:
        """Give what was prepared, again."""
        with self._empty() as path:
            if self._scenario.copyable:
                shutil.copytree(self._template, path, dirs_exist_ok=True)
            else:
                self._scenario.prepare(path)
            yield path


UNCLEAR = "unclear error"
ERRORS = {Fate.EIO, Fate.ENOSPC, Fate.EACCES, Fate.EDQUOT}
# lseek(2) knows none of these errors; close(2) reports them of what was only read, or
# was synced before, to nobody's harm.
_NAMELESS = {"lseek", "close"}


def _faults(call: Call, *, only_changes: bool) -> set[Fate]:
    """Return all that can happen to a step.

    To be killed before a step that only reads is to be killed before the next one.
    """
    if "socket:" in str(call.paths[0]):
        # Asking in vain whether there is an answer yet tells nobody anything.
        return {Fate.KILL, Fate.ECONNRESET} if call.result > 0 else set()
    if call.name not in UPDATES:
        return set() if only_changes else ERRORS
    if call.kind.length is not None and call.result > 1:
        return {Fate.KILL, Fate.SHORT, *ERRORS}
    return {Fate.KILL, *ERRORS}


def _is_removal(call: Call | None) -> bool:
    return call is not None and call.name in {"unlink", "unlinkat"}


def _word(value: object, old: object) -> str:
    if value is None:
        return "nothing"
    if value == old:
        return "the old content"
    size = f" of {len(value)} bytes" if isinstance(value, bytes) else f": {value!r:.60}"
    return f"something else{size}"
