"""In which order the system is asked to write, sync and name, seen by strace."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.strace

PRELUDE = """
import sys
from pathlib import Path
from deliverystore import fsops

root = Path(sys.argv[1])
policy = fsops.Policy(root=root, durability=fsops.Durability(sys.argv[2]))
if sys.argv[3] == "named":
    fsops._can_link_open_files = lambda: False

def write(name, **options):
    with fsops.new_file(root / name, policy, **options) as file:
        file.write(b"content")

(root / "start").touch()
"""

CALLS = "fsync,fdatasync,sync,syncfs,write,pwrite64,copy_file_range,openat,open,creat"
NAMING = "link,linkat,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,rmdir"

ANONYMOUS = re.compile(r"#\d+")
TEMPORARY = re.compile(r"\.deliverystore-[0-9a-f]+")


@pytest.fixture
def trace(tmp_path):
    """Return a function that runs a script and returns what it asked the system for.

    Each call is shortened to its name and the file it is about, below the root.
    """
    root = tmp_path / "root"
    root.mkdir()

    def run(script, durability="full", drafts="unnamed"):
        log = tmp_path / "log"
        strace = ["strace", "-f", "-y", "-o", log, "-e", f"trace={CALLS},{NAMING}"]
        python = [sys.executable, "-c", PRELUDE + script, root, durability, drafts]
        subprocess.run([*strace, *python], check=True)
        lines = [line for line in log.read_text().splitlines() if str(root) in line]
        start = next(n for n, line in enumerate(lines) if "/start" in line)
        calls = [parse(line, str(root)) for line in lines[start + 1 :]]
        return [call for call in calls if call]

    run.root = root
    return run


def parse(line, root):
    """Return what one line of strace says, such as "fsync folder"; or nothing."""
    call = re.search(r"(\w+)\((.*)\) += (-?\d+)", line)
    if not call or int(call[3]) < 0:
        return None
    name, arguments = call[1], call[2]
    if name == "openat" and "O_CREAT" not in arguments and "O_TMPFILE" not in arguments:
        return None
    paths = re.findall(rf'{re.escape(root)}(?:/([^">]*))?(?=["> ])', arguments)
    if name == "linkat" and not arguments.endswith("0"):
        folder, last = re.search(
            rf'<{re.escape(root)}(?:/([^>]*))?>, "([^"]*)"', arguments
        ).groups()
        paths = [f"{folder}/{last}" if folder else last]
    path = ANONYMOUS.sub("#", TEMPORARY.sub("#", paths[-1] or "root"))
    verb = {"linkat": "link", "mkdirat": "mkdir", "openat": "create"}.get(name, name)
    return f"{verb} {path.removesuffix('(deleted)').strip()}"


def test_content_is_synced_before_it_gets_its_name_and_the_folder_after_it(trace):
    calls = trace('write("essay")')

    assert calls == [
        "create root",
        "write #",
        "fsync #",
        "link essay",
        "fsync root",
    ]


def test_the_same_order_holds_under_a_temporary_name(trace):
    calls = trace('write("essay")', drafts="named")

    assert calls == [
        "create #",
        "write #",
        "fsync #",
        "link essay",
        "fsync root",
        "unlink #",
    ]


@pytest.mark.parametrize("drafts", ["unnamed", "named"])
def test_a_replaced_file_is_renamed_into_its_place(trace, drafts):
    (trace.root / "essay").write_bytes(b"old")

    calls = trace('write("essay", replace=True)', drafts=drafts)

    assert calls[-4:] == (
        ["fsync #", "link #", "rename essay", "fsync root"]
        if drafts == "unnamed"
        else ["write #", "fsync #", "rename essay", "fsync root"]
    )


def test_each_new_folder_is_synced_in_its_parent(trace):
    calls = trace('write("a/b/essay")')

    assert calls == [
        "mkdir a",
        "fsync root",
        "mkdir a/b",
        "fsync a",
        "create a/b",
        "write a/b/#",
        "fsync a/b/#",
        "link a/b/essay",
        "fsync a/b",
        "fsync a",
        "fsync root",
    ]


def test_a_group_syncs_all_contents_then_names_them_then_syncs_their_folders(trace):
    calls = trace(
        """
(root / "a").mkdir()
(root / "b").mkdir()
with fsops.Group() as group:
    for name in ("a/1", "a/2", "b/3"):
        write(name, group=group)
"""
    )

    barrier = calls[calls.index("fsync a/#") :]
    assert barrier == [
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


def test_a_copy_is_made_by_the_kernel_and_synced_like_any_other_file(trace):
    (trace.root / "source").write_bytes(b"content")

    calls = trace('fsops.copy_file(root / "source", root / "copy", policy)')

    assert calls[:2] == ["create root", "copy_file_range #"]
    assert calls[-3:] == ["fsync #", "link copy", "fsync root"]


def test_a_moved_file_is_synced_under_its_new_name_before_it_loses_the_old(trace):
    (trace.root / "folder").mkdir()
    (trace.root / "source").write_bytes(b"content")

    calls = trace('fsops.move(root / "source", root / "folder/target", policy)')

    assert calls == [
        "fsync source",
        "link folder/target",
        "fsync folder",
        "fsync root",
        "unlink source",
        "fsync root",
    ]


def test_a_removal_is_synced(trace):
    (trace.root / "essay").write_bytes(b"")
    (trace.root / "folder").mkdir()

    calls = trace(
        'fsops.remove(root / "essay", policy);'
        'fsops.remove_folder(root / "folder", policy)'
    )

    assert calls == ["unlink essay", "fsync root", "rmdir folder", "fsync root"]


@pytest.mark.parametrize("drafts", ["unnamed", "named"])
def test_nothing_is_ever_written_or_created_under_a_final_name(trace, drafts):
    (trace.root / "old").write_bytes(b"content")

    calls = trace(
        """
write("essay")
write("essay", replace=True)
fsops.copy_file(root / "old", root / "copy", policy)
with fsops.Group() as group:
    write("a/b", group=group)
""",
        drafts=drafts,
    )

    written = [call for call in calls if call.split()[0] in WRITING]
    assert len(written) >= 8
    assert all(call.endswith(("#", "create root", "create a")) for call in written)


WRITING = ("create", "write", "pwrite64", "copy_file_range")


def test_without_durability_nothing_is_synced_but_all_is_done(trace):
    (trace.root / "source").write_bytes(b"content")

    calls = trace(
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
