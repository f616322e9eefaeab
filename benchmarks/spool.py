"""How fast files are handed over and claimed, beside other queues and raw limits.

python -m benchmarks.spool [--waiting 100 10000 100000] [--processes 1 8]
    [--seconds 3] [--cap 120] [--files 300] [words …]

Only ways with one of the words in their names are measured. One that is not filled and
measured once after the seconds of --cap is given up.
"""

from __future__ import annotations

import argparse
import contextlib
import mailbox
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ingest import sync, write_durably
from deliverystore.spool import FileStore

CONTENT = os.urandom(4096)
# Takes one job and ends it; tells whether there was one.
Take = Callable[[], bool]
# Fills a new folder with so many jobs; returns what each process has to open.
Way = Callable[[Path, int], Callable[[], Take]]


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*")
    parser.add_argument(
        "--waiting", type=int, nargs="*", default=[100, 10_000, 100_000]
    )
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--seconds", type=float, default=3, help="at most, for each")
    parser.add_argument("--cap", type=float, default=120, help="then it is given up")
    parser.add_argument("--files", type=int, default=300, help="handed over by each")
    parser.add_argument("--repeat", type=int, default=3, help="the median counts")
    options = parser.parse_args()
    for processes in options.processes:
        claims(options, processes)
    if options.files:
        hand_over(options.files, options.repeat)


def claims(options: argparse.Namespace, processes: int) -> None:
    """Compare how fast jobs are taken and ended while others wait."""
    ways = {
        name: way
        for name, way in WAYS.items()
        if any(word in name for word in options.words or [""])
        and (processes == 1 or name not in ALONE)
    }
    print(f"\njobs taken and ended a second, by {processes} processes, of so many")
    print(f"  {'':<44}" + "".join(f"{n:>10,}" for n in options.waiting))
    given_up = False
    for name, way in ways.items():
        print(f"  {name:<44}", end="", flush=True)
        for waiting in options.waiting:
            found = median_rate(way, waiting, processes, options)
            given_up |= found is None
            text = "given up" if found is None else f"{found:,.0f}"
            print(f"{text:>10}", end="", flush=True)
        print()
    if given_up:
        print(
            f"  (given up: filled and measured once, it took over {options.cap:.0f} s)"
        )


def median_rate(
    way: Way, waiting: int, processes: int, options: argparse.Namespace
) -> float | None:
    """Return how many jobs a second are taken; None if that takes too long."""
    found: list[float] = []
    for _ in range(options.repeat):
        rate = capped_rate(way, waiting, processes, options)
        if rate is None:
            return None
        found.append(rate)
    return median(found)


def capped_rate(
    way: Way, waiting: int, processes: int, options: argparse.Namespace
) -> float | None:
    """Measure once, in a process of its own that is killed if it takes too long."""
    context = multiprocessing.get_context("fork")
    result, sender = context.Pipe(duplex=False)

    def measure(folder: Path) -> None:
        os.setpgid(0, 0)
        sender.send(rate(folder, way, waiting, processes, options.seconds))

    with tempfile.TemporaryDirectory(
        prefix="spool-bench-", ignore_cleanup_errors=True
    ) as folder:
        process = context.Process(target=measure, args=(Path(folder),))
        process.start()
        sender.close()
        ended = result.poll(options.cap)
        if not ended:
            assert process.pid is not None
            # Its workers are of its group.
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return float(result.recv()) if ended else None


def rate(folder: Path, way: Way, waiting: int, processes: int, seconds: float) -> float:
    """Return how many jobs a second all processes take together."""
    opened = way(folder, waiting)
    os.sync()
    if processes == 1:
        taken, spent = work(opened, seconds)
        return taken / spent
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(processes), context.SimpleQueue()

    def run() -> None:
        barrier.wait()
        queue.put(work(opened, seconds))

    workers = [context.Process(target=run) for _ in range(processes)]
    for worker in workers:
        worker.start()
    found = [queue.get() for _ in workers]
    for worker in workers:
        worker.join()
    return sum(taken for taken, _ in found) / max(spent for _, spent in found)


def work(opened: Callable[[], Take], seconds: float) -> tuple[int, float]:
    """Take jobs until none is left, or time is up; return how many, and how long."""
    take, taken = opened(), 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds and take():
        taken += 1
    return taken, time.perf_counter() - start


def fill(folder: Path, waiting: int) -> None:
    """Write files as they are when they wait in a spool."""
    for section in ("tmp", "new", "cur"):
        (folder / section).mkdir()
    for number in range(waiting):
        (folder / "new" / f"{number}").write_bytes(CONTENT[:100])


