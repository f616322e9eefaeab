"""Many processes at one key-value store in a folder, some of them killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from deliverystore.kvstore import FileSystemStore, init_shared_store

pytestmark = pytest.mark.processes

PROCESSES = 8


@pytest.fixture
def store(tmp_path):
    init_shared_store(tmp_path)
    store = FileSystemStore(tmp_path, durability="none")
    keys = [f"steady-{n}" for n in range(20)]
    store.multiset_metadata(keys, [{"kind": "steady"}] * 20)
    return store


def start(store, number, seconds):
    command = [sys.executable, "-m", "tests.processes.kvstoring"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen(
        [*command, str(store.path), str(number), str(seconds)],
        env={**environment, "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_eight_processes_that_write_read_and_query_find_only_what_belongs_together(
    store,
):
    processes = [start(store, number, 4) for number in range(PROCESSES)]
    counts = []
    for process in processes:
        said, errors = process.communicate()
        assert process.returncode == 0, errors
        counts.append(int(said))

    assert min(counts) > 20
    assert not list(store.path.glob(".deliverystore-journal/*"))


def test_killed_writers_leave_nothing_torn(store):
    seed = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    chance = random.Random(seed)  # noqa: S311 - it need not be secret
    steady = [start(store, number, 12) for number in range(3)]
    time.sleep(1)
    for number in range(3, 15):
        with start(store, number, 30) as process:
            time.sleep(0.4 + chance.random() / 3)
            process.send_signal(signal.SIGKILL)
    for process in steady:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    for number in range(15):
        pair = [store.exists(f"{side}-{number}") for side in ("left", "right")]
        assert len(set(pair)) == 1
        if pair[0]:
            left, right = (f"{side}-{number}" for side in ("left", "right"))
            assert store.get_metadata(left) == store.get_metadata(right)
    store.sweep(timedelta(0))
    names = {path.name.rpartition(".")[0] for path in store.path.glob("[!.]*")}
    assert names == set(store.query_keys())
    assert not list(store.path.glob(".deliverystore-journal/*"))
