"""What a disk may hold after a power cut: as little as POSIX promises.

A sync of a file keeps its content, a sync of a folder its entries; nothing else is
kept, and nothing in an order: of what was written since, any part may be there. The
model is that of ALICE (Pillai et al., "All File Systems Are Not Created Equal", OSDI
2014), without what single file systems promise beyond. A rename is not kept before
its new folder is synced; when it is lost half, the old name is there too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod

from tests.durability.events import (
    Cut,
    Dropped,
    Event,
    Named,
    Node,
    Synced,
    Tree,
    Written,
)
from tests.durability.recording import Recorder, resize, splice

Entry = Named | Dropped
Change = Written | Cut
Place = tuple[Node, str]
Entries = dict[Node, dict[str, Node]]

# Up to so many ways to lose entries, and for each so many to lose content, are all
# tried after each call; of more, so many are drawn, always the same ones.
LIMIT = 128

_LOST, _KEPT, _TORN, _ZEROS = range(4)


class Disk:
    """A disk that is told what is done, and asked what could be left of it.

    limit bounds the states that are tried after one event; sampled counts the events
    after which there were more.
    """

    def __init__(self, recorder: Recorder, limit: int = LIMIT) -> None:
        self._top = recorder.top
        self._contents = dict(recorder.before)
        self._entries: Entries = {
            node: dict(entries) for node, entries in recorder.folders_before.items()
        }
        self._folders = set(recorder.folders)
        # What came since the last sync.
        self._changes: dict[Node, list[Change]] = {}
        self._news: list[Entry] = []
        self._limit = limit
        self._random = random.Random(0)  # noqa: S311 - the same states every time
        self.sampled = 0

    def feed(self, event: Event) -> None:
        """Take note of what is done next."""
        if isinstance(event, Synced):
            for node in self._all_nodes() if event.node is None else [event.node]:
                self._sync(node)
        elif isinstance(event, Written | Cut):
            self._changes.setdefault(event.node, []).append(event)
        else:
            self._news.append(event)

    def unsynced_content(self, node: Node) -> bool:
        """Tell whether content of a file could be lost."""
        return node in self._changes

    def unsynced_files(self) -> Sequence[Node]:
        """Return the files of which content could be lost."""
        return list(self._changes)

    def unsynced_entries(self) -> Sequence[Entry]:
        """Return what folders got and lost since they were synced."""
        return self._news

    def states(self) -> Iterator[Tree]:
        """Yield what a power cut now could leave."""
        is_sampled = False
        for entries in self._entry_choices():
            paths = dict(self._walk(entries, self._top))
            unsure = [
                node for node in dict.fromkeys(paths.values()) if node in self._changes
            ]
            options = [
                range(4) if isinstance(change, Written) else range(2)
                for node in unsure
                for change in self._changes[node]
            ]
            is_sampled |= prod(map(len, options)) > self._limit
            for fates in self._some(options, [_KEPT] * len(options)):
                contents = self._with_changes(unsure, iter(fates))
                yield {
                    path: None
                    if node in self._folders
                    else contents.get(node, self._contents.get(node, b""))
                    for path, node in paths.items()
                }
        self.sampled += is_sampled

    def _all_nodes(self) -> list[Node]:
        return [*self._changes, *self._folders]

    def _sync(self, node: Node) -> None:
        if node in self._folders:
            kept = [entry for entry in self._news if entry.folder == node]
            halves = [self._first_half(entry) for entry in kept]
            kept += [half for half in halves if half is not None]
            for entry in [entry for entry in self._news if entry in kept]:
                _put(self._entries, entry)
            # What came before in the same places is over, too.
            last = {_place(e): n for n, e in enumerate(self._news) if e in kept}
            self._news = [
                entry
                for n, entry in enumerate(self._news)
                if n > last.get(_place(entry), -1)
            ]
        elif changes := self._changes.pop(node, None):
            content = self._contents.get(node, b"")
            for change in changes:
                content = _apply(content, change, _KEPT)
            self._contents[node] = content

    def _first_half(self, entry: Entry) -> Named | None:
        """Return the new name that came with the loss of an old one, if not synced."""
        if isinstance(entry, Named) or not entry.moved:
            return None
        position = self._news.index(entry) - 1
        first = self._news[position] if position >= 0 else None
        return first if isinstance(first, Named) and first.moved else None

    def _entry_choices(self) -> Iterator[Entries]:
        """Yield what the folders may hold."""
        places: dict[Place, list[Entry]] = {}
        for entry in self._news:
            places.setdefault(_place(entry), []).append(entry)
        options = [range(len(news) + 1) for news in places.values()]
        for numbers in self._some(options, [option[-1] for option in options]):
            chosen = {
                place: news[number - 1] if number else None
                for (place, news), number in zip(places.items(), numbers, strict=True)
            }
            if not self._is_possible(chosen):
                continue
            entries = {node: dict(found) for node, found in self._entries.items()}
            for choice in chosen.values():
                if choice is not None:
                    _put(entries, choice)
            yield entries

    def _is_possible(self, chosen: Mapping[Place, Entry | None]) -> bool:
        """Tell whether no file has lost its old name before it got the new one."""
        for entry in chosen.values():
            if entry is not None and (first := self._first_half(entry)):
                there = chosen[_place(first)]
                if there is None or self._news.index(there) < self._news.index(first):
                    return False
        return True

    def _with_changes(
        self, nodes: Sequence[Node], fates: Iterator[int]
    ) -> dict[Node, bytes]:
        contents = {}
        for node in nodes:
            content = self._contents.get(node, b"")
            for change in self._changes[node]:
                content = _apply(content, change, next(fates))
            contents[node] = content
        return contents

    def _some(
        self, options: Sequence[range], everything: Sequence[int]
    ) -> Iterator[tuple[int, ...]]:
        """Yield every choice or, if there are too many, the extremes and a sample."""
        if prod(map(len, options)) <= self._limit:
            return product(*options)
        sample = islice(self._sample(options, everything), self._limit)
        return iter(dict.fromkeys(sample))

    def _sample(
        self, options: Sequence[range], everything: Sequence[int]
    ) -> Iterator[tuple[int, ...]]:
        nothing = [0] * len(options)
        for corner, other in ((nothing, everything), (everything, nothing)):
            yield tuple(corner)
            for position in range(len(options)):
                yield (
                    *corner[:position],
                    other[position],
                    *corner[position + 1 :],
                )
        while True:
            yield tuple(self._random.choice(option) for option in options)

    def _walk(
        self, entries: Entries, folder: Node, prefix: str = ""
    ) -> Iterator[tuple[str, Node]]:
        for name, node in entries.get(folder, {}).items():
            yield prefix + name, node
            if node in self._folders:
                yield from self._walk(entries, node, f"{prefix}{name}/")


def _place(entry: Entry) -> Place:
    return entry.folder, entry.name


def _put(entries: Entries, entry: Entry) -> None:
    folder = entries.setdefault(entry.folder, {})
    if isinstance(entry, Named):
        folder[entry.name] = entry.node
    else:
        folder.pop(entry.name, None)


def _apply(content: bytes, change: Change, fate: int) -> bytes:
    """Return what became of content, of which a change was kept or lost."""
    if fate == _LOST:
        return content
    if isinstance(change, Cut):
        return resize(content, change.size)
    if fate == _KEPT:
        return splice(content, change.offset, change.data)
    if fate == _TORN:
        return splice(content, change.offset, change.data[: len(change.data) // 2])
    # The new size was kept, but not the data.
    return content.ljust(change.offset + len(change.data), b"\0")
