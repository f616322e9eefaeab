"""Workers at a spool that are killed and slow, and what must be true in the end."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from deliverystore.spool import FileStore


@dataclass
class SpoolKilling:
    """Lets workers take all files of a spool, and kills some of them on the way."""

    folder: Path
    files: int
    workers: int
    lease: float
    slow: float = 0
    killed: int = 0
    logs: list[Path] = field(default_factory=list)

    def run(self, kills, seed):
        """Fill the spool, start workers, and replace each that is killed."""
        moments = random.Random(seed)  # noqa: S311
        store = FileStore(self.folder / "spool", durability="none")
        store.prepare()
        for number in range(self.files):
            (store.path / "new" / f"{number}").touch()
        running = [self._start() for _ in range(self.workers)]
        while any(worker.poll() is None for worker in running):
            time.sleep(moments.uniform(0.02, 0.2))
            # Not before it has begun to work: that takes a while.
            position = moments.randrange(self.workers)
            victim = running[position]
            at_work = self.logs[self._log_of(victim)].exists()
            if self.killed < kills and at_work and victim.poll() is None:
                victim.send_signal(signal.SIGKILL)
                victim.wait()
                self.killed += 1
                running[position] = self._start()
        assert [worker.returncode for worker in running] == [0] * self.workers

    def _log_of(self, worker):
        return next(n for n, log in enumerate(self.logs) if str(log) in worker.args)

    def _start(self):
        log = self.folder / f"log-{len(self.logs)}"
        self.logs.append(log)
        module = "tests.processes.spooling"
        spool = self.folder / "spool"
        arguments = (spool, f"{self.lease}", log, f"{self.slow}")
        return subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin"},
        )

    def check(self):
        """Compare what the workers wrote down; return how often each word came.

        Nothing is lost: of each file somebody has begun the end. Nothing is doubled:
        it was done once, or somebody was killed who may have done it; and nobody got
        it while another one's lease ran.
        """
        told, counts = defaultdict(list), defaultdict(int)
        for log in self.logs:
            for line in log.read_text().splitlines() if log.exists() else []:
                if len(parts := line.split()) == 4:
                    ends, word, name, token = parts
                    told[int(name)].append((float(ends), word, token))
                    counts[word] += 1
        left = [path for path in (self.folder / "spool").rglob("*") if path.is_file()]
        assert left == []
        assert sorted(told) == list(range(self.files)), "files were lost"
        for name, events in told.items():
            self._check_file(name, sorted(events))
        return dict(counts)

    def _check_file(self, name, events):
        done = [token for _, word, token in events if word == "done"]
        ending = {token for _, word, token in events if word == "ending"}
        lost = {token for _, word, token in events if word == "lost"}
        assert len(done) <= 1, f"{name} was done twice: {events}"
        # Who was killed after the end had begun may have got there.
        assert done or ending - lost, f"{name} was not done: {events}"
        took = [ends for ends, word, _ in events if word == "took"]
        for earlier, later in itertools.pairwise(took):
            begun = later - self.lease
            assert begun > earlier - 0.002, f"{name} was doubled: {events}"
        assert len({token for _, word, token in events if word == "took"}) == len(took)
