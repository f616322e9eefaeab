"""In which order the system is asked to write, sync and name."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.strace

# A process of its own: one with threads, as pytest may be, is not to be forked.
PRELUDE = """
import json, re, sys
from pathlib import Path
from deliverystore import fsops
from tests.durability import order
from tests.durability.recording import Recorder
from tests.durability.tracing import run

root = Path(sys.argv[1])
policy = fsops.Policy(root=root, durability=fsops.Durability(sys.argv[2]))

def write(name, **options):
    with fsops.new_file(root / name, policy, **options) as file:
        file.write(b"content")

def work():
    exec(sys.argv[3])

def word(call):
    verb = {"linkat": "link", "openat": "create"}.get(call.name, call.name)
    path = str(call.paths[-1].relative_to(root)).replace(" (deleted)", "")
    return f"{verb} {re.sub('#[0-9]+', '#', path)}".replace(" .", " root")

recorder = Recorder(root)
done = run(work, watched=[root], seen=recorder.see)
assert done.returned, done.error
words = [word(call) for call, _ in recorder.events]
json.dump([words, order.problems(recorder)], sys.stdout)
"""


@pytest.fixture
def ask(tmp_path):
    """Return a function that runs a script and returns what it asked the system for.

    Each call is shortened to its name and the file it is about, below the root; "#" is
    a file without a name. With them comes what is wrong with their order.
    """

    def run(script, durability="full"):
        command = [sys.executable, "-c", PRELUDE, tmp_path, durability, script]
        done = subprocess.run(command, check=True, capture_output=True)
        return json.loads(done.stdout)

    run.root = tmp_path
    return run


def test_content_is_synced_then_named_then_the_folders_are_synced(ask):
    calls, problems = ask('write("a/b/essay")')

    assert problems == []
    assert calls == [
        "mkdir a",
        "fsync root",
        "mkdir a/b",
        "fsync a",
        "write a/b/#",
        "fsync a/b/#",
        "link a/b/essay",
        "fsync a/b",
        "fsync a",
        "fsync root",
    ]


def test_a_group_syncs_all_contents_then_names_them_then_syncs_their_folders(ask):
    (ask.root / "a").mkdir()
    (ask.root / "b").mkdir()

    calls, problems = ask(
        """
with fsops.Group() as group:
    for name in ("a/1", "a/2", "b/3"):
        write(name, group=group)
"""
    )

    assert problems == []
    assert calls[calls.index("fsync a/#") :] == [
        "fsync a/#",
        "fsync a/#",
        "fsync b/#",
        "link a/1",
        "link a/2",
        "link b/3",
        "fsync a",
        "fsync root",
        "fsync b",
        "fsync root",
    ]


def test_a_copy_is_made_by_the_kernel_and_synced_like_any_other_file(ask):
    (ask.root / "source").write_bytes(b"content")

    calls, problems = ask('fsops.copy_file(root / "source", root / "copy", policy)')

    assert problems == []
    assert calls == ["copy_file_range #", "fsync #", "link copy", "fsync root"]


def test_a_moved_file_is_synced_under_its_new_name_before_it_loses_the_old(ask):
    (ask.root / "folder").mkdir()
    (ask.root / "source").write_bytes(b"content")

    calls, problems = ask('fsops.move(root / "source", root / "folder/new", policy)')

    assert problems == []
    assert calls == [
        "fsync source",
        "link folder/new",
        "fsync folder",
        "fsync root",
        "unlink source",
        "fsync root",
    ]


def test_a_removed_folder_is_synced(ask):
    (ask.root / "folder").mkdir()

    calls, _ = ask('fsops.remove_folder(root / "folder", policy)')

    assert calls == ["rmdir folder", "fsync root"]


def test_without_durability_nothing_is_synced_but_all_is_done(ask):
    (ask.root / "source").write_bytes(b"content")

    calls, problems = ask(
        """
write("a/b/essay")
write("essay", replace=True)
fsops.copy_file(root / "essay", root / "copy", policy)
fsops.move(root / "source", root / "c/target", policy)
with fsops.Group() as group:
    write("d", group=group)
fsops.remove(root / "d", policy)
""",
        durability="none",
    )

    assert not [call for call in calls if "sync" in call]
    assert {"link a/b/essay", "link copy", "link c/target", "unlink d"} <= set(calls)
    assert any("names content that is not synced" in problem for problem in problems)
