"""One name, many processes: what readers and writers see of each other."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deliverystore.backends import FsDeliveryStore, FsHierDeliveryStore

pytestmark = pytest.mark.processes

PRELUDE = """
import hashlib
import sys
import time
from pathlib import Path

import django
from django.conf import settings
from django.core.files.base import ContentFile

folder, durability, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
settings.configure()
from deliverystore.backends import FsDeliveryStore, FsHierDeliveryStore

store = FsDeliveryStore(folder / "store", durability=durability)
(folder / f"ready{number}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
"""

SAVE = """
for n in range(int(sys.argv[4])):
    print(store.save("folder/essay.txt", ContentFile(bytes([number]) * 100_000)))
"""

REPLACE = """
for n in range(int(sys.argv[4])):
    with store.write_open("folder/essay.txt") as file:
        content = b"%d %d " % (number, n) * (5_000 + n)
        file.write(content[:30_000])
        file.write(content[30_000:])
        file.write(hashlib.sha256(content).digest())
"""

READ = """
seen = set()
while not (folder / "stop").exists():
    with store.read_open("folder/essay.txt") as file:
        content = file.read()
    digest = hashlib.sha256(content[:-32]).digest()
    assert digest == content[-32:], f"{len(content)} bytes are neither old nor new"
    seen.add(digest)
print(len(seen))
"""


@pytest.fixture
def processes(tmp_path):
    """Return a function that starts a script in a process, and one that lets all go."""
    started = []

    def start(script, durability, *arguments):
        number = len(started) + 1
        command = [sys.executable, "-c", PRELUDE + script, tmp_path, durability]
        process = subprocess.Popen(
            [*command, str(number), *map(str, arguments)], stdout=subprocess.PIPE
        )
        started.append(process)
        return process

    def go():
        while len(list(tmp_path.glob("ready*"))) < len(started):
            assert all(process.poll() is None for process in started)
            time.sleep(0.005)
        (tmp_path / "go").touch()

    start.go = go
    yield start
    for process in started:
        process.kill()
        process.communicate()


def output_of(process):
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output.decode().split()


@pytest.mark.parametrize(("durability", "saves"), [("none", 10), ("full", 2)])
def test_eight_processes_that_save_one_name_lose_nothing(
    processes, tmp_path, durability, saves
):
    writers = [processes(SAVE, durability, saves) for _ in range(8)]
    processes.go()
    names = {n: output_of(writer) for n, writer in enumerate(writers, start=1)}

    store = FsDeliveryStore(tmp_path / "store")
    assert len({name for saved in names.values() for name in saved}) == 8 * saves
    assert len(store.listdir("folder")[1]) == 8 * saves
    for number, saved in names.items():
        for name in saved:
            assert Path(store.path(name)).read_bytes() == bytes([number]) * 100_000


@pytest.mark.parametrize(
    ("durability", "writers", "replaces"), [("none", 1, 1000), ("full", 4, 15)]
)
def test_readers_see_whole_contents_only_while_a_name_is_replaced(
    processes, tmp_path, durability, writers, replaces
):
    store = FsDeliveryStore(tmp_path / "store")
    with store.write_open("folder/essay.txt") as file:
        file.write(b"first" + hashlib.sha256(b"first").digest())

    readers = [processes(READ, durability) for _ in range(2)]
    replacing = [processes(REPLACE, durability, replaces) for _ in range(writers)]
    processes.go()
    for writer in replacing:
        output_of(writer)
    (tmp_path / "stop").touch()

    for reader in readers:
        [seen] = output_of(reader)
        assert int(seen) > 2
    assert store.listdir("folder") == ([], ["essay.txt"])


HAND_IN_AND_REMOVE = """
store = FsHierDeliveryStore(folder / "store", 10, durability=durability)
for n in range(int(sys.argv[4])):
    name = f"{store.get_path_from_deliveryid(number)}/{number}/{n}"
    with store.write_open(name) as file:
        file.write(b"content")
    with store.read_open(name) as file:
        assert file.read() == b"content"
    store.remove(name)
"""


def test_removals_do_not_take_the_folders_of_others_away(processes, tmp_path):
    """Deliveries 1 to 4 share the folders 0/0, which come and go."""
    workers = [processes(HAND_IN_AND_REMOVE, "none", 150) for _ in range(4)]
    processes.go()
    for worker in workers:
        output_of(worker)

    assert FsHierDeliveryStore(tmp_path / "store").listdir("") == ([], [])


DIE = """
import os
file = store.write_open("folder/essay.txt")
file.write(b"half a file" * 100_000)
file.flush()
os.kill(os.getpid(), 9)
"""


def test_a_process_that_is_killed_while_it_writes_leaves_the_old_content_alone(
    processes, tmp_path
):
    store = FsDeliveryStore(tmp_path / "store")
    with store.write_open("folder/essay.txt") as file:
        file.write(b"old")
    writer = processes(DIE, "full")
    processes.go()
    writer.wait(timeout=60)

    assert writer.returncode == -9
    assert store.listdir("folder") == ([], ["essay.txt"])
    assert Path(store.path("folder/essay.txt")).read_bytes() == b"old"
