"""Many processes at one spool, some of them killed, frozen or too slow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deliverystore.exceptions import ClaimLost
from deliverystore.spool import FileStore
from tests.processes.spool_killing import SpoolKilling

pytestmark = pytest.mark.processes

LATER = datetime(2100, 1, 1, tzinfo=UTC)
FREEZER = """
import sys
from deliverystore.exceptions import ClaimLost
from deliverystore.spool import FileStore

claim = FileStore(sys.argv[1], durability="none").claim()
print(claim.token, flush=True)
sys.stdin.readline()
for end in (claim.renew, claim.fail, claim.release, claim.done):
    try:
        end()
    except ClaimLost:
        print("lost", flush=True)
"""


def test_sixteen_workers_that_are_killed_lose_and_double_nothing(tmp_path):
    killing = SpoolKilling(tmp_path, files=2000, workers=16, lease=1.5, slow=0.3)

    killing.run(kills=12, seed=os.environ.get("PYTEST_XDIST_TESTRUNUID"))
    counts = killing.check()

    assert killing.killed >= 6
    assert counts["done"] + killing.killed >= 2000
    assert counts["lost"] >= 1


def test_a_worker_that_is_frozen_past_its_lease_cannot_end_anothers_job(tmp_path):
    store = FileStore(tmp_path)
    store.prepare()
    with store.writing("a") as file:
        file.write(b"content")
    command = [sys.executable, "-c", FREEZER, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as frozen:
        token = frozen.stdout.readline().strip()
        frozen.send_signal(signal.SIGSTOP)
        assert store.recover(LATER).waiting == 1
        claim = store.claim()
        assert claim.token != token
        frozen.send_signal(signal.SIGCONT)
        said, _ = frozen.communicate("go on\n")

    assert said.split() == ["lost"] * 4
    assert claim.path.read_bytes() == b"content"
    claim.done()
    assert store.status().claimed == store.status().waiting == 0


def test_of_threads_that_share_a_store_each_gets_files_of_its_own(tmp_path):
    store = FileStore(tmp_path)
    store.prepare()
    for number in range(400):
        (tmp_path / "new" / f"{number}").touch()
    found = []

    def work():
        for claim in store.claims():
            claim.done()
            found.append(claim.filename)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(int, found)) == list(range(400))


def test_a_lease_that_ends_by_itself_is_over(tmp_path):
    store = FileStore(tmp_path)
    store.prepare()
    (tmp_path / "new" / "a").touch()
    short = FileStore(tmp_path, lease=timedelta(milliseconds=1))
    claim = short.claim()
    time.sleep(0.01)

    assert store.recover().waiting == 1

    with pytest.raises(ClaimLost):
        claim.done()
    assert len(list(Path(tmp_path / "new").iterdir())) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_watch_that_is_asked_to_end_ends_after_the_file_at_hand(
    sqlite_project, tmp_path, number
):
    spool = tmp_path / "spool"
    spool.mkdir()
    target = "tests.processes.spool_target.slowly"
    with sqlite_project.start(
        "django", "watch_spool", str(spool), "--to", target
    ) as on:
        assert on.stdout.readline() == f"Watches {spool}.\n"
        store = FileStore(spool)
        for name in ("a", "b"):
            with store.writing(name) as file:
                file.write("content")
        assert on.stdout.readline() == "begun\n"
        on.send_signal(number)
        left = on.stdout.read()

    assert on.returncode == 0
    assert ": done in" in left
    assert "Ends. Done: 1, failed attempts: 0." in left
    status = store.status()
    assert (status.waiting, status.claimed, status.failed) == (1, 0, 0)


def test_an_idle_watch_ends_at_once(sqlite_project, tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    arguments = ("watch_spool", str(spool), "--to=delivery", "--interval=30")
    with sqlite_project.start("django", *arguments) as idle:
        idle.stdout.readline()
        time.sleep(0.5)
        begun = time.monotonic()
        idle.send_signal(signal.SIGTERM)
        left = idle.stdout.read()

    assert time.monotonic() - begun < 5
    assert idle.returncode == 0
    assert "Done: 0" in left
