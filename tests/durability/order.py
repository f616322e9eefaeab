"""Whether a process synced, named and wrote in the right order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deliverystore.paths import is_temporary
from tests.durability.events import Cut, Dropped, Event, Named, Node, Written
from tests.durability.powercut import Disk
from tests.durability.recording import Recorder


def problems(
    recorder: Recorder, *, in_place: Callable[[str], bool] = lambda name: False
) -> list[str]:
    """Say where content gets a name before it is synced, and what is never synced.

    Nothing may be written to a file that has a name already, other than a temporary
    one; but for names of which in_place says so, whose order is their own affair.
    """

    def is_mine(name: str) -> bool:
        return is_temporary(name) or in_place(name)

    disk = Disk(recorder)
    names = _Names(recorder, is_mine)
    found: list[str] = []
    for call, event in recorder.events:
        if isinstance(event, Written | Cut):
            if named := names.of(event.node):
                found.append(f"{call} writes to {named}")
        elif isinstance(event, Named) and not is_mine(event.name):
            found += (f"{call} {what}" for what in _named_early(event, disk, recorder))
        disk.feed(event)
        names.feed(event)
    lost = [entry for entry in disk.unsynced_entries() if not is_mine(entry.name)]
    return [*found, *_never_synced(lost, recorder), *_never_written(disk, names)]


def _named_early(event: Named, disk: Disk, recorder: Recorder) -> Iterator[str]:
    if disk.unsynced_content(event.node):
        yield "names content that is not synced"
    elif event.is_new and event.node not in recorder.folders:
        yield "makes a file under a final name"


def _never_synced(entries: list[Named | Dropped], recorder: Recorder) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, Named):
            yield f"the new name {entry.name} is never synced"
        # Nobody misses an empty folder that comes back.
        elif entry.node not in recorder.folders:
            yield f"the lost name {entry.name} is never synced"


def _never_written(disk: Disk, names: _Names) -> Iterator[str]:
    for node in disk.unsynced_files():
        if named := names.of(node):
            yield f"the content of {named} is never synced"


class _Names:
    """The final names that files have, but for those that are not looked at."""

    def __init__(self, recorder: Recorder, is_mine: Callable[[str], bool]) -> None:
        self._is_mine = is_mine
        self._names = {
            (folder, name): node
            for folder, entries in recorder.folders_before.items()
            for name, node in entries.items()
        }

    def of(self, node: Node) -> list[str]:
        return [
            name
            for (_, name), named in self._names.items()
            if named == node and not self._is_mine(name)
        ]

    def feed(self, event: Event) -> None:
        if isinstance(event, Named):
            self._names[event.folder, event.name] = event.node
        elif isinstance(event, Dropped):
            self._names.pop((event.folder, event.name), None)