def ours(durability: str) -> Way:
    def way(folder: Path, waiting: int) -> Callable[[], Take]:
        fill(folder, waiting)

        def opened() -> Take:
            store = FileStore(folder, durability=durability)

            def take() -> bool:
                claim = store.claim()
                if claim is not None:
                    claim.done()
                return claim is not None

            return take

        return opened

    return way


def ours_claims_only(folder: Path, waiting: int) -> Callable[[], Take]:
    fill(folder, waiting)

    def opened() -> Take:
        store = FileStore(folder, durability="full")
        return lambda: store.claim() is not None

    return opened


def list_and_move(*, remove: bool) -> Way:
    def way(folder: Path, waiting: int) -> Callable[[], Take]:
        fill(folder, waiting)

        def opened() -> Take:
            from gocept.filestore import FileStore as Ancestor

            store = Ancestor(str(folder))

            def take() -> bool:
                for path in store.list("new"):
                    with contextlib.suppress(FileNotFoundError):
                        store.move(path, "new", "cur")
                        if remove:
                            store.remove(Path(path).name, "cur")
                        return True
                return False

            return take

        return opened

    return way


def maildir(folder: Path, waiting: int) -> Callable[[], Take]:
    box = mailbox.Maildir(folder / "box")
    for number in range(waiting):
        (folder / "box" / "new" / f"{number}.1.host").write_bytes(CONTENT[:100])
    box.close()

    def opened() -> Take:
        box = mailbox.Maildir(folder / "box")

        def take() -> bool:
            for key in box.iterkeys():
                with contextlib.suppress(KeyError, FileNotFoundError):
                    box.remove(key)
                    return True
            return False

        return take

    return opened


def persist_queue(folder: Path, waiting: int) -> Callable[[], Take]:
    import persistqueue

    def queue() -> Any:
        return persistqueue.SQLiteAckQueue(str(folder / "queue"))

    filled = queue()
    for number in range(waiting):
        filled.put(f"{number}")
    filled.close()

    def opened() -> Take:
        opened = queue()

        def take() -> bool:
            try:
                item = opened.get(block=False)
            except persistqueue.Empty:
                return False
            opened.ack(item)
            return True

        return take

    return opened


def deque(folder: Path, waiting: int) -> Callable[[], Take]:
    from diskcache import Deque

    filled = Deque(directory=str(folder / "deque"))
    with filled.transact():
        filled.extend(f"{number}" for number in range(waiting))
    del filled

    def opened() -> Take:
        opened = Deque(directory=str(folder / "deque"))

        def take() -> bool:
            try:
                opened.popleft()
            except IndexError:
                return False
            return True

        return take

    return opened


WAYS: dict[str, Way] = {
    "only taken: gocept.filestore, list and move": list_and_move(remove=False),
    "only taken: deliverystore": ours_claims_only,
    "gocept.filestore: list, move, remove": list_and_move(remove=True),
    "deliverystore, not durable": ours("none"),
    "deliverystore, durable": ours("full"),
    "mailbox.Maildir: first key, remove": maildir,
    "persist-queue: SQLiteAckQueue": persist_queue,
    "diskcache: Deque": deque,
}
# It hands out what another process has not acknowledged.
ALONE = ("persist-queue: SQLiteAckQueue",)


def hand_over(files: int, repeat: int) -> None:
    """Compare how fast files of 4 KiB are handed over, durably."""
    times: dict[str, list[float]] = {}
    for _ in range(repeat):
        for name, write in (("by hand", by_hand), ("deliverystore", by_us)):
            with tempfile.TemporaryDirectory(prefix="spool-bench-") as folder:
                os.sync()
                start = time.perf_counter()
                for _number in write(Path(folder), files):
                    pass
                times.setdefault(name, []).append(time.perf_counter() - start)
    rates = {name: files / median(found) for name, found in times.items()}
    print("\nfiles of 4 KiB handed over a second, durably, and the ratio")
    for name, found in rates.items():
        print(f"  {name:<44}{found:>10,.0f}{found / rates['by hand']:>7.2f}")


def by_hand(folder: Path, files: int) -> Iterator[int]:
    (folder / "new").mkdir()
    for number in range(files):
        write_durably(folder / "new" / f"{number}", [CONTENT])
        sync(folder / "new")
        yield number


def by_us(folder: Path, files: int) -> Iterator[int]:
    store = FileStore(folder, durability="full")
    store.prepare()
    for number in range(files):
        with store.writing(f"{number}") as file:
            file.write(CONTENT)
        yield number


if __name__ == "__main__":
    main()
